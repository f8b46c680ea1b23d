"""The cost of each model, for people and for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from losswatch.core.ledger import LIFETIME
from losswatch.service.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from losswatch.core.cost import Cost
    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.core.snapshot import Snapshot

__all__ = ["as_json", "as_line", "as_table"]


def as_table(snapshot: MonitorsSnapshot, units: Mapping[str, str] | None = None) -> Table:
    """Return the costs as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model")
    for name in ("events", "MSE", "RMSE", "MAE", "bias"):
        table.add_column(name, justify="right", no_wrap=True)
    if units:
        table.add_column("unit")
    for monitor in snapshot.monitors:
        for output, cost in _costs(monitor):
            name = printable(f"{monitor.model} › {output}" if output else monitor.model)
            unit = [units.get(monitor.model, "")] if units else []
            table.add_row(Text(name), f"{cost.n:,}", *_numbers(cost), *unit)
    return table


def as_json(snapshot: MonitorsSnapshot) -> list[dict[str, object]]:
    """Return the costs as plain data; a number that does not exist is ``None``."""
    return [
        {
            "model": monitor.model,
            **({"output": output} if output else {}),
            "window": LIFETIME,
            "n": cost.n,
            **{
                name: value if math.isfinite(value := getattr(cost, name)) else None
                for name in ("weight", "mse", "rmse", "mae", "bias")
            },
        }
        for monitor in snapshot.monitors
        for output, cost in _costs(monitor)
    ]


def as_line(snapshot: MonitorsSnapshot) -> str:
    """Return all in one line: what was seen, refused, and the RMSE of each model."""
    refused = snapshot.all_rejected.total()
    costs = ", ".join(
        f"{printable(monitor.model)} n={cost.n:,} rmse={cost.rmse:.6g} {monitor.unit}".rstrip()
        for monitor in snapshot.monitors
        if (cost := monitor.pooled).n
    )
    return f"{snapshot.events:,} events, {refused:,} refused" + (f"; {costs}" if costs else "")


def _costs(monitor: Snapshot) -> Iterator[tuple[str, Cost]]:
    """Yield the pooled cost, then those of the outputs if there are several."""
    yield "", monitor.pooled
    if len(monitor.outputs) > 1:
        for output in monitor.outputs:
            yield output, monitor.cost(output)


def _numbers(cost: Cost) -> list[str]:
    if not cost.n:
        return ["–"] * 4
    return [f"{value:,.6g}" for value in (cost.mse, cost.rmse, cost.mae, cost.bias)]
