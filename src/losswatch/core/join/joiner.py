"""The join of one model: arrivals in, scored and revised events out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.join.expiry import Expiry
from losswatch.core.join.parts import in_parts
from losswatch.core.join.records import PREDICTED, SCORED, TRUE, Records
from losswatch.core.join.rules import decide
from losswatch.core.join.saved import dump_records
from losswatch.core.join.tally import LIMIT, PREDICTION, TRUTH, TTL, JoinSnapshot, Tally

if TYPE_CHECKING:
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.join.arrivals import Arrivals
    from losswatch.core.join.rules import Decision
    from losswatch.core.join.settings import Join
    from losswatch.errors import RejectedEvent

__all__ = ["Joined", "Joiner"]

_SWEPT = 4096
"""Records that are forgotten at least with a batch, if it is time: about 1 ms."""


@dataclass(slots=True)
class Before:
    """Rows of events that were revised, with the truth and the time that were entered."""

    rows: Indexes
    y_true: Floats
    time: Floats

    @classmethod
    def first(cls, parts: list[Before], outputs: int) -> Before:
        """Return all as one: what a row held before the first of its revisions."""
        rows = np.concatenate([_NONE, *(part.rows for part in parts)])
        y_true = np.hstack([np.zeros((outputs, 0)), *(part.y_true for part in parts)])
        time = np.concatenate([np.zeros(0), *(part.time for part in parts)])
        rows, first = np.unique(rows, return_index=True)
        return cls(rows, y_true[:, first], time[first])


@dataclass(slots=True)
class Joined:
    """What a batch led to: places of refusals and duplicates, rows to enter and to revise.

    ``clock`` is when each of the scored ones was complete.
    """

    scored: Indexes
    clock: Floats
    revised: Before
    rejected: list[RejectedEvent]
    duplicates: list[int]


class Joiner:
    """Joins the predictions and truths of a model by their id.

    Which come first does not matter. An arrival takes about 2 µs in batches of
    a thousand, with any number of records. Not thread-safe.

    Parameters
    ----------
    settings
        How long is waited, and how many are kept.
    outputs
        How many numbers a prediction has.
    """

    def __init__(self, settings: Join, outputs: int) -> None:
        self.settings = settings
        self.records = Records(outputs)
        self.tally = Tally()
        self._waiting = Expiry(self.records, scored=False)
        self._retained = Expiry(self.records, scored=True)
        self._scored = 0  # how many of the records are
        self._shown: dict[str, int] = {}  # what was given up, as it was read last

    def take(self, arrivals: Arrivals) -> Joined:
        """Take a batch, whose clock goes on by no more than the retention.

        The events that it completes are to be entered, those that it revises
        to be entered anew; then :meth:`settle` is to be called.
        """
        scored, places, waits, revised = [_NONE], [_NONE], [], []
        joined = Joined(_NONE, _NEVER, Before.first([], self.records.outputs), [], [])
        for part in in_parts(arrivals, self.records):
            rows = self._rows(part)
            decision = decide(part, self.records, rows)
            revised.append(self._before(decision, rows))
            new, wait = self._write(part, rows, decision)
            scored.append(rows[new])
            places.append(part.place[new])
            waits.append((rows[wait], part.place[wait]))
            joined.rejected += [r.at(int(part.place[r.index or 0])) for r in decision.rejected]
            joined.duplicates += part.place[_adds_nothing(decision, part)].tolist()
        order = np.argsort(np.concatenate(places), kind="stable")  # as they came
        joined.scored = np.concatenate(scored)[order]
        joined.clock = arrivals.clock[
            np.searchsorted(arrivals.place, np.concatenate(places)[order])
        ]
        self._wait(waits)
        joined.revised = Before.first(revised, self.records.outputs)
        return joined

    def event_time(self, rows: Indexes) -> Floats:
        """Return the time of scored events."""
        records = self.records
        return (records.true_at if self.settings.time == "truth" else records.predicted_at)[rows]

    def settle(self, scored: Indexes, arrived: int, now: float) -> None:
        """Keep the events that were scored for a while; forget what is over.

        That is more than what ``arrived``, so that it does not pile up.
        """
        if self.settings.retention > 0.0:
            self._scored += scored.size
            self._retained.add(scored)
        else:
            self.records.drop(scored)
        self.sweep(now, max(_SWEPT, 2 * arrived))

    def sweep(self, now: float, most: int) -> None:
        """Forget what is over, and the oldest where there are too many."""
        self._expire(self._waiting.due(now, most), TTL)
        self._forget(self._retained.due(now, most))
        over = len(self.records) - self._scored - self.settings.pending
        if over > 0:
            rows = self._waiting.oldest(over)
            late = self.records.deadline[rows] < now  # they were shown as such already
            self._expire(rows[late], TTL)
            self._expire(rows[~late], LIMIT)
        if self._scored > self.settings.retained:
            self._forget(self._retained.oldest(self._scored - self.settings.retained))

    def snapshot(self, now: float) -> JoinSnapshot:
        """Return what waits at a time, and what was counted: no less than before."""
        tally, records = self.tally, self.records
        rows = records.occupied()
        bits, over = records.bits[rows], records.deadline[rows] < now
        late = {part: int(np.count_nonzero(over & (bits == part))) for part in (PREDICTED, TRUE)}
        return JoinSnapshot(
            pending_predictions=int(np.count_nonzero(bits == PREDICTED)) - late[PREDICTED],
            pending_truths=int(np.count_nonzero(bits == TRUE)) - late[TRUE],
            retained=int(np.count_nonzero((bits == SCORED) & ~over)),
            predicted=tally.predicted,
            scored=tally.scored,
            revised=tally.revised,
            expired={**tally.expired, TTL: self._show("expired", late[PREDICTED])},
            unmatched={**tally.unmatched, TTL: self._show("unmatched", late[TRUE])},
            duplicates=dict(tally.duplicates),
            delays=tally.delays,
            delay_sum=tally.delay_sum,
            ever_predicted=tally.ever_predicted,
            ever_scored=tally.ever_scored,
            last_prediction=tally.last_prediction,
            last_truth=tally.last_truth,
        )

    def dump(self) -> dict[str, Any]:
        """Return all that a restart must not lose."""
        tally = self.tally
        names = ("ever_predicted", "ever_scored", "last_prediction", "last_truth")
        return {
            "records": dump_records(self.records),
            **{name: getattr(tally, name) for name in names},
        }

    def load(self, records: Records, tally: Tally) -> None:
        """Continue with these; nothing may have been taken yet."""
        self.records, self.tally = records, tally
        self._waiting = Expiry(records, scored=False)
        self._retained = Expiry(records, scored=True)
        self.requeue()

    def requeue(self) -> None:
        """Put all records in the order in which they are forgotten."""
        rows = self.records.occupied()
        rows = rows[np.argsort(self.records.deadline[rows], kind="stable")]
        scored = self.records.bits[rows] == SCORED
        self._scored = int(np.count_nonzero(scored))
        for expiry, some in ((self._waiting, rows[~scored]), (self._retained, rows[scored])):
            expiry.clear()
            for start in range(0, some.size, _SWEPT):
                expiry.add(some[start : start + _SWEPT])

    def _show(self, what: str, late: int) -> int:
        """Return how many were given up, with those that only time did; it never falls."""
        count: int = getattr(self.tally, what)[TTL] + late
        shown = self._shown[what] = max(count, self._shown.get(what, 0))
        return shown

    def _wait(self, waits: list[tuple[Indexes, Indexes]]) -> None:
        """Put records that wait still in the order in which they came; given by row and place."""
        rows, places = waits[0]
        if len(waits) > 1:
            rows, places = (np.concatenate(column) for column in zip(*waits, strict=True))
            rows = rows[np.argsort(places, kind="stable")]
            _, last = np.unique(rows[::-1], return_index=True)  # a row may have a new id by now
            rows = rows[np.sort(rows.size - 1 - last)]
        bits = self.records.bits[rows]
        self._waiting.add(rows[(bits == PREDICTED) | (bits == TRUE)])

    def _rows(self, part: Arrivals) -> Indexes:
        """Return the rows of arrivals, new ones where an id is not known or is over."""
        rows = self.records.find(part.ids)
        known = np.flatnonzero(rows >= 0)
        over = rows[known[self.records.deadline[rows[known]] < part.clock[known]]]
        if over.size:
            self._expire_any(over)
            rows = self.records.find(part.ids)
        new = np.flatnonzero(rows < 0)
        if new.size:
            rows[new] = self.records.add([part.ids[place] for place in new.tolist()])
        return rows

    def _before(self, decision: Decision, rows: Indexes) -> Before:
        """Return what is about to change of events that are entered."""
        records = self.records
        entered = decision.accepted & (records.slot[rows] >= 0)
        if self.settings.time == "truth":
            moved = decision.true_at != records.true_at[rows]
        else:
            moved = np.zeros(rows.size, dtype=bool)
        changed = rows[entered & (decision.revised | moved)]
        return Before(changed, records.y_true[:, changed], records.time[changed])

    def _write(self, part: Arrivals, rows: Indexes, decision: Decision) -> tuple[Indexes, Indexes]:
        """Write down a decision; return the places of what it completes, and of what waits now."""
        records, settings = self.records, self.settings
        known, ok = records.bits[rows], decision.accepted
        decision.write(records, rows)
        waits = np.flatnonzero(ok & (known == 0) & (decision.bits != SCORED))
        new = np.flatnonzero(ok & (known != SCORED) & (decision.bits == SCORED))
        records.deadline[rows[waits]] = part.clock[waits] + settings.ttl
        kept = settings.retention or np.inf  # without one they go when the batch is settled
        records.deadline[rows[new]] = part.clock[new] + kept
        for place in np.flatnonzero(ok & decision.new_prediction).tolist():
            records.keys[rows[place]] = part.keys[place]
        records.drop(rows[(known == 0) & ~ok])
        self._count(part, decision, rows, new)
        return new, waits

    def _count(self, part: Arrivals, decision: Decision, rows: Indexes, new: Indexes) -> None:
        tally, ok, at = self.tally, decision.accepted, float(part.clock[-1])
        tally.add_predictions(int(np.count_nonzero(ok & decision.new_prediction)), at)
        tally.revised += int(np.count_nonzero(ok & decision.revised))
        tally.duplicates[PREDICTION] += int(np.count_nonzero(ok & decision.same_prediction))
        tally.duplicates[TRUTH] += int(np.count_nonzero(ok & decision.same_truth))
        if (ok & part.has_true).any():
            tally.last_truth = max(tally.last_truth or 0.0, at)
        scored = rows[new]
        tally.add_scored(self.records.true_at[scored] - self.records.predicted_at[scored])

    def _expire_any(self, rows: Indexes) -> None:
        """Forget records that are over, whether they wait or were scored."""
        scored = self.records.bits[rows] == SCORED
        self._forget(rows[scored])
        self._expire(rows[~scored], TTL)

    def _expire(self, rows: Indexes, why: str) -> None:
        """Give up records that wait in vain."""
        predictions = int(np.count_nonzero(self.records.bits[rows] == PREDICTED))
        self.tally.expired[why] += predictions
        self.tally.unmatched[why] += rows.size - predictions
        self.records.drop(rows)

    def _forget(self, rows: Indexes) -> None:
        """Forget events that were scored; they count, and cannot be revised any more."""
        self._scored -= rows.size
        self.records.drop(rows)


def _adds_nothing(decision: Decision, part: Arrivals) -> Indexes:
    """Return the places of arrivals of which every part is known already."""
    news = (part.has_pred & ~decision.same_prediction) | (part.has_true & ~decision.same_truth)
    return np.flatnonzero(~news & decision.accepted)


_NONE = np.zeros(0, dtype=np.intp)
_NEVER = np.zeros(0)
