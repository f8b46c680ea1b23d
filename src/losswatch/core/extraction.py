"""Add arrays of floats to exact sums, by cutting them into integers.

A slice of the high bits of every element is an integer in one common unit:
adding ``1.5 * 2**52`` units to an element leaves that integer in the low bits
of the result. Integers sum without rounding. What is left of the elements is
cut again, until nothing is; two slices of 52 bits are enough for real losses
and one mostly is for real errors.

The slices are those of ExtractVector, and the step is error-free for the same
reason; the integers make them twice as thick.

References
----------
S. M. Rump, T. Ogita, S. Oishi: Accurate floating-point summation, part I.
SIAM J. Sci. Comput. 31(1), 2008, algorithm 3.3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from losswatch.core.exact import ExactSum

__all__ = ["Extractor"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SLICE = 51
"""Elements are cut to at most ``2**51`` units, either sign."""

_FINEST = -1074
"""Every float64 is a multiple of ``2**-1074``."""

_LARGEST_EXPONENT = 1021
"""From ``2**1021`` on, the constant that cuts would be beyond float64."""

_BLOCK = 2048
"""So many slices sum without overflow: ``2**51 * 2048 = 2**62``; twice as many do not."""

_FEW = 256
"""Fewer elements than this left over go out one by one instead of by a slice."""


class Extractor:
    """Adds arrays of one size to exact sums; holds the scratch space for that."""

    __slots__ = ("_blocks", "_differs", "_high", "_units")

    def __init__(self, size: int) -> None:
        self._high = np.empty(size)
        self._units = np.empty(size, dtype=np.int64)
        self._differs = np.empty(size, dtype=bool)
        self._blocks = np.arange(0, size, _BLOCK)

    def add(
        self, x: Floats, largest: float, total: ExactSum, absolute: ExactSum | None = None
    ) -> None:
        """Add the elements to ``total`` and their absolute values to ``absolute``.

        Parameters
        ----------
        x
            Finite elements; overwritten.
        largest
            A bound on their absolute values.
        total, absolute
            The sums to add to.
        """
        exponent = math.frexp(largest)[1]
        if exponent > _LARGEST_EXPONENT:
            _add_singly(x, np.abs(x), total, absolute)
            return
        negative: Integers | None = None
        while True:
            unit = max(exponent - _SLICE, _FINEST)
            self._cut(x, unit, total, absolute, negative)
            left = int(np.count_nonzero(np.not_equal(x, self._high, self._differs)))
            if left < _FEW:
                break
            if absolute is not None and negative is None:
                negative = x.view(np.int64) >> 63  # all bits set where an element is
            np.subtract(x, self._high, x)
            exponent = unit - 1  # at most half a unit is left
        if left:
            where = np.flatnonzero(self._differs)
            rest = x[where] - self._high[where]
            below = x[where] < 0 if negative is None else negative[where] < 0
            _add_singly(rest, np.where(below, -rest, rest), total, absolute)

    def _cut(
        self,
        x: Floats,
        unit: int,
        total: ExactSum,
        absolute: ExactSum | None,
        negative: Integers | None,
    ) -> None:
        """Put the multiples of ``2**unit`` nearest to ``x`` into ``high`` and add them."""
        high, units = self._high, self._units
        cutter = math.ldexp(3.0, unit + _SLICE)
        np.add(x, cutter, high)
        np.subtract(high.view(np.int64), np.float64(cutter).view(np.int64), units)
        np.subtract(high, cutter, high)
        total.update_units(self._sum(), -unit)
        if absolute is not None:
            if negative is None:
                np.abs(units, units)
            else:  # a slice may overshoot: the sign that counts is that of the element
                np.subtract(np.bitwise_xor(units, negative, units), negative, units)
            absolute.update_units(self._sum(), -unit)

    def _sum(self) -> int:
        return sum(np.add.reduceat(self._units, self._blocks).tolist())


def _add_singly(
    values: Floats, magnitudes: Floats, total: ExactSum, absolute: ExactSum | None
) -> None:
    total.update_floats(values.tolist())
    if absolute is not None:
        absolute.update_floats(magnitudes.tolist())
