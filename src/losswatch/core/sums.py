"""The four exact sums that a cost is made of, and how events enter them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from losswatch.core.exact import ExactSum
from losswatch.core.extraction import Extractor
from losswatch.core.validity import LARGEST

__all__ = ["Sums"]

Floats = NDArray[np.float64]

_CHUNK = 16_384
"""Events summed at once: four arrays of them stay in a usual second-level cache."""

_SQUARES_TELL = 1e-280
"""Above this a largest square bounds the largest error; below, it underflows."""


class Sums:
    """``n`` and the exact Σ w·loss, Σ w·error, Σ w·|error| and Σ w of events.

    Every term is a float64 rounded once (``fl(w * loss)`` and so on); their
    sums are exact, so how events were batched cannot be seen in the result.
    """

    __slots__ = ("absolute", "error", "loss", "n", "weight")

    def __init__(self) -> None:
        self.n = 0
        self.loss = ExactSum()
        self.error = ExactSum()
        self.absolute = ExactSum()
        self.weight = ExactSum()

    def exact(self) -> tuple[ExactSum, ExactSum, ExactSum, ExactSum]:
        """Return the four sums in their fixed order."""
        return self.loss, self.error, self.absolute, self.weight

    def merge(self, other: Sums) -> None:
        """Add all events of ``other``."""
        self.n += other.n
        for mine, theirs in zip(self.exact(), other.exact(), strict=True):
            mine.merge(theirs)

    def unmerge(self, other: Sums) -> None:
        """Take all events of ``other`` out again."""
        self.n -= other.n
        for mine, theirs in zip(self.exact(), other.exact(), strict=True):
            mine.unmerge(theirs)

    def copy(self) -> Sums:
        """Return an independent copy."""
        new = Sums()
        new.merge(self)
        return new

    def add_errors(self, errors: list[float]) -> None:
        """Add accepted events of weight 1; for a few hundred, quicker than columns."""
        self.n += len(errors)
        self.loss.update_floats([error * error for error in errors])
        self.error.update_floats(errors)
        self.absolute.update_floats([abs(error) for error in errors])
        self.weight.update(float(len(errors)))

    def add_weighted(self, events: list[tuple[float, float]]) -> None:
        """Add accepted events, given as pairs of error and weight above 0."""
        terms = [w * error for error, w in events]
        self.n += len(events)
        self.loss.update_floats([w * (error * error) for error, w in events])
        self.error.update_floats(terms)
        self.absolute.update_floats([abs(term) for term in terms])
        self.weight.update_floats([w for _, w in events])

    def add_columns(
        self, y_true: Floats, y_pred: Floats | None = None, w: Floats | None = None
    ) -> bool:
        """Add events given as columns; false if one of them is not acceptable.

        After false the sums hold some of the events: add to fresh sums and
        merge them when all went well. Without ``y_pred`` the first column
        holds the errors themselves.
        """
        room = _Room(min(_CHUNK, y_true.size))
        with np.errstate(all="ignore"):
            for start in range(0, y_true.size, _CHUNK):
                cut = slice(start, start + _CHUNK)
                predicted = 0.0 if y_pred is None else y_pred[cut]
                weight = None if w is None else w[cut]
                if room.error.size != y_true[cut].size:  # the last chunk
                    room = _Room(y_true[cut].size)
                if not self._add_chunk(room, y_true[cut], predicted, weight):
                    return False
        return True

    def _add_chunk(
        self, room: _Room, y_true: Floats, y_pred: Floats | float, w: Floats | None
    ) -> bool:
        """Add the events of one chunk; false, and nothing added, if one is bad."""
        error, loss = room.error, room.loss
        np.subtract(y_true, y_pred, error)
        np.multiply(error, error, loss)
        if w is not None:
            if not (w.min() >= 0.0 and w.max() <= LARGEST and loss.max() <= LARGEST):
                return False
            loss *= w
            error *= w
        largest = float(loss.max())
        if not largest <= LARGEST:
            return False
        bound = _largest_error(error, largest, weighted=w is not None)
        room.extractor.add(loss, largest, self.loss)
        room.extractor.add(error, bound, self.error, self.absolute)
        if w is None:
            self.n += error.size
            self.weight.update(float(error.size))
        else:
            self.n += int(np.count_nonzero(w))
            room.extractor.add(w.copy(), float(w.max()), self.weight)
        return True


class _Room:
    """Scratch space for one chunk of events."""

    __slots__ = ("error", "extractor", "loss")

    def __init__(self, size: int) -> None:
        self.error = np.empty(size)
        self.loss = np.empty(size)
        self.extractor = Extractor(size)


def _largest_error(error: Floats, largest_loss: float, *, weighted: bool) -> float:
    """Return a bound on ``|error|``, from the largest square where that is enough."""
    if weighted or largest_loss < _SQUARES_TELL:
        return float(max(error.max(), -error.min()))
    return math.sqrt(largest_loss) * (1.0 + 1e-9)
