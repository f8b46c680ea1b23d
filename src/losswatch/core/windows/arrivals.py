"""The numbers of events in the order in which they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.stored import unique
from losswatch.core.windows.slots import grown, ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["Arrivals", "Gaps"]


class Arrivals:
    """Counts the events of a ledger: all of them, and those of each slot.

    Windows that count events take their numbers from here, so all of them
    agree. A number is never given twice: what came in a former life of a slot
    can be told from what came since. An event adds about 0.05 µs, or nothing
    where nobody asks for the numbers within a slot.

    Parameters
    ----------
    size
        How many slots.
    pooled
        Whether slot 0 is the stream of all others.
    each
        Whether the events of each slot are numbered, too.
    """

    def __init__(self, size: int, *, pooled: bool, each: bool = True) -> None:
        self.total = 0
        self.seen = np.zeros(size, dtype=np.int64)  # since the slot is in use
        self.since = np.zeros(size, dtype=np.int64)  # the total when that began
        self._pooled = pooled
        self._each = each

    def number(self, slot: Indexes) -> tuple[Indexes, Indexes]:
        """Return the numbers of events that arrive now: in their slots, and in all."""
        pool_seq = np.arange(self.total, self.total + slot.size)
        self.total += slot.size
        if not self._each:
            return np.zeros(slot.size, dtype=np.int64), pool_seq
        seq = self.seen[slot]
        seq += np.arange(slot.size) if self.seen.size == 1 else ranks(slot)[0]
        self.seen += np.bincount(slot, minlength=self.seen.size)
        if self._pooled:
            self.seen[0] = self.total
        return seq, pool_seq

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        self.seen = grown(self.seen, size)
        self.since = grown(self.since, size)

    def clear(self, slots: Indexes) -> None:
        """Start anew for some slots."""
        self.seen[slots] = 0
        self.since[slots] = self.total

    def belong(self, slot: Indexes, pool_seq: Indexes) -> NDArray[np.bool_]:
        """Tell which events came since their slot is in use for its segment."""
        current: NDArray[np.bool_] = pool_seq >= self.since[slot]
        return current

    def dump(self) -> Tree:
        """Return its state."""
        slots = np.flatnonzero((self.seen != 0) | (self.since != 0))
        columns = {"slots": slots, "seen": self.seen[slots], "since": self.since[slots]}
        return {"total": self.total, **columns}

    def load(self, node: Node) -> None:
        """Continue from a state, while nothing was numbered yet."""
        total = node.whole("total")
        slots = unique(node, "slots", self.seen.size)
        seen = node.ints("seen", slots.size, total + 1)
        since = node.ints("since", slots.size, total + 1)
        self.total = total
        self.seen[slots], self.since[slots] = seen, since

    def merge(self, other: Arrivals, to: Indexes, new: Indexes) -> None:
        """Count the events of others behind these; slot ``s`` of theirs is ``to[s]``.

        Those of ``new`` slots, which had no event here, keep what is known of
        their former lives.
        """
        self.since[to[new]] = self.total + other.since[new]
        self.total += other.total
        np.add.at(self.seen, to, other.seen[: to.size])
        if self._pooled:
            self.seen[0] = self.total


class Gaps:
    """Numbers of events that a window never had: of before it was there, mostly."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []  # in order, apart from each other

    def add(self, start: int, end: int) -> None:
        """Add the numbers from ``start`` to below ``end``, which are above all others."""
        if start >= end:
            return
        if self.spans and self.spans[-1][1] >= start:
            start = self.spans.pop()[0]
        self.spans.append((start, end))

    def shifted(self, by: int) -> list[tuple[int, int]]:
        """Return the spans of the same events behind so many others."""
        return [(start + by, end + by) for start, end in self.spans]

    def outside(self, number: Indexes) -> NDArray[np.bool_]:
        """Tell which numbers are in no gap."""
        found = np.ones(number.size, dtype=np.bool_)
        for start, end in self.spans:
            found &= (number < start) | (number >= end)
        return found

    def dump(self) -> Tree:
        """Return its state."""
        spans = np.array(self.spans, dtype=np.int64).reshape(-1, 2)
        return {"start": spans[:, 0].copy(), "end": spans[:, 1].copy()}

    def load(self, node: Node) -> None:
        """Continue from a state."""
        start = node.ints("start")
        for span in zip(start.tolist(), node.ints("end", start.size).tolist(), strict=True):
            self.add(*span)
