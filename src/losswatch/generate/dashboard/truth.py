"""Is the truth arriving? What waits, what came, what never did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.health import coverage
from losswatch.generate.dashboard.panel import Panel, Query, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.generate.dashboard.asking import Asking

__all__ = ["truth_row"]


def truth_row(asking: Asking) -> Row:
    """Return the row: any record may have an id, so the join is always there."""
    panels = [_pending(asking), _age(asking), _delay(asking), _coverage(asking)]
    panels += [_given_up(asking), _refused()]
    if asking.watched.kafka:
        panels += _kafka(asking)
    return Row("Is the truth arriving?", tuple(panels))


def _pending(asking: Asking) -> Panel:
    return Panel(
        "Waiting",
        "Predictions that wait for their truth, and truths that wait for their prediction. If these"
        " grow together, ids do not match.",
        tuple(
            Query(
                f"sum by (model) (losswatch_{kind}_pending{asking.model})", f"{{{{model}}}} {kind}"
            )
            for kind in ("predictions", "truths")
        ),
    )


def _age(asking: Asking) -> Panel:
    return Panel(
        "Since the last",
        "How long ago the last prediction and the last truth with an id arrived. If only the second"
        " line climbs, the truths have stopped.",
        tuple(
            Query(
                f"time() - max by (model) (losswatch_last_{kind}_timestamp_seconds{asking.model})",
                f"{{{{model}}}} {kind}",
            )
            for kind in ("prediction", "truth")
        ),
        measure="seconds",
    )


def _delay(asking: Asking) -> Panel:
    counts = f"sum by (model, le) (rate(losswatch_truth_delay_seconds_bucket{asking.model}[1h]))"
    return Panel(
        "Delay of truths, 1h",
        "How long predictions waited for their truth: half of them less than the first, 5% longer"
        " than the second.",
        tuple(
            Query(f"histogram_quantile({q}, {counts})", f"{{{{model}}}} {title}")
            for q, title in (("0.5", "median"), ("0.95", "95%"))
        ),
        measure="seconds",
    )


def _coverage(asking: Asking) -> Panel:
    return Panel(
        "Coverage, 1h",
        "Predictions that were scored in an hour by those that were made in it. Above 100% while a"
        " backlog is worked off.",
        (Query(coverage(asking, ("model",)), "{{model}}"),),
        measure="share",
    )


def _given_up(asking: Asking) -> Panel:
    counters = {"predictions": "predictions_expired", "truths": "truths_unmatched"}
    return Panel(
        "Given up, 1h",
        "Predictions whose truth did not come, and truths whose prediction did not, by reason: ttl,"
        " or limit where more than join.pending waited.",
        tuple(
            Query(
                f"sum by (model, reason) (increase(losswatch_{counter}_total{asking.model}[1h]))",
                f"{{{{model}}}} {kind} {{{{reason}}}}",
            )
            for kind, counter in counters.items()
        ),
    )


def _refused() -> Panel:
    known = '{job="$job",model=~"$model|"}'
    return Panel(
        "Refused, 1h",
        "Records that were refused, by reason; the log has examples of each. Those without a model"
        " name none that is known. Empty if there were none.",
        (
            Query(
                "sum by (model, reason)"
                f" (increase(losswatch_rejected_events_total{known}[1h])) > 0",
                "{{model}} {{reason}}",
            ),
        ),
        nothing="none",
    )


def _kafka(asking: Asking) -> Iterator[Panel]:
    yield Panel(
        "Lag of Kafka",
        "Messages that were not read yet. If it grows, what is shown is of the past.",
        (
            Query(
                f"sum by (topic, partition) (losswatch_kafka_lag_messages{asking.job})",
                "{{topic}} {{partition}}",
            ),
        ),
        width=12,
    )
    lost = f"losswatch_kafka_lost_messages_total{asking.job}"
    # The first loss begins the series: an increase needs a sample before.
    since = f"({lost} unless {lost} offset 1h) or increase({lost}[1h])"
    yield Panel(
        "Lost by Kafka, 1h",
        "Messages that the broker deleted before they were read: they are in no cost.",
        (Query(f"sum by (topic) ({since})", "{{topic}}"),),
        nothing="none",
        limits=((1, "red"),),
        width=12,
    )
