"""Books of a model beside the list of its events, as corrected, which tells what they must hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from exactly import (
    Entry,
    check,
    halved_by_count,
    halved_by_time,
    in_panes,
    latest,
    scored,
    younger,
)

from losswatch.core.books import Books
from losswatch.core.segments import Segments
from losswatch.core.windows.batch import Entered

WINDOWS = (
    {"last": "20s", "panes": 5},
    {"last": "15s", "exact": True},
    {"tumbling": "30s"},
    {"events": 7},
    {"half_life": "4s"},
    {"half_life": "3 events"},
)
COUNTED = ("7 events", "half-life 3 events")
NAMES = ("n", "weight", "mse", "mae", "bias", "r2")
HELD = {
    "lifetime": lambda entries, _: latest(entries, 10**9),
    "20s": lambda entries, now: in_panes(entries, now, 20.0, 5),
    "15s": lambda entries, now: younger(entries, now, 15.0),
    "tumbling 30s": lambda entries, now: in_panes(entries, now, 30.0, 1),
    "7 events": lambda entries, _: latest(entries, 7),
    "half-life 4s": lambda entries, now: halved_by_time(entries, now, 4.0),
    "half-life 3 events": lambda entries, _: halved_by_count(entries, 3),
}
CITIES = ("oslo", "rome", "lima", None)
SPLIT = Segments(("city",))


def books(*, split: bool = True, outputs=("a", "b"), windows=WINDOWS, segments=SPLIT, **kind):
    """Return new books."""
    return Books(outputs, windows, segments if split else None, (1.0, 10.0), **kind)


def numbers(rng, n: int):
    """Return errors or targets, some of them out of all proportion."""
    x = rng.normal(0, 1, n)
    kind = rng.integers(0, 4)
    if kind == 0:
        x *= np.where(rng.random(n) < 0.3, 10.0 ** rng.uniform(-150, 150, n), 1.0)
    return x


@dataclass
class Kept:
    """One output's events as they are now, in the order of their arrival."""

    entered: list[Entered] = field(default_factory=list)  # one event each
    rows: list[str | None] = field(default_factory=list)


class History:
    """Books, and what was entered."""

    def __init__(self, seed: int, *, split: bool = True, outputs=("a", "b"), start=None) -> None:
        self.rng = np.random.default_rng(seed)
        self.split, self.outputs = split, outputs
        self.books = books(split=split, outputs=outputs)
        self.kept = {output: Kept() for output in outputs}
        self.now = float(self.rng.choice([0.0, 1.7e9])) if start is None else start

    def enter(self, n: int, cities=CITIES) -> None:
        """Enter events of now, some late, some ahead, at our clock or at their own times."""
        rng = self.rng
        self.now += float(rng.exponential(2.0))
        at = self.now if rng.integers(0, 2) else None
        time = np.maximum(self.now + rng.choice([0.0, -1.0, 0.5]) * rng.exponential(8.0, n), 0.0)
        labels = [cities[k] for k in rng.integers(0, len(cities), n)]
        w = rng.exponential(1, n) + 1e-3 if rng.integers(0, 2) else None
        slots = np.zeros(n, dtype=np.intp)
        if self.split:
            slots = self.books.registry.places({"city": labels}, np.ones(n, dtype=bool))[0]
        for output in self.outputs:
            events = scored(slots, numbers(rng, n), numbers(rng, n), w)
            entered = self.books.enter(output, events, time, at)
            self.keep(output, entered, labels)
        self.now = max(self.now, self.books.now)

    def keep(self, output: str, entered: Entered, labels) -> None:
        kept = self.kept[output]
        kept.entered += [entered.take(slice(k, k + 1)) for k in range(len(entered))]
        kept.rows += labels

    def revise(self, n: int) -> None:
        """Give some events of one output other values and times."""
        rng, output = self.rng, self.outputs[int(self.rng.integers(0, len(self.outputs)))]
        kept = self.kept[output].entered
        if not kept:
            return
        recent = max(len(kept) - 12, 0) if rng.integers(0, 2) else 0
        places = np.unique(rng.integers(recent, len(kept), n)).tolist()
        rng.shuffle(places)
        old = Entered.join([kept[place] for place in places])
        time = old.time if rng.integers(0, 2) else self.now - rng.normal(4.0, 8.0, len(places))
        size, events = len(places), old.events
        values = (numbers(rng, size), numbers(rng, size))
        w = None if events.w is None else events.w.copy()
        new = Entered(
            scored(events.slot, *values, w), np.maximum(time, 0.0), old.clock, old.seq, old.pool_seq
        )
        self.books.revise(output, old, new)
        for k, place in enumerate(places):
            kept[place] = new.take(slice(k, k + 1))

    def pass_time(self) -> None:
        """Look some time later."""
        self.now += float(self.rng.exponential(5.0) * self.rng.choice([1.0, 1.0, 20.0]))
        self.books.read(self.now)

    def check(self, windows=tuple(HELD)) -> None:
        """Check all numbers of all windows, segments and outputs."""
        names, outputs = self.books.read(self.now)
        now = self.books.now
        for output, snapshot in outputs.items():
            rows = [self.entries(output, name) for name in names]
            for window in windows:
                wanted = [HELD[window](entries, now) for entries in rows]
                check(snapshot.readings[window], wanted, names=NAMES, note=(output, window))

    def entries(self, output: str, name) -> list[Entry]:
        """Return the events of a row: all of them, or those of its label."""
        found = []
        for entered, label in zip(self.kept[output].entered, self.kept[output].rows, strict=True):
            segment = {"segment": "none"} if label is None else {"city": label}
            if not name or name == segment:
                events = entered.events
                w = 1.0 if events.w is None else float(events.w[0])
                columns = (events.slot, events.error, events.y_true)
                values = [column[0].item() for column in columns]
                times = (float(entered.time[0]), float(entered.clock[0]))
                found.append(Entry(*values, w, *times))
        return found

    def restart(self) -> None:
        """Continue in new books."""
        state = self.books.dump()
        self.books = books(split=self.split, outputs=self.outputs)
        assert self.books.load(state) == []
