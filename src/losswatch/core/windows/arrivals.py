"""The numbers of events in the order in which they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.windows.slots import grown, ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Indexes

__all__ = ["Arrivals"]


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
