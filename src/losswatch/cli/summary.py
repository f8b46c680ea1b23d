"""The cost of each model, for people and for programs."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from losswatch.core.costs import Row, rows_of
from losswatch.core.ledger import LIFETIME
from losswatch.core.worst import worst_segments
from losswatch.service.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from losswatch.core.monitors import MonitorsSnapshot

__all__ = ["as_line", "as_table", "notes_on", "print_costs"]

_MOST_SEGMENTS = 20
"""Segments of a model that the table shows."""

_SHOWN = {"MSE": "mse", "RMSE": "rmse", "MAE": "mae", "bias": "bias", "R²": "r2"}


def as_table(
    snapshot: MonitorsSnapshot,
    units: Mapping[str, str] | None = None,
    most: int | None = None,
) -> Table:
    """Return the costs as a table; the names of what there is but one of are left out.

    Parameters
    ----------
    snapshot
        What was read.
    units
        Those of the models, for one more column.
    most
        So many segments of each model, ``None`` for all.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = ["model"]
    names += ["segment"] * any(len(monitor.segments) > 1 for monitor in snapshot.monitors)
    names += ["window"] * any(len(monitor.windows) > 1 for monitor in snapshot.monitors)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in ("events", *_SHOWN):
        table.add_column(name, justify="right", no_wrap=True)
    if units:
        table.add_column("unit")
    for monitor in snapshot.monitors:
        for row in rows_of(monitor, most):
            texts = [Text(_named(row)[name]) for name in names]
            unit = [units.get(row.model, "")] if units else []
            table.add_row(*texts, f"{row.n:,}", *_numbers(row), *unit)
    return table


def print_costs(snapshot: MonitorsSnapshot) -> Console:
    """Print the table and what it does not show; return where, for more."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    if snapshot.events:
        units = {monitor.model: monitor.unit for monitor in snapshot.monitors if monitor.unit}
        console.print(as_table(snapshot, units, _MOST_SEGMENTS))
        for note in notes_on(snapshot, _MOST_SEGMENTS):
            console.print(note, style="dim")
    else:
        console.print("no event could be scored", style="bold red")
    return console


def notes_on(snapshot: MonitorsSnapshot, most: int) -> Iterator[str]:
    """Yield what a table with so many segments of each model does not show."""
    for monitor in snapshot.monitors:
        model = printable(monitor.model)
        if (more := len(worst_segments(monitor, LIFETIME)) - most) > 0:
            yield f"{model}: {more:,} more segments, which cost less; --json shows all"
        if monitor.overflowed:
            yield f"{model}: {monitor.overflowed:,} events of further segments are in segment=other"


def as_line(snapshot: MonitorsSnapshot) -> str:
    """Return all in one line: what was seen, refused, and the RMSE of each model."""
    refused = snapshot.all_rejected.total()
    costs = ", ".join(
        f"{printable(monitor.model)} n={cost.n:,} rmse={cost.rmse:.6g} {monitor.unit}".rstrip()
        for monitor in snapshot.monitors
        if (cost := monitor.pooled).n
    )
    return f"{snapshot.events:,} events, {refused:,} refused" + (f"; {costs}" if costs else "")


def _named(row: Row) -> dict[str, str]:
    return {
        "model": printable(f"{row.model} › {row.output}" if row.output else row.model),
        "segment": printable(" ".join(f"{name}={value}" for name, value in row.segment.items())),
        "window": row.window,
    }


def _numbers(row: Row) -> list[str]:
    values = [row.numbers[name] for name in _SHOWN.values()]
    return ["–" if math.isnan(value) else f"{value:,.6g}" for value in values]
