"""Draw charts as SVG. Nothing else imports matplotlib.

The background is white paper, so that a plot reads the same on a light page
and on a dark one. Equal data give equal bytes: no date, no random ids, and
letters as outlines, whatever fonts the reader has.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from benchmarks.charts import Bars, Chart, Dots, Lines, Points

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.charts import Line

__all__ = ["draw"]

# Okabe and Ito's colours: told apart by everyone, and in grey.
COLOURS = {"ours": "#0072b2", "peer": "#d55e00", "other": "#8a8a8a", "exact": "#bbbbbb"}
SERIES = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
SHAPES = ("o", "s", "^", "D", "X")
INK, GRID, GOOD = "#222222", "#dddddd", "#e3efe3"

RUG = 0.03
"""Height of the marks for what is no number, as part of the axis."""

NEAR, LINE = 0.3, 0.042
"""Names of points that are so near across, as part of the axis, are so far apart in height."""

STYLE = {
    "svg.fonttype": "path",
    "svg.hashsalt": "losswatch",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 12,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(chart: Chart, path: Path) -> None:
    """Write a chart as SVG."""
    with mpl.rc_context(STYLE):
        figure = _figure(chart)
        figure.savefig(
            path, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.15
        )


@singledispatch
def _figure(chart: Chart) -> Any:
    raise TypeError(f"{chart!r:.60} is no chart")


@_figure.register
def _bars(chart: Bars) -> Any:
    count = sum(len(bars) for bars in chart.groups.values())
    figure, axes = _axes(chart.title, height=0.9 + 0.32 * (count + len(chart.groups)))
    rows, position = [], 0.0
    for heading, bars in chart.groups.items():
        edge = axes.get_yaxis_transform()
        axes.text(0.01, position, heading, transform=edge, va="center", style="italic")
        rows.append((position, ""))
        for name, value, role in bars:
            position += 1
            rows.append((position, name))
            axes.barh(position, value, color=COLOURS[role], height=0.7)
            _annotate(axes, f"{float(f'{value:.3g}'):,g}", (value, position), 4)
        position += 1.2
    _log(axes, "x")
    lowest = min(value for bars in chart.groups.values() for _, value, _ in bars)
    axes.set_xlim(left=10.0 ** math.floor(math.log10(lowest / 2)))
    axes.set_xlabel(chart.unit)
    _name_rows(axes, rows)
    return figure


@_figure.register
def _dots(chart: Dots) -> Any:
    figure, axes = _axes(chart.title, height=0.9 + 0.46 * len(chart.rows))
    axes.grid(axis="y")
    floor = 10.0 ** math.floor(math.log10(chart.good) - 1.5)
    axes.axvspan(floor / 5, chart.good, color=GOOD, linewidth=0, label=chart.good_label)
    series = list(dict.fromkeys(name for row in chart.rows.values() for name in row))
    for index, name in enumerate(series):
        shift = 0.15 * (index - (len(series) - 1) / 2)
        points = [
            (max(row[name], floor), position + shift)
            for position, row in enumerate(chart.rows.values())
            if name in row
        ]
        shape = {"marker": SHAPES[index], "color": SERIES[index]}
        axes.plot(*zip(*points, strict=True), linestyle="", markersize=5.5, label=name, **shape)
    _log(axes, "x")
    axes.set_xlim(left=floor / 5)
    axes.xaxis.set_major_formatter(lambda x, _: f"≤ {_power(x)}" if x <= floor else _power(x))
    axes.set_xlabel(chart.unit)
    _name_rows(axes, list(enumerate(chart.rows)))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return figure


@_figure.register
def _lines(chart: Lines) -> Any:
    figure, axes = _axes(chart.title, height=3.6, pad=24 if chart.notes else 12)
    axes.grid(axis="y")
    edge = axes.get_xaxis_transform()
    for line in chart.lines:
        colour, width = COLOURS[line.role], 6 if line.role == "exact" else 1.6
        axes.plot(line.x, line.y, color=colour, linewidth=width, marker="o" if chart.dots else "")
        axes.plot(line.marks, [RUG] * len(line.marks), "|", color=colour, transform=edge)
    for x, text in chart.notes.items():
        axes.annotate(text, (x, 1.02), xycoords=edge, fontsize=9)
    for which in "xy" if chart.log_x else "y":
        _log(axes, which)
    low, high = axes.get_ylim()
    axes.set_ylim(10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high)))
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    _name_lines(axes, chart.lines)
    return figure


@_figure.register
def _points(chart: Points) -> Any:
    figure, axes = _axes(chart.title, height=5)
    axes.grid(axis="y")
    for _, x, y, role in chart.points:
        axes.plot([x], [y], "o", color=COLOURS[role])
    for which in "xy":
        _log(axes, which)
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    to_fraction = axes.transData + axes.transAxes.inverted()
    placed: list[tuple[float, float]] = []
    for name, x, y, role in sorted(chart.points, key=lambda point: point[2]):
        across, up = to_fraction.transform((x, y))
        near = [other for column, other in placed if abs(column - across) < NEAR]
        up = max([up, *(other + LINE for other in near)])
        placed.append((across, up))
        _annotate(axes, name, (across, up), 8, xycoords="axes fraction", color=COLOURS[role])
    return figure


def _name_lines(axes: Any, lines: Sequence[Line]) -> None:
    """Write each line's name at its right end; names that would overlap move up."""
    to_fraction = axes.transData + axes.transAxes.inverted()
    ends = []
    for line in lines:
        x, y = line.x[-1], line.y[-1]
        if math.isfinite(y):
            ends.append((to_fraction.transform((x, y)), line.label, line.role))
        else:
            right = to_fraction.transform((x, 1.0))[0]
            ends.append(((right, RUG), f"{line.label}: {line.marks_label}", line.role))
    lowest = 0.0
    for (x, y), label, role in sorted(ends, key=lambda end: (end[0][1], end[2] != "exact")):
        lowest = max(y, lowest)
        colour = INK if role == "exact" else COLOURS[role]
        _annotate(axes, label, (x, lowest), 8, xycoords="axes fraction", color=colour)
        lowest += 0.065


def _axes(title: str, *, height: float, pad: float = 12) -> tuple[Any, Any]:
    figure = Figure(figsize=(7, height), facecolor="white")
    axes = figure.add_subplot()
    axes.set_title(title, pad=pad)
    axes.grid(axis="x")
    return figure, axes


def _annotate(axes: Any, text: str, where: tuple[float, float], right: float, **style: Any) -> None:
    axes.annotate(text, where, (right, 0), textcoords="offset points", va="center", **style)


def _log(axes: Any, which: str) -> None:
    """Make an axis logarithmic, with a tick at each power of ten and none between."""
    getattr(axes, f"set_{which}scale")("log")
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(LogLocator(numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: _tick(value, *axis.get_view_interval()))


def _tick(value: float, low: float, high: float) -> str:
    return _power(value) if high > low * 1e6 else f"{value:,g}"


def _power(value: float) -> str:
    return f"$10^{{{math.log10(value):.0f}}}$"


def _name_rows(axes: Any, names: Sequence[tuple[float, str]]) -> None:
    """Name the rows at the left, the first at the top."""
    axes.set_yticks([position for position, _ in names])
    axes.set_yticklabels([name.replace("`", "") for _, name in names])
    axes.set_ylim(names[-1][0] + 0.6, -0.8)
    axes.tick_params(axis="y", length=0)
