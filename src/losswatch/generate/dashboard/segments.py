"""Which segment is it? Those with the largest loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.panel import Panel, Query, Row

if TYPE_CHECKING:
    from losswatch.generate.dashboard.asking import Asking

__all__ = ["segments_row"]

_MOST = 10
_WINDOW = "1h"


def segments_row(asking: Asking) -> Row:
    """Return the row, without panels where no model has segments."""
    panels = (_share(asking), _worst(asking), _history(asking)) if asking.labels else ()
    return Row("Which segment?", panels)


def _losses(asking: Asking) -> str:
    return asking.pooled("sum", _WINDOW, asking.segment, asking.split)


def _share(asking: Asking) -> Panel:
    every = f"(sum by (model) (rate({asking.losses('sum', asking.split)}[{_WINDOW}])) > 0)"
    return Panel(
        f"Share of the loss, {_WINDOW}",
        f"Which part of all squared error of a model came from each segment in {_WINDOW}: the"
        f" {_MOST} largest. Whoever mends these mends the model.",
        (
            Query(
                f"topk({_MOST}, {_losses(asking)} / on (model) group_left () {every})",
                asking.segment_name,
            ),
        ),
        kind="bars",
        measure="share",
        width=8,
    )


def _worst(asking: Asking) -> Panel:
    return Panel(
        f"Largest RMSE, {_WINDOW}",
        f"The {_MOST} segments with the largest RMSE of {_WINDOW}. One of few events may be here by"
        " chance: look at its share.",
        (
            Query(
                f"topk({_MOST}, {asking.rmse(_WINDOW, asking.segment, asking.split)})",
                asking.segment_name,
            ),
        ),
        kind="bars",
        measure="error",
        width=8,
    )


def _history(asking: Asking) -> Panel:
    largest = (
        f"topk({_MOST}, sum by ({', '.join(asking.segment)})"
        f" (rate({asking.losses('sum', asking.split)}[{_WINDOW}] @ end())))"
    )
    rmse = asking.rmse(asking.soon, asking.segment, asking.split)
    on = ", ".join(asking.segment)
    return Panel(
        "RMSE of the segments with the largest loss",
        f"The {_MOST} segments with the largest loss at the end of the time that is shown, over"
        f" {asking.soon}.",
        (Query(f"{rmse} and on ({on}) {largest}", asking.segment_name),),
        measure="error",
        width=8,
    )
