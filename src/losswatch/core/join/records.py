"""The predictions, truths and scored events that are kept, by their id."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = ["PREDICTED", "SCORED", "TRUE", "Records"]

PREDICTED = 1
"""The bit of a record whose prediction is known."""

TRUE = 2
"""The bit of a record whose truth is known."""

SCORED = PREDICTED | TRUE
"""The bits of a record that was scored."""

_FIRST_SIZE = 1024


class Records:
    """One row for each id: what is known of it, in columns.

    A row takes about 100 bytes, and its id about 150 more in the index, which
    is a ``dict``.

    Parameters
    ----------
    outputs
        How many numbers a prediction has.

    Attributes
    ----------
    bits
        Which parts are known; 0 where the row is free.
    y_pred, y_true
        A row for each output.
    w
        The weight.
    predicted_at
        The time of the prediction.
    true_at, revised_at
        The time of the truth that came first, and of the one that counts.
    deadline
        When the record is forgotten.
    slot, time, clock, seq, pool_seq
        Where the event was entered; the slot is below 0 if it was not.
    keys
        The values of the segment's labels, as they were sent.
    """

    NUMBERS = ("w", "predicted_at", "true_at", "revised_at", "deadline", "time", "clock")
    WHOLE = ("slot", "seq", "pool_seq")

    def __init__(self, outputs: int) -> None:
        self.outputs = outputs
        self.bits = np.zeros(0, dtype=np.uint8)
        self.y_pred: Floats = np.zeros((outputs, 0))
        self.y_true: Floats = np.zeros((outputs, 0))
        self.w: Floats = np.zeros(0)
        self.predicted_at: Floats = np.zeros(0)
        self.true_at: Floats = np.zeros(0)
        self.revised_at: Floats = np.zeros(0)
        self.deadline: Floats = np.zeros(0)
        self.time: Floats = np.zeros(0)
        self.clock: Floats = np.zeros(0)
        self.slot: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.seq: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.pool_seq: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.ids: list[str | None] = []
        self.keys: list[Any] = []
        self._rows: dict[str, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, ids: Sequence[str]) -> Indexes:
        """Return the row of each id, -1 where there is none."""
        return np.fromiter(map(self._rows.get, ids, repeat(-1)), dtype=np.intp, count=len(ids))

    def add(self, ids: Sequence[str]) -> Indexes:
        """Give ids that have none a row of their own; nothing is known of them yet."""
        reused = min(len(self._free), len(ids))
        rows = self._free[len(self._free) - reused :]
        del self._free[len(self._free) - reused :]
        for row, name in zip(rows, ids, strict=False):
            self.ids[row] = name
        start = len(self.ids)
        rows += range(start, start + len(ids) - reused)
        self.ids += ids[reused:]
        self.keys += repeat(None, len(ids) - reused)
        self._grow(len(self.ids))
        self._rows.update(zip(ids, rows, strict=True))
        return np.array(rows, dtype=np.intp)

    def drop(self, rows: Indexes) -> None:
        """Forget records."""
        self.bits[rows] = 0
        self.slot[rows] = -1
        places = rows.tolist()
        for row in places:
            name = self.ids[row]
            if name is not None:
                del self._rows[name]
            self.ids[row] = self.keys[row] = None
        self._free += places

    def occupied(self) -> Indexes:
        """Return the rows that are in use."""
        return np.flatnonzero(self.bits[: len(self.ids)])

    def _grow(self, size: int) -> None:
        held = self.bits.size
        if size <= held:
            return
        new = max(_FIRST_SIZE, size + size // 2)
        self.bits = np.append(self.bits, np.zeros(new - held, dtype=np.uint8))
        for name in (*self.NUMBERS, *self.WHOLE):
            column = getattr(self, name)
            setattr(self, name, np.append(column, np.zeros(new - held, dtype=column.dtype)))
        more = np.zeros((self.outputs, new - held))
        self.y_pred = np.hstack((self.y_pred, more))
        self.y_true = np.hstack((self.y_true, more))
        self.slot[held:] = -1
