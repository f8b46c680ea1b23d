"""Exact sums over a range of events that moves, summed up only when they are read."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from losswatch.core.exact import ExactSum
from losswatch.core.extraction import Extractor
from losswatch.core.validity import LARGEST

if TYPE_CHECKING:
    from array import array

__all__ = ["AbsoluteErrorSum", "ErrorSum", "LazySum", "LossSum", "WeightSum"]

Floats = NDArray[np.float64]
_Number = TypeVar("_Number", float, Floats)

_SHIFT = 128
"""The unit to begin with, ``2**-128``: fine enough for losses of errors down to 1e-11."""

_SPARE = 32
"""Bits added when the unit was too coarse: the next smaller loss will come."""

_WHOLE = 2.0**52
"""From here on every float is a whole number."""

_FEW = 8
"""Up to so many events one by one; it is the quickest."""

_SOME = 200
"""Up to so many through ``math.fsum``, more as columns."""

_CHUNK = 16_384


class LazySum(ExactSum):
    """The exact sum of one term of each event from ``first`` to before ``last``.

    The events are those of a window that moves: ``catch_up`` adds what arrived
    and takes out what left since the last time, or starts from scratch where
    that is less work. One event more and one less cost about 0.4 µs; from
    scratch, about 25 ns an event.
    """

    __slots__ = ("_scale", "first", "last")

    def __init__(self) -> None:
        super().__init__()
        self.reset(0)

    @staticmethod
    @abstractmethod
    def term(error: _Number, weight: _Number | float) -> _Number:
        """Return the term of an event, rounded once, or those of a column, in new memory."""

    def reset(self, first: int) -> None:
        """Sum no events; the next one is ``first``."""
        self._units, self._shift, self._scale = 0, _SHIFT, 2.0**_SHIFT
        self.first = self.last = first

    def catch_up(
        self, errors: array[float], weights: array[float] | None, first: int, last: int
    ) -> None:
        """Sum just the events from ``first`` to before ``last``; neither may move back."""
        new, old = self.last, self.first
        if last - new != 1 or first - old > 1:
            if last != new or first != old:
                self._catch_up(errors, weights, first, last)
            return
        # One event arrived and one left, at most.
        if weights is None:
            arrived = self.term(errors[new], 1.0) * self._scale
            left = self.term(errors[old], 1.0) * self._scale if first > old else 0.0
        else:
            arrived = self.term(errors[new], weights[new]) * self._scale
            left = self.term(errors[old], weights[old]) * self._scale if first > old else 0.0
        # Scaling by a power of two is exact, and what is then 2**52 or more is whole.
        if (_WHOLE <= abs(arrived) <= LARGEST or arrived == 0.0) and (
            _WHOLE <= abs(left) <= LARGEST or left == 0.0
        ):
            self._units += int(arrived) - int(left)
            self.first, self.last = first, last
        else:
            self._catch_up(errors, weights, first, last)

    def insert(self, at: int, error: float, weight: float) -> None:
        """Follow an event that was put in before the one at ``at``."""
        if at < self.last:
            self.last += 1
            self.update_floats([self.term(error, weight)])
            self._rescale()

    def remove(self, at: int, error: float, weight: float) -> None:
        """Follow an event that was taken from ``at``."""
        if at < self.last:
            self.last -= 1
            self.update_floats([-self.term(error, weight)])
            self._rescale()

    def drop(self, count: int) -> None:
        """Follow the first ``count`` events, gone from memory; start anew if they are needed."""
        if count > self.first:
            self.reset(0)
        else:
            self.first -= count
            self.last -= count

    def mean(self, errors: array[float], first: int, last: int) -> float:
        """Catch up and return the sum by the number of events, if all have weight 1."""
        self.catch_up(errors, None, first, last)
        # A quotient of two ints is correctly rounded, and a mean of floats in range.
        return self._units / ((last - first) << self._shift)

    def _catch_up(
        self, errors: array[float], weights: array[float] | None, first: int, last: int
    ) -> None:
        work = last - self.last + first - self.first
        if work >= last - first:
            self.reset(first)
        arrived, left = (self.last, last), (self.first, first)
        count = last - self.last + first - self.first
        if count <= _SOME:
            terms = self._terms(errors, weights, *arrived)
            terms += [-term for term in self._terms(errors, weights, *left)]
            self._add_some(terms)
        else:
            self._add_many(errors, weights, *arrived, self)
            if first > self.first:
                out = ExactSum()
                self._add_many(errors, weights, *left, out)
                self.unmerge(out)
        self.first, self.last = first, last
        self._rescale()

    def _terms(
        self, errors: array[float], weights: array[float] | None, start: int, stop: int
    ) -> list[float]:
        if weights is None:
            return [self.term(error, 1.0) for error in errors[start:stop]]
        pairs = zip(errors[start:stop], weights[start:stop], strict=True)
        return [self.term(error, weight) for error, weight in pairs]

    def _add_some(self, terms: list[float]) -> None:
        if len(terms) > _FEW:
            self.update_floats(terms)
            return
        for term in terms:
            scaled = term * self._scale
            if _WHOLE <= abs(scaled) <= LARGEST:
                self._units += int(scaled)
            elif term:
                self.update(term)
                self._rescale()

    def _add_many(
        self,
        errors: array[float],
        weights: array[float] | None,
        start: int,
        stop: int,
        total: ExactSum,
    ) -> None:
        for at in range(start, stop, _CHUNK):
            cut = slice(at, min(at + _CHUNK, stop))
            # A copy of the cut: an array cannot grow while NumPy looks into it.
            weight = 1.0 if weights is None else np.array(weights[cut])
            terms = self.term(np.array(errors[cut]), weight)
            largest = float(max(terms.max(), -terms.min()))
            Extractor(terms.size).add(terms, largest, total)

    def _rescale(self) -> None:
        """Follow a unit that became finer, and leave some room for the next time."""
        if self._scale != math.inf and self._shift > math.log2(self._scale):
            self.update_units(0, self._shift + _SPARE)
            # Without a scale nothing counts as whole, and all goes the long way.
            self._scale = 2.0**self._shift if self._shift < 1024 else math.inf


class LossSum(LazySum):
    """Σ w·loss."""

    __slots__ = ()

    @staticmethod
    def term(error: _Number, weight: _Number | float) -> _Number:
        """Return ``fl(w * loss)``."""
        return weight * (error * error)

    def mean(self, errors: array[float], first: int, last: int) -> float:
        """Catch up and return the sum by the number of events, if all have weight 1."""
        # The usual case, a reading after each event of a full window, in one piece:
        # as catch_up does it, which takes 0.2 µs more.
        new, old = self.last, self.first
        if last - new == 1 == first - old:
            error = errors[new]
            arrived = error * error * self._scale
            error = errors[old]
            left = error * error * self._scale
            if _WHOLE <= arrived <= LARGEST and _WHOLE <= left <= LARGEST:
                self._units += int(arrived) - int(left)
                self.first, self.last = first, last
                return self._units / ((last - first) << self._shift)
        return super().mean(errors, first, last)


class ErrorSum(LazySum):
    """Σ w·error."""

    __slots__ = ()

    @staticmethod
    def term(error: _Number, weight: _Number | float) -> _Number:
        """Return ``fl(w * error)``."""
        return weight * error


class AbsoluteErrorSum(LazySum):
    """Σ w·|error|."""

    __slots__ = ()

    @staticmethod
    def term(error: _Number, weight: _Number | float) -> _Number:
        """Return ``|fl(w * error)|``."""
        return abs(weight * error)


class WeightSum(LazySum):
    """Σ w."""

    __slots__ = ()

    @staticmethod
    def term(error: _Number, weight: _Number | float) -> _Number:
        """Return ``w``."""
        return weight + 0.0 * error
