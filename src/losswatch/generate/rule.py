"""Rules and groups of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Alert", "Group", "Recording", "Severity"]

Severity = Literal["page", "ticket", "warning", ""]
"""Wake somebody, let it be done in working hours, or be seen; empty is what the sample says."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A series that is computed again and again."""

    record: str
    expr: str


@dataclass(frozen=True, slots=True)
class Alert:
    """What is told to people.

    Parameters
    ----------
    name
        Also the heading of its entry in the runbook.
    expr
        Of several lines, where that is easier to read.
    summary, description
        Templates of Prometheus.
    why
        Where its thresholds come from, and which of them to change; for who reads the file.
    severity
        See :data:`Severity`.
    wait
        How long it must hold before it fires.
    keep
        How long it goes on firing afterwards.
    labels
        Further ones.
    """

    name: str
    expr: str
    summary: str
    description: str
    why: str
    severity: Severity = ""
    wait: str = ""
    keep: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after another.

    Parameters
    ----------
    name
        Unique in the file.
    about
        What they are, for who reads the file.
    rules
        In the order of their evaluation.
    interval
        Between evaluations; empty is that of Prometheus.
    """

    name: str
    about: str
    rules: tuple[Recording | Alert, ...]
    interval: str = ""
