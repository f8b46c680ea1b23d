"""The four exact sums that a cost is made of, and how events enter them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from losswatch.core.exact import ExactSum
from losswatch.core.extraction import Extractor, list_parts
from losswatch.core.validity import LARGEST

__all__ = ["Sums"]

Floats = NDArray[np.float64]
Terms = tuple[list[float], list[float], list[float], list[float]]

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
        squares = [error * error for error in errors]
        n = len(errors)
        self._add(n, (squares, errors, [abs(error) for error in errors], [float(n)]))

    def add_weighted(self, events: list[tuple[float, float]]) -> None:
        """Add accepted events, given as pairs of error and weight above 0."""
        terms = [w * error for error, w in events]
        losses = [w * (error * error) for error, w in events]
        weights = [w for _, w in events]
        self._add(len(events), (losses, terms, [abs(term) for term in terms], weights))

    def add_columns(
        self, y_true: Floats, y_pred: Floats | None = None, w: Floats | None = None
    ) -> bool:
        """Add events given as columns; false, and none added, if one is not acceptable.

        Without ``y_pred`` the first column holds the errors themselves.
        """
        chunk = _Chunk(min(_CHUNK, y_true.size))
        with np.errstate(all="ignore"):
            for start in range(0, y_true.size, _CHUNK):
                cut = slice(start, start + _CHUNK)
                weight = None if w is None else w[cut]
                predicted = 0.0 if y_pred is None else y_pred[cut]
                if not chunk.add(y_true[cut], predicted, weight):
                    return False
        n = y_true.size if w is None else int(np.count_nonzero(w))
        self._add(n, chunk.parts)
        return True

    def _add(self, n: int, terms: Terms) -> None:
        """Add the terms of ``n`` events, or floats of the same sums."""
        self.n += n
        for total, floats in zip(self.exact(), terms, strict=True):
            for value in list_parts(floats):  # a fifth of the price of one by one
                total.update(value)


class _Chunk:
    """Room for one chunk of events at a time, and the parts of all so far."""

    __slots__ = ("_error", "_extractor", "_loss", "parts")

    def __init__(self, size: int) -> None:
        self.parts: Terms = ([], [], [], [])
        self._resize(size)

    def add(self, y_true: Floats, y_pred: Floats | float, w: Floats | None) -> bool:
        """Extract the terms of some events; false if one is not acceptable."""
        if y_true.size != self._error.size:  # the last chunk
            self._resize(y_true.size)
        error, loss = self._error, self._loss
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
        self._extract(loss, largest, error, bound, w)
        return True

    def _extract(
        self, loss: Floats, largest: float, error: Floats, bound: float, w: Floats | None
    ) -> None:
        losses, errors, absolute, weights = self.parts
        self._extractor.extract(loss, largest, losses, None)
        self._extractor.extract(error, bound, errors, absolute)
        if w is None:
            weights.append(float(error.size))
        else:
            self._extractor.extract(w.copy(), float(w.max()), weights, None)

    def _resize(self, size: int) -> None:
        self._error, self._loss = np.empty(size), np.empty(size)
        self._extractor = Extractor(size)


def _largest_error(error: Floats, largest_loss: float, *, weighted: bool) -> float:
    """Return a bound on ``|error|``, from the largest square where that is enough."""
    if weighted or largest_loss < _SQUARES_TELL:
        return float(max(error.max(), -error.min()))
    return math.sqrt(largest_loss) * (1.0 + 1e-9)
