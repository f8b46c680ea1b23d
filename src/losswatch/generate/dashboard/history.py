"""Since when is it not healthy? The error, alarms and burn rates over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.panel import Panel, Query, Row
from losswatch.generate.errors import BURNS
from losswatch.generate.rates import MEAN, OBJECTIVE
from losswatch.generate.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.generate.dashboard.asking import Asking

__all__ = ["history_row"]

_MOST = 20
"""Alarms in one panel: each segment may have its own."""


def history_row(asking: Asking) -> Row:
    """Return the row: the error, alarms, and burn rates over time."""
    panels = [_rmse(asking), *_bias(asking), *_other_windows(asking)]
    if asking.has("alarms"):
        panels += _alarms(asking)
    if asking.has("objective"):
        panels.append(_burn(asking))
    return Row("Since when is it not?", tuple(panels))


def _rmse(asking: Asking) -> Panel:
    queries = [
        Query(asking.rmse(window), f"{asking.name} {label}")
        for label, window in asking.windows().items()
    ]
    if asking.has("objective"):
        queries.append(Query(f"sqrt({asking.objective})", f"{asking.name} objective"))
    return Panel(
        "RMSE",
        "Of each window, over all processes and the segments that are chosen. The short windows"
        " tell when it began, the long ones whether it matters. A gap: there were no events.",
        tuple(queries),
        measure="error",
        width=12,
    )


def _bias(asking: Asking) -> Iterator[Panel]:
    """Yield the two parts of the MSE in the shortest window of each model."""
    name, shortest = f"{asking.name} {{{{instance}}}}", asking.shortest()
    parts = {"bias": "losswatch_bias%s", "spread": "sqrt(losswatch_error_variance%s)"}
    yield Panel(
        f"Bias and spread, {' or '.join(shortest)}",
        "What the error is made of, of each process by itself: mse = bias² + spread². A bias far"
        " from 0: predictions or truths have shifted; above 0 predictions are too low. A larger"
        " spread: they are noisier.",
        tuple(
            Query(expr % asking.whole(f"window={quoted(window)}", *models), f"{name} {part}")
            for window, models in shortest.items()
            for part, expr in parts.items()
        ),
        measure="error",
        width=12,
    )


def _other_windows(asking: Asking) -> Iterator[Panel]:
    """Yield what Prometheus cannot compute: of events, half-lives, the calendar, some seconds."""
    if others := asking.other_windows():
        labels = "|".join(others)
        yield Panel(
            "RMSE of other windows",
            "Windows that losswatch alone knows, of each process by itself: they cannot be pooled.",
            (
                Query(
                    f"losswatch_rmse{asking.whole(f'window=~{quoted(labels)}')}",
                    f"{asking.name} {{{{window}}}} {{{{instance}}}}",
                ),
            ),
            measure="error",
            width=12,
        )


def _alarms(asking: Asking) -> Iterator[Panel]:
    labels, by, name = asking.model, ", ".join(asking.alarm), asking.alarm_name
    if asking.has("promised"):
        evidence = f"max by ({by}, severity) (losswatch_alarm_evidence_ratio{labels})"
        yield Panel(
            "Evidence of alarms",
            "How near each alarm is, on the scale of logs: 0 where nothing speaks for a fault, 1 is"
            f" on. The {_MOST} nearest.",
            (Query(f"topk({_MOST}, {evidence})", f"{name} {{{{severity}}}}"),),
            limits=((1, "red"),),
            width=12,
        )
    active = f"max by ({by}, severity) (losswatch_alarm_active{labels})"
    yield Panel(
        "Alarms",
        f"When each alarm was on; {_MOST} at most, those that are on first. What was changed when"
        " it began?",
        (Query(f"topk({_MOST}, {active})", f"{name} {{{{severity}}}}"),),
        kind="states",
        limits=((1, "red"),),
        width=8,
    )
    since = f"min by ({by}) (losswatch_alarm_since_timestamp_seconds{labels})"
    yield Panel(
        "On since",
        "Of the alarms that are on.",
        (Query(f"1000 * {since}", name),),
        kind="number",
        measure="since",
        nothing="none is on",
        width=4,
    )


def _burn(asking: Asking) -> Panel:
    queries = [
        Query(
            f"{MEAN}{burn.long}{asking.model} / {OBJECTIVE}{asking.model}",
            f"{asking.name} {burn.long}",
        )
        for burn in BURNS
    ]
    lines = ((float(BURNS[-1].factor), "yellow"), (float(BURNS[0].factor), "red"))
    return Panel(
        "Burn rates",
        "The MSE by the square of max_rmse, in the long windows of the alerts: at 1 the budget of"
        f" 30 days lasts 30 days, at {BURNS[0].factor} for 50 hours. From the series that the rules"
        " of `losswatch rules` record: without them this is empty.",
        tuple(queries),
        measure="times",
        limits=lines,
        width=12,
    )
