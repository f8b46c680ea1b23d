"""The window of the last events, whenever they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.grouping import Grouped, group, group_parts
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.stored import dump_events, load_events
from losswatch.core.cells.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree
    from losswatch.core.windows.arrivals import Arrivals
    from losswatch.core.windows.batch import Batch, Entered

__all__ = ["LastEventsWindow"]


class LastEventsWindow:
    """The last ``events`` events that arrived, exactly, of each segment and of all together.

    Every segment has a window of its own, so the total is not the sum of the
    segments: it is that of the last ``events`` of the model. An event that is
    taken out leaves a hole: none that had left comes back for it. Each segment
    that had an event takes the room of ``events``, 17 bytes each or 25 with
    weights. An event adds about 0.3 µs.

    Parameters
    ----------
    label
        Its name.
    events
        As above.
    arrivals
        Numbers the events.
    most
        How many slots there can be.
    pooled
        Whether slot 0 is the stream of all others.
    """

    def __init__(
        self, label: str, events: int, arrivals: Arrivals, most: int, *, pooled: bool
    ) -> None:
        self.label = label
        self.late = 0
        self._events = events
        self._arrivals = arrivals
        self._pooled = pooled
        self._table = Table(arrivals.seen.size)
        # Rings. They never grow: a copy would write to pages that were not used yet.
        self._filled = np.zeros((most, events), dtype=np.bool_)
        self._error = np.zeros((most, events))
        self._y_true = np.zeros((most, events))
        self._w: Floats | None = None  # 0 for an event of weight 1

    def add(self, batch: Batch) -> None:
        """Add events; see :class:`losswatch.core.windows.batch.WindowedCost`."""
        self._add(batch.events, batch.seq, batch.sums)
        if self._pooled:
            self._add(batch.events.pooled(), batch.pool_seq, batch.sums.pool)

    def remove(self, old: Entered) -> None:
        """Take out events: their places stay empty."""
        for events, seq in self._streams(old):
            slot, place = events.slot, seq % self._events
            self._table.subtract(group(self._held(slot, place)))
            self._filled[slot, place] = False

    def restore(self, new: Entered) -> None:
        """Put events into the places of removed ones."""
        for events, seq in self._streams(new):
            self._hold(events, seq % self._events)
            self._table.add(group(events))

    def advance(self, now: float) -> None:
        """Time changes nothing here."""

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        self._table.grow(size)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        self._table.clear(slots)
        self._filled[slots] = False

    def read(self, slots: Indexes) -> Reading:
        """Return the numbers of some slots."""
        return self._table.read(slots)

    def dump(self) -> Tree:
        """Return its state."""
        slot, place = np.nonzero(self._filled)
        return {"place": place, "events": dump_events(self._held(slot, place))}

    def load(self, node: Node, now: float) -> None:  # noqa: ARG002  # as others
        """Continue from a state, while it is empty; the time changes nothing."""
        events = load_events(node.node("events"), self._table.size)
        place = node.ints("place", len(events), self._events)
        if np.unique(events.slot * self._events + place).size < place.size:
            raise node.node("place").wrong("places of a ring, each once")
        self._hold(events, place)
        for sums in group_parts([events]):
            self._table.add(sums)

    def merge(self, other: LastEventsWindow, to: Indexes) -> bool:  # noqa: ARG002  # as others
        """Start anew: nobody knows which events came last, those of one or of the other."""
        self._table.clear(np.arange(self._table.size))
        self._filled = np.zeros(self._filled.shape, dtype=np.bool_)
        return False

    def _add(self, events: Scored, seq: Indexes, sums: Grouped) -> None:
        last = self._inside(events.slot, seq)
        if not last.all():  # some have left again within this batch
            events, seq = events.take(last), seq[last]
            sums = group(events)
        place = seq % self._events
        leaving = self._held(events.slot, place)
        self._hold(events, place)
        self._table.add(sums)
        self._table.subtract(group(leaving))

    def _streams(self, entered: Entered) -> Iterator[tuple[Scored, Indexes]]:
        """Yield what the rings of the segments, and then that of all, still have room for."""
        streams = [(entered.events, entered.seq)]
        if self._pooled:
            streams.append((entered.events.pooled(), entered.pool_seq))
        for events, seq in streams:
            inside = self._inside(events.slot, seq)
            yield events.take(inside), seq[inside]

    def _inside(self, slot: Indexes, seq: Indexes) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = seq >= self._arrivals.seen[slot] - self._events
        return inside

    def _held(self, slot: Indexes, place: Indexes) -> Scored:
        """Return the events that are at these places of the rings."""
        filled = self._filled[slot, place]
        slot, place = slot[filled], place[filled]
        w = None if self._w is None else self._w[slot, place]
        if w is not None:
            w[w == 0.0] = 1.0
        return Scored(slot, self._error[slot, place], self._y_true[slot, place], w)

    def _hold(self, events: Scored, place: Indexes) -> None:
        """Put events at places of the rings."""
        self._filled[events.slot, place] = True
        self._error[events.slot, place] = events.error
        self._y_true[events.slot, place] = events.y_true
        if self._w is None and events.w is not None:
            self._w = np.zeros(self._error.shape)  # zeros_like would write to all of it
        if self._w is not None:
            self._w[events.slot, place] = 0.0 if events.w is None else events.w
