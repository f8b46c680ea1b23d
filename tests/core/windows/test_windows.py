"""Every window holds exactly the events that belong to it, at every moment."""

import numpy as np
import pytest
from exactly import (
    Entry,
    check,
    halved_by_count,
    halved_by_time,
    in_panes,
    latest,
    scored,
    too_old_for_panes,
    younger,
)

from losswatch.core.windows import panes as pane_module
from losswatch.core.windows.arrivals import Arrivals
from losswatch.core.windows.batch import Batch
from losswatch.core.windows.decay import DecayingWindow
from losswatch.core.windows.latest import LastEventsWindow
from losswatch.core.windows.panes import PaneWindow
from losswatch.core.windows.timeline import ExactTimeWindow

FIRST_SIZE = 3


class Case:
    """One window of each kind, and the history that tells what they must hold."""

    def __init__(self, seed: int, *, pooled: bool) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.pooled, self.size = pooled, FIRST_SIZE
        self.seconds = float(rng.choice([0.5, 1.0, 2.5, 8.0, 60.0]))
        self.panes, self.events = int(rng.integers(1, 7)), int(rng.integers(1, 9))
        self.half = int(rng.integers(1, 6))
        long, kind = self.seconds * self.panes, {"size": self.size, "pooled": pooled}
        self.arrivals = arrivals = Arrivals(self.size, pooled=pooled)
        counted = {"arrivals": arrivals, "pooled": pooled}
        self.windows = {
            "panes": PaneWindow("p", long, self.panes, **kind),
            "tumbling": PaneWindow("t", long, 1, **kind),
            "exact": ExactTimeWindow("e", long, **kind),
            "last": LastEventsWindow("l", self.events, most=64, **counted),
            "half-life": DecayingWindow("h", seconds=self.seconds, events=None, **counted),
            "half-life in events": DecayingWindow("n", seconds=None, events=self.half, **counted),
        }
        self.history: list[Entry] = []
        self.now = 0.0
        self.ahead = 0.0

    def add(self, times, *, clock=None) -> None:
        """Add events at times; each at the clock that is given, or at its own time."""
        rng, n = self.rng, len(times)
        times = np.maximum(np.asarray(times, dtype=np.float64), 0.0)
        if clock is None:
            clocks = np.maximum(np.maximum.accumulate(times), self.now)
        else:
            clocks = np.full(n, max(self.now, clock))
        error, y_true = rng.normal(0, 1, n), rng.normal(0, 1, n)
        if rng.integers(0, 3) == 0:
            error *= np.where(rng.random(n) < 0.2, 1e100, 1.0)
        w = rng.exponential(1, n) + 1e-3 if rng.integers(0, 2) else None
        slot = rng.integers(1 if self.pooled else 0, self.size, n)
        if rng.integers(0, 3) == 0:
            slot[:] = slot[0]
        self.enter(scored(slot, error, y_true, w), times, clocks)
        weights = np.ones(n) if w is None else w
        columns = (slot, error, y_true, weights, times, clocks)
        columns = [column.tolist() for column in columns]
        self.history += [Entry(*event) for event in zip(*columns, strict=True)]
        self.now = float(clocks[-1])

    def enter(self, events, times, clocks) -> None:
        batch = Batch(events, times, clocks, *self.arrivals.number(events.slot))
        for window in self.windows.values():
            window.add(batch)

    def pass_time(self, seconds: float) -> None:
        """Advance all windows; time that goes backwards is ignored."""
        for window in self.windows.values():
            window.advance(self.now + seconds)
        self.now = max(self.now, self.now + seconds)

    def grow(self) -> None:
        self.size += int(self.rng.integers(1, 4))
        self.arrivals.grow(self.size)
        for window in self.windows.values():
            window.grow(self.size)

    def check(self) -> None:
        """Check every slot and the total of every window, and what came too late."""
        slots = self.rng.permutation(self.size)
        long, now, windows = self.seconds * self.panes, self.now, self.windows
        each = [
            [e for e in self.history if e.slot == slot or (self.pooled and slot == 0)]
            for slot in slots.tolist()
        ]
        found = {name: window.read(slots) for name, window in windows.items()}
        panes = [in_panes(entries, now, long, self.panes) for entries in each]
        check(found["panes"], panes, note="panes")
        check(found["tumbling"], [in_panes(e, now, long, 1) for e in each], note="tumbling")
        check(found["exact"], [younger(e, now, long) for e in each], note="exact")
        check(found["last"], [latest(e, self.events) for e in each], note="last")
        halves = [halved_by_time(entries, now, self.seconds) for entries in each]
        check(found["half-life"], halves, note="half-life")
        counted = [halved_by_count(entries, self.half) for entries in each]
        check(found["half-life in events"], counted, note="half-life in events")
        assert {name: window.late for name, window in windows.items()} == {
            "panes": too_old_for_panes(self.history, long, self.panes),
            "tumbling": too_old_for_panes(self.history, long, 1),
            "exact": sum(e.time <= e.clock - long for e in self.history),
            "last": 0,
            "half-life": too_old_for_panes(self.history, 32 * self.seconds, 32),
            "half-life in events": 0,
        }


