"""Is it healthy now? One number a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.panel import Panel, Query, Row

if TYPE_CHECKING:
    from losswatch.generate.dashboard.asking import Asking

__all__ = ["health_row"]


def health_row(asking: Asking) -> Row:
    """Return the row: one number a panel."""
    panels = [
        *([_alarms(asking)] if asking.has("alarms") else []),
        *([_objective(asking)] if asking.has("objective") else []),
        _rmse(asking),
        _rate(asking),
        _age(asking),
        _coverage(asking),
        _down(asking),
    ]
    return Row("Is it healthy now?", tuple(panels))


def _alarms(asking: Asking) -> Panel:
    each = f"max by ({', '.join(asking.alarm)}) (losswatch_alarm_active{asking.model})"
    return Panel(
        "Alarms on",
        "How many alarms of losswatch are on, each counted once whatever its severities. An alarm"
        " stays on until there is evidence that the error is low again.",
        (Query(f"sum({each})"),),
        kind="number",
        limits=((1, "red"),),
        width=3,
    )


def _objective(asking: Asking) -> Panel:
    on = ", ".join(asking.of)
    return Panel(
        "RMSE against the objective",
        f"The RMSE of the last {asking.soon}, divided by max_rmse of the objective: above 100% it"
        " is worse than what is acceptable.",
        (
            Query(
                f"sqrt({asking.mse(asking.soon)} / on ({on}) ({asking.objective}))",
                asking.name,
            ),
        ),
        kind="number",
        measure="share",
        limits=((0.8, "yellow"), (1, "red")),
        width=5,
    )


def _rmse(asking: Asking) -> Panel:
    return Panel(
        f"RMSE of {asking.soon}",
        "Of all processes together: the sums of their losses by the sums of their events. Without"
        " events there is no error, and no number here.",
        (Query(asking.rmse(asking.soon), asking.name),),
        kind="number",
        measure="error",
        width=4,
    )


def _rate(asking: Asking) -> Panel:
    return Panel(
        "Events a second",
        f"Events that were scored in the last {asking.soon}, a second.",
        (Query(asking.events(asking.soon), "{{model}}"),),
        kind="number",
        measure="rate",
        width=3,
    )


def _age(asking: Asking) -> Panel:
    last = f"max by (model) (losswatch_last_event_timestamp_seconds{asking.model})"
    return Panel(
        "Last event",
        "How long ago the last event was scored. If that is long, what is shown is of the past.",
        (Query(f"time() - {last}", "{{model}}"),),
        kind="number",
        measure="seconds",
        nothing="no event yet",
        width=3,
    )


def _coverage(asking: Asking) -> Panel:
    return Panel(
        "Coverage of 1h",
        "Predictions with an id that were scored in the last hour, by those that were made in it."
        " A low RMSE of few of them is worth little.",
        (Query(coverage(asking, ("model",)), "{{model}}"),),
        kind="number",
        measure="share",
        nothing="no ids",
        width=3,
    )


def coverage(asking: Asking, by: tuple[str, ...]) -> str:
    """Return the share of the predictions of the last hour that were scored in it."""
    scored, made = (
        f"sum by ({', '.join(by)}) (rate(losswatch_predictions{part}_total{asking.model}[1h]))"
        for part in ("_scored", "")
    )
    return f"{scored} / ({made} > 0)"


def _down(asking: Asking) -> Panel:
    return Panel(
        "Processes down",
        "Targets of the job that Prometheus cannot scrape. Nobody knows what they see.",
        (Query(f"count(up{asking.job}) - sum(up{asking.job})"),),
        kind="number",
        limits=((1, "red"),),
        nothing="no target",
        width=3,
    )
