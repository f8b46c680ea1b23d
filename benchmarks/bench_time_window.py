"""What an event costs in a window of time, by how many events are in it."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
import statistics
from typing import TYPE_CHECKING, Any

from river import metrics, utils

import losswatch.river
from benchmarks.charts import Line, Lines
from benchmarks.pairs import Table, show, time_pair

if TYPE_CHECKING:
    from collections.abc import Callable
QUESTION = "What does an event cost in a window of time?"
OURS = getattr(losswatch.river, "TimeRolling", None)
SIZES = (100, 1_000, 10_000)
EVENTS = 2_000
START = dt.datetime(2026, 1, 31)  # noqa: DTZ001  # river refuses aware times
SECOND = dt.timedelta(seconds=1)

NOTE = f"""\
The RMSE of a full window, one event a second: the median of rounds of {EVENTS:,} events, without
reading it and with reading it after each event, as the plot shows.
`river.utils.TimeRolling` copies its window for each event that leaves."""


def measure() -> Table:
    """Time river's window, beside ours if there is one."""
    rows = []
    lines: dict[str, list[float]] = {"ours": [], "peer": []}
    for read, size in itertools.product((False, True), SIZES):
        mine, theirs, ratio = _time(size, read=read)
        what = f"{size:,}, {'read after each' if read else 'not read'}"
        rows.append((what, show(mine) if OURS else "none yet", show(theirs), ratio))
        if read:
            lines["ours"].append(mine)
            lines["peer"].append(theirs)
    header = ("events in the window", "ours, µs", "river, µs", "ratio")
    return Table(QUESTION, header, rows, NOTE, [_chart(lines)])


def _time(size: int, *, read: bool) -> tuple[float, float, str]:
    """Return what an event costs in µs with ours and with river's, and their ratio."""
    river = _feed(utils.TimeRolling(metrics.RMSE, period=size * SECOND), size, read=read)
    if OURS is None:
        pair = time_pair(lambda: None, river, rounds=5)
        return math.nan, statistics.median(pair.peer) * 1e6 / EVENTS, ""
    ours = _feed(OURS(losswatch.river.RMSE, period=size * SECOND), size, read=read)
    pair = time_pair(ours, river, rounds=5)
    mine, theirs = (statistics.median(times) * 1e6 / EVENTS for times in (pair.ours, pair.peer))
    return mine, theirs, pair.ratio


def _feed(window: Any, size: int, *, read: bool) -> Callable[[], None]:
    """Fill a window and return what gives it more events, time going on."""
    rng = random.Random(1)
    errors = [rng.gauss(0, 1) for _ in range(EVENTS)]
    times = (START + index * SECOND for index in itertools.count())
    for index in range(size):
        window.update(errors[index % EVENTS], 0.0, t=next(times))

    def run() -> None:
        for error in errors:
            window.update(error, 0.0, t=next(times))
            if read:
                window.get()

    return run


def _chart(microseconds: dict[str, list[float]]) -> Lines:
    lines = [Line("river", "peer", SIZES, microseconds["peer"])]
    if OURS:
        lines.append(Line("losswatch", "ours", SIZES, microseconds["ours"]))
    return Lines(
        "time-window.svg",
        QUESTION,
        "events in the window (log scale)",
        "µs an event, with reading (log scale)",
        lines,
        log_x=True,
        dots=True,
    )
