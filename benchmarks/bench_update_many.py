"""What ten million events in columns cost."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from benchmarks.pairs import Table, time_pair
from losswatch import Cost

Floats = NDArray[np.float64]

EVENTS = 10_000_000


def measure() -> Table:
    """Compare with NumPy's own mean, on losses with and without heavy tails."""
    rng = np.random.default_rng(1)
    rows = []
    for name, noise in (
        ("Gaussian errors", rng.normal(0, 3, EVENTS)),
        ("Student t3 errors", rng.standard_t(3, EVENTS)),
        ("16 decades of errors", 10.0 ** rng.uniform(-8, 8, EVENTS)),
    ):
        truth = rng.normal(100, 15, EVENTS)
        predicted = truth + noise

        def ours(truth: Floats = truth, predicted: Floats = predicted) -> float:
            cost = Cost()
            cost.update_many(truth, predicted)
            return cost.mse

        def numpy(truth: Floats = truth, predicted: Floats = predicted) -> float:
            return float(((truth - predicted) ** 2).mean())

        pair = time_pair(ours, numpy, rounds=7)
        mine, theirs = pair.median(1e-9 * EVENTS)
        exact = _exact(truth, predicted)
        errors = (f"{abs(float(Fraction(run()) / exact - 1)):.1e}" for run in (ours, numpy))
        rows.append((name, mine, theirs, pair.ratio, *errors))
    return Table(
        "10⁷ events: `Cost.update_many` against `((y - p) ** 2).mean()`",
        ("what", "ours, ns an event", "NumPy, ns", "ratio", "our error", "NumPy's error"),
        rows,
    )


def _exact(truth: Floats, predicted: Floats) -> Fraction:
    """Return the mean to 100 bits and more, by another way than ours."""
    losses: list[float] = ((truth - predicted) ** 2).tolist()
    high = math.fsum(losses)
    return (Fraction(high) + Fraction(math.fsum([*losses, -high]))) / len(losses)
