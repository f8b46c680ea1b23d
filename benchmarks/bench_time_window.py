"""What an event costs in a window of time, by how many events are in it."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import statistics
from typing import TYPE_CHECKING, Any

from river import metrics, utils

from benchmarks.charts import Line, Lines
from benchmarks.pairs import Table, time_pair
from losswatch.core.time_rolling import TimeRollingCost
from losswatch.river import RMSE, TimeRolling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUESTION = "What does an event cost in a window of time?"
SIZES = (100, 1_000, 10_000)
EVENTS = 2_000
START = dt.datetime(2026, 1, 31)  # noqa: DTZ001  # river refuses aware times
SECOND = dt.timedelta(seconds=1)

NOTE = f"""\
The RMSE of a full window, one event a second: the median of rounds of {EVENTS:,} events, without
reading it and with reading it after each event, as the plot shows.
`river.utils.TimeRolling` copies its window for each event that leaves."""


def measure() -> Table:
    """Time river's window beside ours, the metric and the plain cost."""
    rows = []
    lines: dict[str, list[float]] = {"ours": [], "peer": []}
    for read, size in itertools.product((False, True), SIZES):
        river = _metric(utils.TimeRolling(metrics.RMSE, period=size * SECOND), size, read=read)
        ours = _metric(TimeRolling(RMSE, period=size * SECOND), size, read=read)
        pairs = [time_pair(run, river, rounds=5) for run in (ours, _cost(size, read=read))]
        what = f"{size:,}, {'read after each' if read else 'not read'}"
        numbers = [cell for pair in pairs for cell in (pair.median(1e-6 * EVENTS)[0], pair.ratio)]
        rows.append((what, pairs[0].median(1e-6 * EVENTS)[1], *numbers))
        if read:
            lines["ours"].append(statistics.median(pairs[0].ours) * 1e6 / EVENTS)
            lines["peer"].append(statistics.median(pairs[0].peer) * 1e6 / EVENTS)
    header = (
        "events in the window",
        "river, µs",
        "`river.TimeRolling` of ours, µs",
        "ratio",
        "`TimeRollingCost`, µs",
        "ratio",
    )
    return Table(QUESTION, header, rows, NOTE, [_chart(lines)])


def _metric(window: Any, size: int, *, read: bool) -> Callable[[], None]:
    """Return what gives more events to a full metric, time going on."""
    times = _dates()
    add = lambda error: window.update(error, 0.0, t=next(times))  # noqa: E731
    return _feed(add, window.get if read else None, size)


def _cost(size: int, *, read: bool) -> Callable[[], None]:
    """Return what gives more events to a full cost, time going on."""
    cost, times = TimeRollingCost(float(size)), map(float, itertools.count())
    add = lambda error: cost.update(error, 0.0, time=next(times))  # noqa: E731
    return _feed(add, (lambda: cost.rmse) if read else None, size)


def _feed(
    add: Callable[[float], object], get: Callable[[], object] | None, size: int
) -> Callable[[], None]:
    rng = random.Random(1)
    errors = [rng.gauss(0, 1) for _ in range(EVENTS)]
    for index in range(size):
        add(errors[index % EVENTS])

    def run() -> None:
        for error in errors:
            add(error)
            if get is not None:
                get()

    return run


def _dates() -> Iterator[dt.datetime]:
    """Yield a time each second, made beforehand for a thousand: that takes as long as ours."""
    for start in itertools.count(0, 1000):
        yield from [START + second * SECOND for second in range(start, start + 1000)]


def _chart(microseconds: dict[str, list[float]]) -> Lines:
    return Lines(
        "time-window.svg",
        QUESTION,
        "events in the window (log scale)",
        "µs an event, with reading (log scale)",
        [
            Line("river", "peer", SIZES, microseconds["peer"]),
            Line("losswatch", "ours", SIZES, microseconds["ours"]),
        ],
        log_x=True,
        dots=True,
    )
