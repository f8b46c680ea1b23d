"""Windows of time in panes: bounded memory however many events come."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.grouping import Grouped, group, group_parts
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.stored import dump_events, dump_sums, load_events, load_sums, moved
from losswatch.core.cells.table import Table
from losswatch.core.tree import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Tree
    from losswatch.core.windows.batch import Batch, Entered

__all__ = ["PaneWindow"]

_DENSE = 4
"""A segment's sums take the room of about four events: fewer are kept as they came."""

_DIGITS = 18
"""Of the number of a pane."""

_MANY_BLOCKS = 8
"""Blocks of one pane, before they are made one."""


class Pane:
    """What came in one interval of time: sums, and events too few to be worth summing."""

    __slots__ = ("_waiting", "events", "sums")

    def __init__(self) -> None:
        self.sums: list[Grouped] = []
        self.events: list[Scored] = []
        self._waiting = 0  # how many events there are in the list

    def add(self, events: Scored, sums: Grouped | None, slots: int) -> None:
        """Add events, with their sums if they are known; ``slots`` is how many there are."""
        if sums is not None and len(events) >= _DENSE * sums.block.slots.size:
            self.keep(sums, slots)
        else:
            self._wait(events.copy())  # a view would keep the whole batch in memory
        if self._waiting > _DENSE * slots:
            waiting, self.events, self._waiting = self.events, [], 0
            for part in group_parts(waiting):
                self.keep(part, slots)

    def keep(self, sums: Grouped, slots: int) -> None:
        """Add sums; many blocks become one."""
        self.sums.append(sums.compact())
        if len(self.sums) > _MANY_BLOCKS:
            self.sums = [_merged(self.sums, slots)]

    def _wait(self, events: Scored) -> None:
        """Keep events as they came; parts of like size become one, so that there are few."""
        parts = [*self.events, events]
        while len(parts) > 1 and len(parts[-2]) <= 2 * len(parts[-1]):
            parts[-2:] = [Scored.join(parts[-2:])]
        self.events = parts
        self._waiting += len(events)


class Panes:
    """What came in each interval of time, by its number, until it leaves."""

    def __init__(self) -> None:
        self.content: dict[int, Pane] = {}

    def add(
        self, events: Scored, pane: NDArray[np.int64], sums: Grouped | None, slots: int
    ) -> None:
        """Add events of some panes; ``slots`` is how many there are."""
        first, last = int(pane.min()), int(pane.max())
        if first == last:
            self.content.setdefault(first, Pane()).add(events, sums, slots)
            return
        order = np.argsort(pane, kind="stable")
        numbers, starts = np.unique(pane[order], return_index=True)
        ends = [*starts[1:].tolist(), len(events)]
        for number, start, end in zip(numbers.tolist(), starts.tolist(), ends, strict=True):
            part = events.take(order[start:end])
            self.content.setdefault(number, Pane()).add(part, None, slots)

    def leave(self, oldest: int) -> Iterator[Grouped]:
        """Yield the sums of the panes before the oldest to keep; they are forgotten."""
        return _sums([self.content.pop(pane) for pane in list(self.content) if pane < oldest])

    def sums(self) -> Iterator[Grouped]:
        """Yield the sums of all panes."""
        return _sums(list(self.content.values()))

    def merge(self, other: Panes, to: Indexes, slots: int) -> None:
        """Add what other panes hold; their slot ``s`` is ``to[s]``."""
        for number, pane in other.content.items():
            mine = self.content.setdefault(number, Pane())
            for sums in pane.sums:
                mine.keep(moved(sums, to), slots)
            for events in pane.events:
                mine.add(replace(events, slot=to[events.slot]), None, slots)

    def dump(self) -> Tree:
        """Return its state."""
        waiting = [(number, part) for number, pane in self.content.items() for part in pane.events]
        events = Scored.join([part for _, part in waiting] or [Scored.none()])
        numbers = np.repeat([n for n, _ in waiting], [len(part) for _, part in waiting])
        sums: Tree = {
            str(number): [dump_sums(sums) for sums in pane.sums]
            for number, pane in self.content.items()
            if pane.sums
        }
        return {"pane": numbers.astype(np.int64), "events": dump_events(events), "sums": sums}

    def load(self, node: Node, slots: int) -> None:
        """Continue from a state, while it is empty."""
        events = load_events(node.node("events"), slots)
        pane = node.signed("pane", len(events))
        if len(events):
            self.add(events, pane, None, slots)
        for text, part in node.node("sums").nodes():
            number = _number(text, part)
            for index, tree in enumerate(part.rows()):
                sums = load_sums(Node(tree, f"{part.path}[{index}]"), slots)
                self.content.setdefault(number, Pane()).keep(sums, slots)


