"""Which records are forgotten next."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.join.records import SCORED

if TYPE_CHECKING:
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.join.records import Records

__all__ = ["Expiry"]

_NONE = np.zeros(0, dtype=np.intp)

_PART = 4096
"""Records that are kept in one part of the order."""


class Expiry:
    """The records of one kind in the order in which they are forgotten.

    To add and to forget a record takes constant time. A record that is no
    longer of the kind is passed over where it stood; when most of them are,
    they are thrown out, so that the order is never much longer than the
    records: 16 bytes each, up to twice.

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
        self._queue: deque[tuple[Floats, Indexes]] = deque()  # deadlines of that time, and rows
        self._size = 0
        self._full = _PART

    def __len__(self) -> int:
        return self._size

    def add(self, rows: Indexes) -> None:
        """Add records in the order of their deadlines, which are not before those that are in."""
        if not rows.size:
            return
        part = self._records.deadline[rows], rows
        queue = self._queue
        while queue and queue[-1][1].size <= min(2 * part[1].size, _PART):  # so there are few
            deadline, others = queue.pop()
            part = np.concatenate([deadline, part[0]]), np.concatenate([others, part[1]])
        queue.append(part)
        self._size += rows.size
        if self._size > self._full:
            self._thin()

    def clear(self) -> None:
        """Forget the order."""
        self._queue.clear()
        self._size, self._full = 0, _PART

    def due(self, now: float, most: int) -> Indexes:
        """Take out the records whose time is over, up to ``most``."""
        found = [_NONE]
        while self._queue and self._queue[0][0][0] < now and most > 0:
            end = int(np.searchsorted(self._queue[0][0], now))
            found.append(self._pop(min(end, most)))
            most -= found[-1].size
        return np.unique(np.concatenate(found))

    def oldest(self, count: int) -> Indexes:
        """Take out the oldest records."""
        found = [_NONE]
        while count > 0 and self._queue:
            found.append(self._pop(count))
            count -= found[-1].size
        return np.unique(np.concatenate(found))

    def _pop(self, count: int) -> Indexes:
        """Take out the first of the first part; return those that are still as they were."""
        deadline, rows = self._queue.popleft()
        if rows.size > count:
            self._queue.appendleft((deadline[count:], rows[count:]))
            deadline, rows = deadline[:count], rows[:count]
        self._size -= rows.size
        return rows[self._still(deadline, rows)]

    def _thin(self) -> None:
        """Throw out what is passed over."""
        deadline = np.concatenate([part[0] for part in self._queue])
        rows = np.concatenate([part[1] for part in self._queue])
        still = self._still(deadline, rows)
        deadline, rows = deadline[still], rows[still]
        ends = range(_PART, rows.size, _PART)
        parts = zip(np.split(deadline, ends), np.split(rows, ends), strict=True)
        self._queue = deque(part for part in parts if part[1].size)
        self._size, self._full = rows.size, 2 * rows.size + _PART

    def _still(self, deadline: Floats, rows: Indexes) -> Indexes:
        """Return the places of those that are of this kind still, and not for another id."""
        bits = self._records.bits[rows]
        scored = bits == SCORED
        kind = scored if self._scored else (bits != 0) & ~scored
        return np.flatnonzero(kind & (self._records.deadline[rows] == deadline))
