"""Which records are forgotten next."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.join.records import SCORED

if TYPE_CHECKING:
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.join.records import Records

__all__ = ["Expiry"]

_NONE = np.zeros(0, dtype=np.intp)


class Expiry:
    """The records of one kind in the order in which they are forgotten.

    To add and to forget a record takes constant time. A record whose deadline
    was moved is passed over where it stood.

    Parameters
    ----------
    records
        Where the deadlines stand.
    scored
        Which kind: those that were scored, or those that wait.
    """

    def __init__(self, records: Records, *, scored: bool) -> None:
        self._records = records
        self._scored = scored
        self._queue: deque[tuple[float, Indexes]] = deque()

    def add(self, rows: Indexes) -> None:
        """Add records; their deadlines are not before those that are in."""
        if rows.size:
            self._queue.append((float(self._records.deadline[rows].max()), rows))

    def clear(self) -> None:
        """Forget the order."""
        self._queue.clear()

    def due(self, now: float, most: int) -> Indexes:
        """Take out the records whose time is over: those of whole batches, about ``most``."""
        found = []
        while self._queue and self._queue[0][0] < now and most > 0:
            deadline, rows = self._queue.popleft()
            rows = self._still(rows)
            found.append(rows[self._records.deadline[rows] <= deadline])
            most -= rows.size
        return np.unique(np.concatenate(found)) if found else _NONE

    def oldest(self, count: int) -> Indexes:
        """Take out the oldest records."""
        found = [_NONE]
        while count > 0 and self._queue:
            deadline, rows = self._queue.popleft()
            rows = self._still(rows)
            rows = rows[self._records.deadline[rows] <= deadline]
            if rows.size > count:
                rows, rest = rows[:count], rows[count:]
                self._queue.appendleft((deadline, rest))
            found.append(rows)
            count -= rows.size
        return np.unique(np.concatenate(found))

    def _still(self, rows: Indexes) -> Indexes:
        """Return those that are of this kind still."""
        bits = self._records.bits[rows]
        scored = bits == SCORED
        still: Indexes = rows[scored if self._scored else (bits != 0) & ~scored]
        return still
