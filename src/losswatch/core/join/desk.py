"""Where late truths are joined and the events that they complete are booked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.cells.scored import Scored
from losswatch.core.join.edge import Edge
from losswatch.core.join.joiner import Joiner
from losswatch.core.join.merging import Overlap, adopt, both_scored, parts_of
from losswatch.core.join.records import PREDICTED, SCORED
from losswatch.core.windows.batch import Entered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from losswatch.core.books import Books, Merged
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.events import EventColumns
    from losswatch.core.join.arrivals import Arrivals
    from losswatch.core.join.joiner import Before, Joined
    from losswatch.core.join.records import Records
    from losswatch.core.join.settings import Join
    from losswatch.core.join.tally import JoinSnapshot
    from losswatch.errors import RejectedEvent

__all__ = ["Desk", "Taken"]

_SWEPT_AT_REST = 20_000
"""Records that are forgotten at once when nothing comes in: some 10 ms."""


@dataclass(slots=True)
class Taken:
    """What became of a batch: its refusals, the places of what was known, what was scored."""

    rejected: list[RejectedEvent] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)
    scored: int = 0

    def add(self, other: Taken, places: Sequence[int]) -> None:
        """Add what became of a part, whose events are at these places of the whole."""
        self.rejected += [r.at(places[r.index or 0]) for r in other.rejected]
        self.duplicates += [places[index] for index in other.duplicates]
        self.scored += other.scored


class Desk:
    """Takes the events of a model that have ids. Not thread-safe.

    Parameters
    ----------
    settings
        How long is waited, and how many are kept.
    books
        Where scored events are entered.
    outputs, labels
        The names of the outputs, and those of the labels of segments.
    """

    def __init__(
        self, settings: Join, books: Books, outputs: tuple[str, ...], labels: tuple[str, ...]
    ) -> None:
        self.joiner = Joiner(settings, len(outputs))
        self.edge = Edge(labels, timed=books.needs_time)
        self._books = books
        self._outputs = outputs
        self._labels = labels

    def take(
        self, events: EventColumns, y_true: Floats, y_pred: Floats, at: float | Floats | None
    ) -> Taken:
        """Join events, all with ids; see :meth:`Edge.check`."""
        arrivals, rejected = self.edge.check(events, y_true, y_pred, at)
        taken = Taken(rejected)
        for part in _steps(arrivals, self.joiner.settings.retention):
            self._take(part, taken, None if at is None else float(part.clock[-1]))
        return taken

    def merge(self, other: Desk) -> Callable[[Merged], Taken]:
        """Take what both know out of the other's books; return what adds the rest.

        That is to be called when the books have been merged.
        """
        mine, theirs = self.joiner.records, other.joiner.records
        overlap = Overlap.of(mine, theirs)
        other._withdraw(both_scored(mine, theirs, overlap))
        return partial(self._adopt, other, overlap)

    def _adopt(self, other: Desk, overlap: Overlap, merged: Merged) -> Taken:
        mine, theirs = self.joiner.records, other.joiner.records
        self.edge.now = now = max(self.edge.now, other.edge.now)
        tally = self.joiner.tally.merged(other.joiner.tally, *_known_to_both(mine, theirs, overlap))
        better = (theirs.bits[overlap.theirs] == SCORED) & (mine.bits[overlap.mine] != SCORED)
        late = [*parts_of(mine, overlap.mine[better], now)]
        late += parts_of(theirs, overlap.theirs[~better], now)
        mine.drop(overlap.mine[better])
        rows = np.concatenate([overlap.alone, overlap.theirs[better]])
        adopt(mine, theirs, rows, merged.slots, next(iter(merged.offsets.values())))
        self.joiner.requeue()
        taken = Taken()
        for part in late:
            self._take(part, taken, now)
        tally.ever_scored += taken.scored
        self.joiner.tally = tally
        return taken

    def _withdraw(self, rows: Indexes) -> None:
        """Take events out of the books, as if they had not come."""
        records = self.joiner.records
        rows = rows[records.slot[rows] >= 0]
        if not rows.size:
            return
        place = (records.clock[rows], records.seq[rows], records.pool_seq[rows])
        for index, output in enumerate(self._outputs):
            slots = records.slot[rows].astype(np.intp)
            scored = self._scored(index, rows, records.y_true[index, rows], slots)
            self._books.remove(output, Entered(scored, records.time[rows], *place))

    def _take(self, part: Arrivals, taken: Taken, at: float | None) -> None:
        joined = self.joiner.take(part)
        self._revise(joined.revised)
        self._enter(joined, at)
        self.joiner.settle(joined.scored, float(part.clock[-1]))
        taken.rejected += joined.rejected
        taken.duplicates += joined.duplicates
        taken.scored += joined.scored.size

    def snapshot(self, now: float) -> JoinSnapshot:
        """Return what waits at a time, and what was counted."""
        return self.joiner.snapshot(max(now, self.edge.now))

    def sweep(self, now: float) -> None:
        """Forget what is over."""
        self.joiner.sweep(now, _SWEPT_AT_REST)

    def dump(self) -> dict[str, Any]:
        """Return all that a restart must not lose."""
        return {"now": self.edge.now, **self.joiner.dump()}

    def load(self, tree: Mapping[str, Any]) -> None:
        """Take over what :meth:`dump` returned; see :meth:`Joiner.load`."""
        slots = 1 if self._books.registry is None else self._books.registry.size
        self.joiner.load(tree, slots)
        self.edge.now = tree["now"]
        if len(self.joiner.records):
            self._books.keep(self.joiner.settings.retention)

    def _enter(self, joined: Joined, at: float | None) -> None:
        """Enter what was scored; weight 0 changes nothing."""
        records = self.joiner.records
        rows = joined.scored[records.w[joined.scored] != 0.0]
        if not rows.size:
            return
        self._books.keep(self.joiner.settings.retention)
        self._books.fold(at)  # idle segments make room first
        time, slots = self.joiner.event_time(rows), self._slots(rows)
        for index, output in enumerate(self._outputs):
            scored = self._scored(index, rows, records.y_true[index, rows], slots)
            entered = self._books.enter(output, scored, time, at)
        records.slot[rows], records.time[rows] = slots, time
        records.clock[rows] = entered.clock
        records.seq[rows], records.pool_seq[rows] = entered.seq, entered.pool_seq

    def _revise(self, before: Before) -> None:
        """Take revised events out and put them in anew."""
        records, rows = self.joiner.records, before.rows
        if not rows.size:
            return
        slots, time = records.slot[rows].astype(np.intp), self.joiner.event_time(rows)
        place = (records.clock[rows], records.seq[rows], records.pool_seq[rows])
        for index, output in enumerate(self._outputs):
            old = self._scored(index, rows, before.y_true[index], slots)
            new = self._scored(index, rows, records.y_true[index, rows], slots)
            self._books.revise(
                output, Entered(old, before.time, *place), Entered(new, time, *place)
            )
        records.time[rows] = time

    def _scored(self, output: int, rows: Indexes, y_true: Floats, slots: Indexes) -> Scored:
        w = self.joiner.records.w[rows]
        error = y_true - self.joiner.records.y_pred[output, rows]
        return Scored(slots, error, y_true, None if (w == 1.0).all() else w)

    def _slots(self, rows: Indexes) -> Indexes:
        """Return the slots of the segments of events."""
        registry = self._books.registry
        if registry is None:
            return np.zeros(rows.size, dtype=np.intp)
        keys = [self.joiner.records.keys[row] for row in rows.tolist()]
        unlabelled = (None,) * len(self._labels)
        values = zip(*[unlabelled if key is None else key for key in keys], strict=True)
        columns = dict(zip(self._labels, values, strict=True))
        return registry.places(columns, np.ones(rows.size, dtype=bool))[0]


def _known_to_both(mine: Records, theirs: Records, overlap: Overlap) -> tuple[int, int]:
    """Return how many predictions both machines know, and how many both scored."""
    both = mine.bits[overlap.mine] & theirs.bits[overlap.theirs]
    return int(np.count_nonzero(both & PREDICTED)), int(np.count_nonzero(both == SCORED))


def _steps(arrivals: Arrivals, retention: float) -> list[Arrivals]:
    """Cut arrivals where more time passes than an event is kept: it may be over within them."""
    parts, start, clock = [], 0, arrivals.clock
    while start < len(arrivals):
        end = len(arrivals)
        if retention and clock[-1] > clock[start] + retention:
            end = int(np.searchsorted(clock, clock[start] + retention, side="right"))
        whole = end - start == len(arrivals)
        parts.append(arrivals if whole else arrivals.take(np.arange(start, end)))
        start = end
    return parts
