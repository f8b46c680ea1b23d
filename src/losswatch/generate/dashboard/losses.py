"""Which events are it? A few or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.panel import Panel, Query, Row

if TYPE_CHECKING:
    from losswatch.generate.dashboard.asking import Asking

__all__ = ["losses_row"]


def losses_row(asking: Asking) -> Row:
    """Return the row: how losses are spread, and how many there are."""
    return Row("Which events?", (_histogram(asking), _quantiles(asking), _events(asking)))


def _histogram(asking: Asking) -> Panel:
    counts = f"sum by (le) (increase({asking.losses('bucket')}[$__rate_interval]))"
    return Panel(
        "Losses",
        "How many events had which squared error. A few far above the others: look at them one by"
        " one; dots name the prediction_id of costly events where a monitor has exemplars. All of"
        " them higher: the model, or what it is fed with.",
        (Query(counts, "{{le}}"),),
        kind="heat",
        measure="loss",
        width=12,
    )


def _quantiles(asking: Asking) -> Panel:
    counts = asking.pooled("bucket", asking.soon, (*asking.of, "le"))
    return Panel(
        f"Error of most and of the worst, {asking.soon}",
        "Half of the errors are below the first, 1% are above the second: as near as the buckets"
        " tell. If only the second rises, it is a few events.",
        tuple(
            Query(f"sqrt(histogram_quantile({q}, {counts}))", f"{asking.name} {title}")
            for q, title in (("0.5", "median"), ("0.99", "99%"))
        ),
        measure="error",
        width=6,
    )


def _events(asking: Asking) -> Panel:
    return Panel(
        "Events a second",
        "What was scored. A step here and one in the error at the same time: other traffic.",
        (Query(asking.events("$__rate_interval"), "{{model}}"),),
        measure="rate",
        width=6,
    )
