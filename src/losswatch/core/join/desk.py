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
from losswatch.core.join.saved import load_records, load_tally
from losswatch.core.windows.batch import Entered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from losswatch.core.books import Books
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.events import EventColumns
    from losswatch.core.join.arrivals import Arrivals
    from losswatch.core.join.joiner import Before, Joined
    from losswatch.core.join.records import Records
    from losswatch.core.join.settings import Join
    from losswatch.core.join.tally import JoinSnapshot
    from losswatch.core.saved_books import Merged
    from losswatch.core.tree import Node
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
        start = 0
        while start < len(arrivals):
            end = self._end(arrivals, start)
            whole = end - start == len(arrivals)
            part = arrivals if whole else arrivals.take(np.arange(start, end))
            self._take(part, taken, timed=at is not None)
            start = end
        return taken

    def _end(self, arrivals: Arrivals, start: int) -> int:
        """Return up to where arrivals can be taken together: no event is over within them."""
        clock, retention, end = arrivals.clock, self.joiner.settings.retention, len(arrivals)
        if retention and clock[-1] > clock[start] + retention:
            end = int(np.searchsorted(clock, clock[start] + retention, side="right"))
        ids = arrivals.ids[start:end]
        if clock[end - 1] == clock[start] or len(set(ids)) == end - start:
            return end
        rows = self.joiner.records.find(ids)
        known = np.flatnonzero(rows >= 0)
        over = self.joiner.records.deadline[rows[known]] < clock[start:end][known]
        first = dict(zip(reversed(ids), range(end - start - 1, -1, -1), strict=True))
        late: list[int] = known[over].tolist()
        for place in late:
            if first[ids[place]] < place:  # it may have revised what is over by now
                return start + place
        return end

    def merge(self, other: Desk) -> Callable[[Merged], Taken]:
        """Take what both know out of the other's books; return what adds the rest.

        That is to be called when the books have been merged.
        """
        mine, theirs = self.joiner.records, other.joiner.records
        overlap = Overlap.of(mine, theirs)
        other._withdraw(both_scored(mine, theirs, overlap))
        if other.joiner.tally.ever_scored:
            self._books.keep(self.joiner.settings.retention)
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
        known = np.append(overlap.mine, mine.find([theirs.ids[row] or "" for row in rows.tolist()]))
        known = known[mine.bits[known] != 0]  # what is known to both counts once, however old
        mine.deadline[known] = np.maximum(mine.deadline[known], now)
        self.joiner.requeue()
        taken = Taken()
        for part in late:
            self._take(part, taken, timed=True)
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

    def _take(self, part: Arrivals, taken: Taken, *, timed: bool) -> None:
        joined = self.joiner.take(part)
        self._revise(joined.revised)
        self._enter(joined, timed=timed)
        self.joiner.settle(joined.scored, len(part), float(part.clock[-1]))
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

    def read(self, node: Node) -> tuple[int, Callable[[], None]]:
        """Return how many slots a state that :meth:`dump` returned needs, and what takes it over.

        Nothing may have been taken yet.

        Raises
        ------
        StateError
            It is no such state, or is of other outputs or labels.
        """
        now, tally = node.number("now"), load_tally(node)
        records = load_records(node.node("records"), len(self._outputs), len(self._labels))

        def take_over() -> None:
            settings = self.joiner.settings
            kept = np.where(records.bits == SCORED, settings.retention, settings.ttl)
            np.minimum(records.deadline, now + kept, out=records.deadline)  # if it was longer
            self.joiner.load(records, tally)
            self.edge.now = now
            if tally.ever_scored:
                self._books.keep(settings.retention)

        return int(records.slot.max(initial=-1)) + 1, take_over

    def _enter(self, joined: Joined, *, timed: bool) -> None:
        """Enter what was scored; weight 0 changes nothing."""
        if not joined.scored.size:
            return
        self._books.keep(self.joiner.settings.retention)
        records = self.joiner.records
        counts = records.w[joined.scored] != 0.0
        rows, at = joined.scored[counts], joined.clock[counts] if timed else None
        if not rows.size:
            return
        self._books.fold(None if at is None else float(at[-1]))  # idle segments make room first
        time, slots = self.joiner.event_time(rows), self._slots(rows)
        for index, output in enumerate(self._outputs):
            scored = self._scored(index, rows, records.y_true[index, rows], slots)
            entered = self._books.enter(output, scored, time, at)
            if self._books.exemplars:
                ids = [records.ids[row] or "" for row in rows.tolist()]
                self._books.remember(output, entered, ids)
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
