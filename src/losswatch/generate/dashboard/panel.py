"""What a dashboard shows, in words of its own: rows of panels, each with queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Measure", "Panel", "Query", "Row", "Variable"]

Kind = Literal["number", "lines", "bars", "heat", "states"]
"""One number now, lines over time, bars now, counts by bucket over time, on and off over time."""

Measure = Literal[
    "error", "loss", "count", "seconds", "share", "cores", "bytes", "rate", "times", "since"
]
"""What values are; ``error`` is in the unit of the target, ``loss`` in that unit squared."""


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL with variables of Grafana, and how its series are called."""

    expr: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Parameters
    ----------
    title
        In a word or two.
    about
        What it says and what to do with it, for people who look at it the first time.
    queries
        At least one.
    kind, measure
        See :data:`Kind` and :data:`Measure`.
    limits
        From where on a value is bad, and from where on it is to be seen: ``red``, ``yellow``.
    nothing
        What stands there instead of a number if there is none, where that needs words.
    width
        Of the 24 columns.
    """

    title: str
    about: str
    queries: tuple[Query, ...]
    kind: Kind = "lines"
    measure: Measure = "count"
    limits: tuple[tuple[float, str], ...] = ()
    nothing: str = ""
    width: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A question, and the panels that answer it."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What can be chosen above the panels: the values of a label."""

    name: str
    title: str
    series: str
    label: str
    value: str = ""
    """Chosen at first; without it all are."""
