"""What one event costs."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from river import metrics

from benchmarks.pairs import Table, time_pair
from losswatch import Cost
from losswatch.river import MSE

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = 300_000


def measure() -> Table:
    """Feed the same events, one by one, to ours and to river's; summing up is included."""
    rng = random.Random(1)
    truth = [rng.gauss(100, 15) for _ in range(EVENTS)]
    predicted = [y + rng.gauss(0, 3) for y in truth]
    exact = sum(Fraction((y - p) ** 2) for y, p in zip(truth, predicted, strict=True)) / EVENTS

    def feed(make: Callable[[], Any], read: str) -> Callable[[], float]:
        def run() -> float:
            metric = make()
            update = metric.update
            for y_true, y_pred in zip(truth, predicted, strict=True):
                update(y_true, y_pred)
            value = getattr(metric, read)
            return float(value() if callable(value) else value)

        return run

    river = feed(metrics.MSE, "get")
    rows = []
    for name, make, read in (
        ("`Cost.update`", Cost, "mse"),
        ("`losswatch.river.MSE.update`", MSE, "get"),
    ):
        ours = feed(make, read)
        pair = time_pair(ours, river)
        mine, theirs = pair.median(1e-9 * EVENTS)
        errors = (f"{abs(float(Fraction(run()) / exact - 1)):.1e}" for run in (ours, river))
        rows.append((name, mine, theirs, pair.ratio, *errors))
    return Table(
        "One event: ours against `river.metrics.MSE.update`",
        ("what", "ours, ns", "river, ns", "ratio", "our error", "river's error"),
        rows,
    )
