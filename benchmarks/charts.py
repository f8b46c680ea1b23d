"""What a plot shows, as plain data: benchmarks describe it, only ``plots`` draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Bars", "Chart", "Dots", "Line", "Lines", "Points", "Role"]

Role = Literal["ours", "peer", "other", "exact"]
"""Decides the colour: ours, the peer, what is neither, and the truth."""


@dataclass(frozen=True, slots=True)
class Bars:
    """One number above 0 for each name, as bars on a log scale.

    Parameters
    ----------
    file
        Where the plot goes, such as ``peers-cost.svg``.
    title
        The question.
    unit
        What the numbers are, with their unit.
    groups
        Headings, and under each the bars: name, number and role.
    """

    file: str
    title: str
    unit: str
    groups: Mapping[str, Sequence[tuple[str, float, Role]]]


@dataclass(frozen=True, slots=True)
class Dots:
    """Several relative errors for each name, as one row of dots on a log scale.

    Parameters
    ----------
    rows
        For each name its numbers by series; 0 and a missing one are fine.
    good
        Up to here a number is as right as it can be; the plot shades it.
    good_label
        What the legend says of that.
    """

    file: str
    title: str
    unit: str
    rows: Mapping[str, Mapping[str, float]]
    good: float
    good_label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line: NaN in ``y`` is a gap; ``marks`` are x where there is no number to show."""

    label: str
    role: Role
    x: Sequence[float]
    y: Sequence[float]
    marks: Sequence[float] = ()
    marks_label: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over a common x; y on a log scale."""

    file: str
    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    log_x: bool = False
    dots: bool = False
    notes: Mapping[float, str] = field(default_factory=dict)
    """Text at some x, such as what happened there."""


@dataclass(frozen=True, slots=True)
class Points:
    """Two numbers above 0 for each name, as named points; both axes on a log scale."""

    file: str
    title: str
    x_label: str
    y_label: str
    points: Sequence[tuple[str, float, float, Role]]


Chart = Bars | Dots | Lines | Points
