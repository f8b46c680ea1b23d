"""Streams that hurt, and the truth about them in fractions."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from losswatch import Cost


class Event(NamedTuple):
    y_true: float
    y_pred: float
    w: float = 1.0


class Truth(NamedTuple):
    """What a cost of some events must read, each number rounded once."""

    n: int
    weight: float
    mse: float
    rmse: float
    mae: float
    bias: float


def truth(events: list[Event]) -> Truth:
    """Compute the cost of events by the law: terms in float64, sums in fractions."""
    n, weight, loss, error, absolute = 0, Fraction(0), Fraction(0), Fraction(0), Fraction(0)
    for y_true, y_pred, w in events:
        if w == 0:
            continue
        n += 1
        e = y_true - y_pred
        weight += Fraction(w)
        loss += Fraction(w * (e * e))
        error += Fraction(w * e)
        absolute += Fraction(w * abs(e))
    if not n:
        return Truth(0, 0.0, math.nan, math.nan, math.nan, math.nan)
    mse = float(loss / weight)
    means = (mse, math.sqrt(mse), float(absolute / weight), float(error / weight))
    return Truth(n, float(weight), *means)


def reading(cost) -> Truth:
    """Read a cost into the same shape."""
    return Truth(cost.n, cost.weight, cost.mse, cost.rmse, cost.mae, cost.bias)


def same(found: Truth, wanted: Truth) -> bool:
    """Tell whether two readings are the same bits; NaN is the same as NaN."""
    return all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(found, wanted, strict=True)
    )


def _gauss(seed: int, n: int, *, weights: bool = False) -> list[Event]:
    rng = random.Random(seed)
    return [
        Event(y := rng.gauss(100, 15), y + rng.gauss(0, 1), rng.expovariate(1) if weights else 1)
        for _ in range(n)
    ]


def _decades(seed: int, n: int) -> list[Event]:
    rng = random.Random(seed)
    return [Event(rng.choice((-1, 1)) * 10.0 ** rng.uniform(-150, 150), 0.0) for _ in range(n)]


STREAMS = {
    "empty": [],
    "one event": [Event(10.0, 12.0)],
    "all right": [Event(1.5, 1.5)] * 50,
    "constant": [Event(0.1, 0.4)] * 1000,
    "huge offset": [Event(1e15 + i, 1e15 + i + 0.5) for i in range(500)],
    "gauss": _gauss(1, 3000),
    "gauss, many": _gauss(2, 40_000),
    "weighted": _gauss(3, 3000, weights=True),
    "zero weights": [Event(1.0, 3.0, 0.0)] * 10 + [Event(1.0, 3.0, 2.0)] + [Event(9.0, 1.0, 0.0)],
    "spike, then quiet": [Event(0.0, 1e9)] + [Event(0.0, 1e-9)] * 2000,
    "quiet, then spikes": [Event(0.0, 1e-9)] * 2000 + [Event(0.0, 10.0**k) for k in range(150)],
    "tiny errors": [Event(1e-170 * i, 0.0) for i in range(600)],
    "subnormal losses": [Event(1e-160 * (1 + i / 7), 0.0) for i in range(600)],
    "300 decades": _decades(4, 5000),
    "sums beyond float64": [Event(1.3e154, 0.0), Event(0.0, 1.3e154)] * 300,
    "tiny and huge weights": [Event(1.0, 2.0, 5e-324), Event(3.0, 1.0, 1e300)] * 400,
    "cancelling": [Event(1e8, 0.0), Event(0.0, 1e8), Event(1e-8, 0.0)] * 300,
}

finite = st.floats(min_value=-1e150, max_value=1e150, allow_nan=False)
moderate = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False, width=32)
weights = st.one_of(st.just(1.0), st.just(0.0), st.floats(min_value=0, max_value=1e6))
events = st.lists(
    st.builds(Event, st.one_of(finite, moderate), st.one_of(finite, moderate), weights), max_size=60
)


def cost_of(stream) -> Cost:
    cost = Cost()
    for event in stream:
        cost.update(*event)
    return cost


def columns(stream):
    return tuple(np.array(column, dtype=float) for column in zip(*stream, strict=True)) or ([], [])
