"""Windows of time that are exact to the event: for those that hold few enough to keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from losswatch.core.cells.grouping import group, group_parts
from losswatch.core.cells.products import two_sum
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.stored import dump_events, load_events
from losswatch.core.cells.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from losswatch.core.cells.grouping import Grouped
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree
    from losswatch.core.windows.batch import Batch, Entered

__all__ = ["ExactTimeWindow"]


@dataclass(slots=True)
class _Stretch:
    """Events in the order of their times, of which the first ``gone`` have left."""

    time: Floats
    events: Scored
    gone: int = 0

    def leave(self, now: float, seconds: float) -> Scored | None:
        """Return the events that are too old now and had not left yet."""
        edge, rest = two_sum(np.array([now]), np.array([-seconds]))
        side: Literal["left", "right"] = "right" if rest[0] >= 0.0 else "left"
        end = int(np.searchsorted(self.time, edge[0], side=side))
        if end <= self.gone:
            return None
        start, self.gone = self.gone, end
        return self.events.take(slice(start, end))

    @classmethod
    def join(cls, parts: list[_Stretch]) -> _Stretch:
        """Return what is left of several as one."""
        time = np.concatenate([part.time[part.gone :] for part in parts])
        events = Scored.join([part.events.take(slice(part.gone, None)) for part in parts])
        order = np.argsort(time, kind="stable")
        return cls(time[order], events.take(order))


class Timeline:
    """Events by their times, in few stretches, until they leave."""

    def __init__(self) -> None:
        self.stretches: list[_Stretch] = []

    def add(self, time: Floats, events: Scored) -> None:
        """Keep events; the last two stretches become one while they are of like size."""
        if not time.size:
            return
        parts = [*self.stretches, _Stretch.join([_Stretch(time, events)])]
        while len(parts) > 1 and parts[-2].time.size <= 2 * parts[-1].time.size:
            parts[-2:] = [_Stretch.join(parts[-2:])]
        self.stretches = parts

    def leave(self, now: float, seconds: float) -> Iterator[Grouped]:
        """Yield the sums of the events that are too old now; they are not kept any longer."""
        left = [part.leave(now, seconds) for part in self.stretches]
        self.stretches = [part for part in self.stretches if part.gone < part.time.size]
        yield from group_parts([events for events in left if events is not None])

    def held(self) -> tuple[Floats, Scored]:
        """Return the times and the events that did not leave yet."""
        parts = [(part.time[part.gone :], part.events, part.gone) for part in self.stretches]
        if not parts:
            return np.zeros(0), Scored.none()
        events = [events.take(slice(gone, None)) for _, events, gone in parts]
        return np.concatenate([time for time, _, _ in parts]), Scored.join(events)

    def dump(self) -> Tree:
        """Return its state."""
        time, events = self.held()
        return {"time": time, "events": dump_events(events)}

    def load(self, node: Node, slots: int) -> None:
        """Continue from a state, while it is empty."""
        events = load_events(node.node("events"), slots)
        self.add(node.floats("time", len(events)), events)


class ExactTimeWindow:
    """The events younger than ``seconds``, exactly, for all segments.

    At a time ``now`` it holds the events with ``time > now - seconds``, whatever
    the order in which they came. It keeps every one of them: about 30 bytes
    each. An event that is too old when it comes is counted in ``late``. An
    event adds about 0.15 µs when it enters and 0.1 µs when it leaves. One that
    is taken out is kept as well until its time leaves.

    Parameters
    ----------
    label
        Its name.
    seconds
        As above.
    size
        How many slots.
    pooled
        Whether slot 0 is the total of all others.
    """

    def __init__(self, label: str, seconds: float, size: int, *, pooled: bool) -> None:
        self.label = label
        self.late = 0
        self._seconds = seconds
        self._table = Table(size, pooled=pooled)
        self._entered = Timeline()
        self._removed = Timeline()  # they leave like the others, but were out already
        self._now = 0.0

    def add(self, batch: Batch) -> None:
        """Add events; see :class:`losswatch.core.windows.batch.WindowedCost`."""
        self.advance(batch.now)
        events, time = batch.events, batch.time
        inside = ~self._is_old(time, np.full(time.size, self._now))
        if inside.all():
            self._table.add(batch.sums)
        else:
            self.late += int(np.count_nonzero(self._is_old(time, batch.clock)))
            events, time = events.take(inside), time[inside]
            if not len(events):
                return
            self._table.add(group(events))
        self._entered.add(time, events)

    def remove(self, old: Entered) -> None:
        """Take out events that are still in."""
        events, time = self._inside(old)
        self._table.subtract(group(events))
        self._removed.add(time, events)

    def restore(self, new: Entered) -> None:
        """Put events in, each at its new time."""
        events, time = self._inside(new)
        self._table.add(group(events))
        self._entered.add(time, events)

    def advance(self, now: float) -> None:
        """Let the events leave that are too old at this time."""
        if now <= self._now:
            return
        self._now = now
        for sums in self._entered.leave(now, self._seconds):
            self._table.subtract(sums)
        for sums in self._removed.leave(now, self._seconds):
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
        self._count(self._entered.held()[1], self._removed.held()[1])
        self.advance(now)

    def merge(self, other: ExactTimeWindow, to: Indexes) -> bool:
        """Add what another holds at the same time; its slot ``s`` is ``to[s]``."""
        held = []
        for mine, theirs in (
            (self._entered, other._entered),
            (self._removed, other._removed),
        ):
            time, events = theirs.held()
            held.append(replace(events, slot=to[events.slot]))
            mine.add(time, held[-1])
        self._count(*held)
        return True

    def _count(self, entered: Scored, removed: Scored) -> None:
        """Add events to the table, and take others out."""
        for sums in group_parts([entered]):
            self._table.add(sums)
        for sums in group_parts([removed]):
            self._table.subtract(sums)

    def _is_old(self, time: Floats, now: Floats) -> NDArray[np.bool_]:
        """Tell which events have ``time <= now - seconds``, decided without rounding."""
        edge, rest = two_sum(now, np.full(now.size, -self._seconds))
        old: NDArray[np.bool_] = (time < edge) | ((time == edge) & (rest >= 0.0))
        return old

    def _inside(self, entered: Entered) -> tuple[Scored, Floats]:
        """Return the events that are not too old yet, and their times."""
        inside = ~self._is_old(entered.time, np.full(entered.time.size, self._now))
        return entered.events.take(inside), entered.time[inside]
