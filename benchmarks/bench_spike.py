"""What a rolling RMSE reads after outliers have left its window."""

from __future__ import annotations

import math
import random
from collections import deque
from fractions import Fraction
from itertools import pairwise
from typing import Any

from river import metrics, utils

import losswatch.river
from benchmarks.charts import Line, Lines
from benchmarks.pairs import Table

EVENTS, WINDOW = 1_000, 100
SPIKES = {200: 1e2, 400: 1e4, 600: 1e6, 800: 1e8}
NOISE = 1e-3

NOTE = f"""\
Gaussian errors of {NOISE:g} with four outliers, and the RMSE of the last {WINDOW} events, read
after each. As long as an outlier is in the window, all agree. The table has what is read from the
moment that the outlier has left until the next one comes: the worst relative error, and how many
readings were no real number (river takes the square root of a mean that has become negative, and
Python makes that complex). Other draws differ in numbers, not in kind."""


def measure() -> Table:
    """Read ours, river's and the exact rolling RMSE after each event."""
    rng = random.Random(1)
    errors = [SPIKES.get(index) or rng.gauss(0, NOISE) for index in range(EVENTS)]
    exact = _exact(errors)
    ours, river = _read(_our_rolling(), errors), _read(_river_rolling(), errors)
    rows = []
    for start, stop in pairwise([*SPIKES, EVENTS]):
        after = range(start + WINDOW, stop)
        cells = [cell for found in (ours, river) for cell in _judge(found, exact, after)]
        rows.append((_power(SPIKES[start]), *cells))
    header = ("outlier", "our worst error", "no number", "river's worst error", "no number")
    return Table(
        "What does a rolling RMSE read after an outlier has left?",
        header,
        rows,
        NOTE,
        [_chart(ours, river, exact)],
    )


def _our_rolling() -> Any:
    return losswatch.river.Rolling(losswatch.river.RMSE, window_size=WINDOW)


def _river_rolling() -> Any:
    return utils.Rolling(metrics.RMSE, window_size=WINDOW)


def _read(rolling: Any, errors: list[float]) -> list[float]:
    """Return the RMSE after each event; NaN where it is complex."""
    readings = []
    for error in errors:
        rolling.update(error, 0.0)
        rmse = rolling.get()
        readings.append(math.nan if isinstance(rmse, complex) else rmse)
    return readings


def _exact(errors: list[float]) -> list[float]:
    total = Fraction(0)
    window: deque[Fraction] = deque()
    readings = []
    for error in errors:
        window.append(Fraction(error * error))
        total += window[-1]
        if len(window) > WINDOW:
            total -= window.popleft()
        readings.append(math.sqrt(total / len(window)))
    return readings


def _judge(found: list[float], exact: list[float], where: range) -> tuple[str, str]:
    """Return the worst relative error and how many readings are no number."""
    real = [index for index in where if not math.isnan(found[index])]
    worst = max((abs(found[i] / exact[i] - 1) for i in real), default=math.nan)
    return "–" if math.isnan(worst) else f"{worst:.1e}", f"{len(where) - len(real)} of {len(where)}"


def _chart(ours: list[float], river: list[float], exact: list[float]) -> Lines:
    events = range(EVENTS)
    complex_at = [index for index in events if math.isnan(river[index])]
    return Lines(
        "spike.svg",
        "What does a rolling RMSE read after an outlier has left?",
        "events",
        f"RMSE of the last {WINDOW} events (log scale)",
        [
            Line("exact", "exact", events, exact),
            Line("river", "peer", events, river, complex_at, "complex"),
            Line("losswatch", "ours", events, ours),
        ],
        notes={index: f"outlier {_power(size)}" for index, size in SPIKES.items()},
    )


def _power(size: float) -> str:
    return f"10{'⁰¹²³⁴⁵⁶⁷⁸⁹'[round(math.log10(size))]}"
