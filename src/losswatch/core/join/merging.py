"""The records of two machines as one: what both know counts once, what fits is joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.join.arrivals import Arrivals
from losswatch.core.join.records import PREDICTED, SCORED, TRUE, Records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = ["Overlap", "adopt", "both_scored", "parts_of"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which records of another machine are known here: rows there, and rows here."""

    alone: Indexes
    theirs: Indexes
    mine: Indexes

    @classmethod
    def of(cls, mine: Records, theirs: Records) -> Overlap:
        """Compare the ids of two machines."""
        rows = theirs.occupied()
        known = mine.find([theirs.ids[row] or "" for row in rows.tolist()])
        return cls(rows[known < 0], rows[known >= 0], known[known >= 0])


def adopt(mine: Records, theirs: Records, rows: Indexes, slots: Indexes, offset: int) -> None:
    """Copy records; those of events that were entered go to other slots and numbers."""
    new = mine.add([theirs.ids[row] or "" for row in rows.tolist()])
    for name in ("bits", *Records.NUMBERS, *Records.WHOLE):
        getattr(mine, name)[new] = getattr(theirs, name)[rows]
    mine.y_pred[:, new], mine.y_true[:, new] = theirs.y_pred[:, rows], theirs.y_true[:, rows]
    for row, source in zip(new.tolist(), rows.tolist(), strict=True):
        mine.keys[row] = theirs.keys[source]
    entered = new[mine.slot[new] >= 0]
    mine.slot[entered] = slots[mine.slot[entered]]
    mine.pool_seq[entered] += offset


def parts_of(records: Records, rows: Indexes, now: float) -> Iterator[Arrivals]:
    """Yield what is known in some records as arrivals of now: first predictions, then truths.

    A truth comes twice, at its first and at its latest time.
    """
    nothing = np.full((records.outputs, rows.size), np.nan)
    y_pred = np.where(records.bits[rows] & PREDICTED, records.y_pred[:, rows], np.nan)
    y_true = np.where(records.bits[rows] & TRUE, records.y_true[:, rows], np.nan)
    for sides, time in (
        ((y_pred, nothing), records.predicted_at),
        ((nothing, y_true), records.true_at),
        ((nothing, y_true), records.revised_at),
    ):
        some = np.flatnonzero(~np.isnan(sides[0][0]) | ~np.isnan(sides[1][0]))
        if some.size:
            yield _arrivals(records, rows[some], sides[0][:, some], sides[1][:, some], time, now)


def _arrivals(  # noqa: PLR0913, PLR0917  # the columns of arrivals
    records: Records, rows: Indexes, y_pred: Floats, y_true: Floats, time: Floats, now: float
) -> Arrivals:
    places = rows.tolist()
    return Arrivals(
        ids=[records.ids[row] or "" for row in places],
        y_pred=y_pred,
        y_true=y_true,
        w=records.w[rows],
        time=time[rows],
        clock=np.full(rows.size, now),
        keys=[records.keys[row] for row in places],
        place=np.arange(rows.size),
    )


def both_scored(mine: Records, theirs: Records, overlap: Overlap) -> Indexes:
    """Return the rows there of events that were scored on both machines."""
    both = (mine.bits[overlap.mine] == SCORED) & (theirs.bits[overlap.theirs] == SCORED)
    rows: Indexes = overlap.theirs[both]
    return rows
