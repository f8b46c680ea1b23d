"""What one event of a window costs, and what is right after a spike has left it."""

from __future__ import annotations

import datetime as dt
import math
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from river import metrics, utils

from benchmarks.pairs import Table, time_pair
from losswatch.core.rolling import RollingCost
from losswatch.river import RMSE, Rolling

if TYPE_CHECKING:
    from collections.abc import Callable

Row = tuple[str, ...]

WINDOW = 1000
EVENTS = 50_000
LONG = 10_000
"""Events in the window of time."""
TIMED = 1000
"""Events timed with that window full: river takes long for each."""
RUNS = 200
SECOND = dt.timedelta(seconds=1)
START = dt.datetime(2024, 1, 1)  # noqa: DTZ001  # river takes naive times only


def measure() -> Table:
    """Feed the same events to ours and to river's, read seldom and often."""
    rng = random.Random(1)
    truth = [rng.gauss(100, 15) for _ in range(EVENTS)]
    events = [(y, y + rng.gauss(0, 3)) for y in truth]
    river = spoiled(lambda: utils.Rolling(metrics.RMSE, window_size=100), lambda r: r.get())
    ours = spoiled(lambda: RollingCost(100), lambda r: r.rmse)
    adapter = spoiled(lambda: Rolling(RMSE, window_size=100), lambda r: r.get())
    rows: list[Row] = []
    for how, every in ((f"read every {WINDOW}th event", WINDOW), ("read after each event", 1)):
        peer = feed(lambda: utils.Rolling(metrics.RMSE, window_size=WINDOW), events, every)
        for name, make, quality in (
            ("`RollingCost`", lambda: RollingCost(WINDOW), ours),
            ("`losswatch.river.Rolling`", lambda: Rolling(RMSE, window_size=WINDOW), adapter),
        ):
            pair = time_pair(feed(make, events, every), peer)
            numbers = (*pair.median(1e-9 * EVENTS), pair.ratio)
            rows.append((f"{name} of {WINDOW:,}, {how}", *numbers, quality, river))
    return Table(
        f"The last {WINDOW:,} events: ours against river's `Rolling` of `RMSE`",
        ("what", "ours, ns", "river, ns", "ratio", "ours spoiled", "river spoiled"),
        rows,
        note=f"Spoiled: of {RUNS} runs of 300 unit errors and one of 1e6 to 1e10, window 100, how"
        " many end more than 1 % off or complex once that has left, and the largest error.",
    )


def feed(
    make: Callable[[], Any], events: list[tuple[float, float]], every: int
) -> Callable[[], None]:
    """Return what updates a fresh window with all events, and reads it now and then."""
    parts = [events[start : start + every] for start in range(0, len(events), every)]

    def run() -> None:
        window = make()
        update, read = window.update, getattr(window, "get", None) or (lambda: window.rmse)
        for part in parts:
            for y_true, y_pred in part:
                update(y_true, y_pred)
            read()

    return run


def spoiled(
    make: Callable[[], Any],
    read: Callable[[Any], Any],
    when: Callable[[int], dict[str, Any]] = lambda _: {},
) -> str:
    """Return how many runs of 300 events end wrong, and by how much, after one spike."""
    rng = random.Random(2)
    wrong = is_complex = 0
    largest = 0.0
    for _ in range(RUNS):
        errors = [rng.gauss(0, 1) for _ in range(300)]
        errors[rng.randrange(200)] = 10.0 ** rng.uniform(6, 10)
        window = make()
        for at, error in enumerate(errors):
            window.update(error, 0.0, **when(at))
        exact = math.sqrt(sum(Fraction(error * error) for error in errors[-100:]) / 100)
        value = read(window)
        is_complex += isinstance(value, complex)
        off = abs(value / exact - 1)
        wrong += off > 0.01
        largest = max(largest, off)
    return f"{wrong} wrong, {is_complex} of them complex; {largest:.1e}"
