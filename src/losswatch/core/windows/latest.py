"""The window of the last events, whenever they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.grouping import Grouped, group
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.table import Table
from losswatch.core.windows.slots import grown, ranks

if TYPE_CHECKING:
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.windows.batch import Batch

__all__ = ["LastEventsWindow"]


class LastEventsWindow:
    """The last ``events`` events that arrived, exactly, of each segment and of all together.

    Every segment has a window of its own, so the total is not the sum of the
    segments: it is that of the last ``events`` of the model. Each segment that
    had an event takes the room of ``events``, 16 bytes each or 24 with weights.
    An event adds about 0.3 µs.

    Parameters
    ----------
    label
        Its name.
    events
        As above.
    size, most
        How many slots there are, and how many there can be.
    pooled
        Whether slot 0 is the stream of all others.
    """

    def __init__(self, label: str, events: int, size: int, most: int, *, pooled: bool) -> None:
        self.label = label
        self.late = 0
        self._events = events
        self._pooled = pooled
        self._table = Table(size)
        self._seen = np.zeros(size, dtype=np.int64)
        # Rings. They never grow: a copy would write to pages that were not used yet.
        self._error = np.zeros((most, events))
        self._y_true = np.zeros((most, events))
        self._w: Floats | None = None  # 0 for an event of weight 1

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
        if w is not None:
            w[w == 0.0] = 1.0
        return Scored(slot, self._error[slot, place], self._y_true[slot, place], w)

    def _hold(self, events: Scored, place: Indexes) -> None:
        """Put events at places of the rings."""
        self._error[events.slot, place] = events.error
        self._y_true[events.slot, place] = events.y_true
        if self._w is None and events.w is not None:
            self._w = np.zeros(self._error.shape)  # zeros_like would write to all of it
        if self._w is not None:
            self._w[events.slot, place] = 0.0 if events.w is None else events.w