def in_order(case, n):
    return case.now + np.cumsum(case.rng.exponential(case.seconds / 5, n))


def unsorted(case, n):
    return case.now + case.rng.normal(0, 2 * case.seconds, n)


def equal(case, n):
    return np.full(n, case.now + float(case.rng.integers(0, 2)) * case.seconds)


def at_borders(case, n):
    """On the borders of panes, and one step of float64 beside them."""
    edges = (np.floor(case.now / case.seconds) + case.rng.integers(-8, 3, n)) * case.seconds
    return np.nextafter(edges, edges + case.rng.integers(-1, 2, n))


def jump(case, n):
    times = case.now + case.rng.exponential(case.seconds, n)
    times[case.rng.integers(0, n) :] += case.seconds * 10.0 ** case.rng.integers(0, 4)
    return times


def very_late(case, n):
    return case.now - case.seconds * case.rng.integers(0, 40, n)


TIMES = [in_order, unsorted, equal, at_borders, jump, very_late]


@pytest.mark.parametrize("pooled", [True, False], ids=["pooled", "apart"])
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("start", [0.0, 1.7e9])
def test_windows_hold_what_belongs_to_them(monkeypatch, seed, pooled, start):
    """Read at random moments of random streams, every number is that of just those events."""
    case = Case(seed, pooled=pooled)
    rng = case.rng
    monkeypatch.setattr(pane_module, "_DENSE", int(rng.integers(0, 5)))
    monkeypatch.setattr(pane_module, "_MANY_BLOCKS", int(rng.integers(1, 4)))
    case.pass_time(start)
    for step in range(8):
        times = TIMES[int(rng.integers(0, len(TIMES)))](case, int(rng.integers(1, 13)))
        if seed % 2:  # our own clock: events may be up to 300 s ahead of it, and it may go back
            clock = case.now + float(rng.normal(0.5, 1)) * case.seconds
            times = np.minimum(times, clock + 300.0)
            case.add(times, clock=clock)
        else:
            case.add(times)
        if rng.integers(0, 4) == 0:
            case.grow()
        if rng.integers(0, 3) == 0:
            case.pass_time(float(rng.normal(1, 2)) * case.seconds)
        if rng.integers(0, 3) == 0 or step == 7:
            case.check()
    case.pass_time(0.4 * case.seconds * case.panes)
    case.check()
    case.pass_time(300.0 + 50 * case.seconds)
    case.check()


@pytest.mark.parametrize("seed", range(4))
def test_batches_of_any_size_read_the_same(seed):
    """One batch, or the same events one by one, with their clocks: the same in every window."""
    cases = [Case(seed, pooled=True) for _ in range(2)]
    rng = np.random.default_rng(seed)
    n, seconds = 50, cases[0].seconds
    times = np.abs(100 * seconds + np.cumsum(rng.normal(0.3, 2, n)) * seconds)
    clocks = np.maximum.accumulate(times)
    events = scored(rng.integers(1, 3, n), rng.normal(0, 1, n), rng.normal(0, 1, n))
    for case, size in zip(cases, (1, n), strict=True):
        for start in range(0, n, size):
            part = slice(start, start + size)
            case.enter(events.take(part), times[part], clocks[part])
    slots = np.arange(FIRST_SIZE)
    for name, window in cases[0].windows.items():
        other = cases[1].windows[name]
        assert window.read(slots) == other.read(slots), name
        assert window.late == other.late, name


def test_time_alone_empties_windows_of_time():
    """When all is too old, nothing is left; windows of events stay as they are."""
    case = Case(0, pooled=True)
    case.add(np.arange(20.0))
    case.check()
    case.pass_time(1e6)
    case.check()
    for name in ("panes", "tumbling", "exact", "half-life"):
        assert case.windows[name].read(np.arange(3)).n.tolist() == [0, 0, 0]
    assert case.windows["last"].read(np.arange(3)).n[0] > 0


def test_a_window_keeps_nothing_of_what_left():
    """Memory is bounded: panes, stretches and sums that are over are gone."""
    case = Case(5, pooled=False)
    for _ in range(20):
        case.add(in_order(case, 5))
        assert len(case.windows["exact"]._entered.stretches) <= 10
    case.pass_time(1e7)
    assert case.windows["panes"]._entered.content == {}
    assert case.windows["exact"]._entered.stretches == []
    for name in ("panes", "tumbling", "exact"):
        everything = case.windows[name]._table.everything()
        assert (everything.block.columns, everything.odd) == ({}, {})
