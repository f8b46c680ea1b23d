"""What an alarm costs, in time and in memory."""

from __future__ import annotations

import pickle
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from river import drift

from benchmarks.alarms.errors import make_errors
from benchmarks.alarms.ours import OURS
from benchmarks.pairs import Table, show
from losswatch.core.alarms.watch import Watch
from losswatch.core.cells.scored import Scored
from losswatch.river import BudgetDetector, RankDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.alarms.ours import Kind

__all__ = ["costs"]

EVENTS = 100_000
ROUNDS = 5
BATCH = 10_000

NOTE = f"""\
{EVENTS:,} Gaussian errors without a fault, with Python floats event by event, but for `Watch`,
which is what a monitor has and takes columns, here of {BATCH:,} events. In turn, {ROUNDS} rounds,
their median. Bytes are those of a pickle after these events; that of a drift holds its warm-up of
500 or 250 blocks."""


def costs() -> Table:
    """Return what an event costs, and what is kept."""
    errors = make_errors("gauss", 3, 1, EVENTS)[0]
    losses = np.square(errors).tolist()
    runs: dict[str, Callable[[], tuple[float, Any]]] = {}
    for kind in OURS:
        values = losses if kind.budget else errors.tolist()
        runs[f"{kind.name}, event by event"] = partial(_feed, partial(kind.stream, 1.2), values)
    for kind in OURS:
        runs[f"{kind.name}, `Watch`"] = partial(_feed_watch, kind, errors)
    peers: dict[str, Callable[[], Any]] = {
        "`losswatch.river.BudgetDetector`": partial(BudgetDetector, max_mean=1.2),
        "`losswatch.river.RankDetector`": RankDetector,
        "river `ADWIN`": drift.ADWIN,
        "river `PageHinkley`": partial(drift.PageHinkley, mode="up"),
        "river `KSWIN`": partial(drift.KSWIN, seed=1),
    }
    for name, make in peers.items():
        runs[name] = partial(_feed, make, losses[:2000] if "KSWIN" in name else losses)
    found: dict[str, list[tuple[float, Any]]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            found[name].append(run())
    rows = [
        (name, show(1e6 * statistics.median(t for t, _ in each)), _bytes(each[0][1]))
        for name, each in found.items()
    ]
    return Table("What does an alarm cost?", ("what", "µs an event", "bytes"), rows, note=NOTE)


def _bytes(thing: Any) -> str:
    return "" if isinstance(thing, Watch) else f"{len(pickle.dumps(thing)):,}"


def _feed(make: Callable[[], Any], values: list[float]) -> tuple[float, Any]:
    """Return seconds an event, and what was fed."""
    thing = make()
    update = thing.update
    start = time.perf_counter()
    for value in values:
        update(value)
    return (time.perf_counter() - start) / len(values), thing


def _feed_watch(kind: Kind, errors: np.ndarray) -> tuple[float, Any]:
    watch = Watch(kind.alarm(1.2), "", 1, 1)
    slot, clock = np.zeros(BATCH, dtype=np.intp), np.zeros(BATCH)
    start = time.perf_counter()
    for begin in range(0, EVENTS, BATCH):
        error = errors[begin : begin + BATCH]
        watch.add(Scored(slot, error, error, None), error * error, clock)
    return (time.perf_counter() - start) / EVENTS, watch
