"""The window of the last events, whenever they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from losswatch.core.cells.grouping import Grouped, group
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.windows.batch import Batch

__all__ = ["LastEventsWindow", "grown", "ranks"]

Number = TypeVar("Number", bound=np.generic)


class LastEventsWindow:
    """The last ``events`` events that arrived, exactly, of each segment and of all together.

    Every segment has a window of its own, so the total is not the sum of the
    segments: it is that of the last ``events`` of the model. Each event is kept,
    16 bytes, until another takes its place. An event adds about 0.3 µs.

    Parameters
    ----------
    label
        Its name.
    events
        As above.
    size
        How many slots.
    pooled
        Whether slot 0 is the stream of all others.
    """

    def __init__(self, label: str, events: int, size: int, *, pooled: bool) -> None:
        self.label = label
        self.late = 0
        self._events = events
        self._pooled = pooled
        self._table = Table(size)
        self._seen = np.zeros(size, dtype=np.int64)
        self._error = np.zeros((size, events))  # rings: pages not written to cost nothing
        self._y_true = np.zeros((size, events))
        self._w: Floats | None = None

    def add(self, batch: Batch) -> None:
        """Add events; see :class:`losswatch.core.windows.batch.WindowedCost`."""
        self._add(batch.events, batch.sums)
        if self._pooled:
            self._add(batch.events.pooled(), batch.sums.pool)

    def advance(self, now: float) -> None:
        """Time changes nothing here."""

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        self._table.grow(size)
        self._seen = grown(self._seen, size)
        self._error, self._y_true = grown(self._error, size), grown(self._y_true, size)
        self._w = None if self._w is None else grown(self._w, size)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        self._table.clear(slots)
        self._seen[slots] = 0

    def read(self, slots: Indexes) -> Reading:
        """Return the numbers of some slots."""
        return self._table.read(slots)

    def _add(self, events: Scored, sums: Grouped) -> None:
        slot, (rank, of) = events.slot, ranks(events.slot)
        last = rank >= of - self._events
        entering = events
        if not last.all():  # some have left again within this batch
            entering, rank = events.take(last), rank[last]
            sums = group(entering)
        place = (self._seen[entering.slot] + rank) % self._events
        leaving = self._held(entering.slot, place)
        self._hold(entering, place)
        self._seen += np.bincount(slot, minlength=self._seen.size)
        self._table.add(sums)
        self._table.subtract(group(leaving))

    def _held(self, slot: Indexes, place: Indexes) -> Scored:
        """Return the events that are at these places of the rings."""
        filled = place < self._seen[slot]
        slot, place = slot[filled], place[filled]
        w = None if self._w is None else self._w[slot, place]
        return Scored(slot, self._error[slot, place], self._y_true[slot, place], w)

    def _hold(self, events: Scored, place: Indexes) -> None:
        """Put events at places of the rings."""
        self._error[events.slot, place] = events.error
        self._y_true[events.slot, place] = events.y_true
        if self._w is None and events.w is not None:
            self._w = np.ones_like(self._error)
        if self._w is not None:
            self._w[events.slot, place] = 1.0 if events.w is None else events.w


def ranks(slot: Indexes) -> tuple[Indexes, Indexes]:
    """Return for each event how many of its slot came before it, and how many there are."""
    counts = np.bincount(slot)
    small = slot.astype(np.uint16) if counts.size <= 1 << 16 else slot  # sorts in linear time
    order = np.argsort(small, kind="stable")
    rank = np.empty_like(slot)
    rank[order] = np.arange(slot.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank, counts[slot]


def grown(array: NDArray[Number], size: int) -> NDArray[Number]:
    """Return an array with more rows, those new ones 0."""
    larger = np.zeros((size, *array.shape[1:]), dtype=array.dtype)
    larger[: len(array)] = array
    return larger