class PaneWindow:
    """The events of the last panes of time, exactly, for all segments.

    A pane is an interval of ``seconds / panes``; they follow each other from
    1970 on. The window at a time holds the pane of that time and those before
    it, ``panes`` in all: it reaches back ``seconds``, less at most one pane.
    A late event enters the pane that it belongs to, or is counted in ``late``
    when that has left. An event adds about 0.1 µs when it enters and as much
    when it leaves. What is taken out is kept in panes as well, until they leave.

    Parameters
    ----------
    label
        Its name.
    seconds, panes
        As above.
    size
        How many slots.
    pooled
        Whether slot 0 is the total of all others.
    """

    def __init__(self, label: str, seconds: float, panes: int, size: int, *, pooled: bool) -> None:
        self.label = label
        self.late = 0
        self._width = seconds / panes
        self._panes = panes
        self._table = Table(size, pooled=pooled)
        self._entered = Panes()
        self._removed = Panes()  # they leave like the others, but were out already
        self._newest = -1

    def add(self, batch: Batch) -> None:
        """Add events; see :class:`losswatch.core.windows.batch.WindowedCost`."""
        pane = self._pane_of(batch.time)
        self.advance(batch.now)
        events, oldest = batch.events, self._newest - self._panes + 1
        if int(pane.min()) >= oldest:
            sums = batch.sums
        else:
            then = self._pane_of(batch.clock)
            self.late += int(np.count_nonzero(pane <= then - self._panes))
            inside = pane >= oldest
            events, pane = events.take(inside), pane[inside]
            if not len(events):
                return
            sums = group(events)
        self._table.add(sums)
        self._entered.add(events, pane, sums, self._table.size)

    def remove(self, old: Entered) -> None:
        """Take out events that are still in."""
        events, pane = self._inside(old)
        if len(events):
            sums = group(events)
            self._table.subtract(sums)
            self._removed.add(events, pane, sums, self._table.size)

    def restore(self, new: Entered) -> None:
        """Put events in, each into the pane of its new time."""
        events, pane = self._inside(new)
        if len(events):
            sums = group(events)
            self._table.add(sums)
            self._entered.add(events, pane, sums, self._table.size)

    def advance(self, now: float) -> None:
        """Let the panes leave that are too old at this time."""
        newest = math.floor(now / self._width)
        if newest <= self._newest:
            return
        self._newest = newest
        for sums in self._entered.leave(newest - self._panes + 1):
            self._table.subtract(sums)
        for sums in self._removed.leave(newest - self._panes + 1):
            self._table.add(sums)

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        self._table.grow(size)

    def clear(self, slots: Indexes) -> None:
        """Nothing is left of slots without events."""

    def read(self, slots: Indexes) -> Reading:
        """Return the numbers of some slots."""
        return self._table.read(slots)

    def dump(self) -> Tree:
        """Return its state."""
        return {"entered": self._entered.dump(), "removed": self._removed.dump()}

    def load(self, node: Node, now: float) -> None:
        """Continue from a state, while it is empty, at a time."""
        self._entered.load(node.node("entered"), self._table.size)
        self._removed.load(node.node("removed"), self._table.size)
        self._count(self._entered, self._removed, None)
        self.advance(now)

    def merge(self, other: PaneWindow, to: Indexes) -> bool:
        """Add what another holds at the same time; its slot ``s`` is ``to[s]``."""
        self._count(other._entered, other._removed, to)
        self._entered.merge(other._entered, to, self._table.size)
        self._removed.merge(other._removed, to, self._table.size)
        return True

    def _count(self, entered: Panes, removed: Panes, to: Indexes | None) -> None:
        """Add to the table what panes hold."""
        for sums in entered.sums():
            self._table.add(sums if to is None else moved(sums, to))
        for sums in removed.sums():
            self._table.subtract(sums if to is None else moved(sums, to))

    def _pane_of(self, time: Floats) -> NDArray[np.int64]:
        return np.floor(time / self._width).astype(np.int64)

    def _inside(self, entered: Entered) -> tuple[Scored, NDArray[np.int64]]:
        """Return the events whose panes are still in, and those panes."""
        pane = self._pane_of(entered.time)
        inside = pane > self._newest - self._panes
        return entered.events.take(inside), pane[inside]


def _sums(panes: list[Pane]) -> Iterator[Grouped]:
    """Yield the sums of panes."""
    for pane in panes:
        yield from pane.sums
    yield from group_parts([part for pane in panes for part in pane.events])


def _number(text: str, node: Node) -> int:
    """Return the number of a pane."""
    if not text.removeprefix("-").isdecimal() or len(text) > _DIGITS:
        raise node.wrong("named by the number of a pane")
    return int(text)


def _merged(parts: list[Grouped], size: int) -> Grouped:
    """Return the sums of several batches as one."""
    table = Table(size)
    for part in parts:
        table.add(part)
    return table.everything().compact()
