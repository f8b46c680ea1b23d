"""Split floats into a few floats that have exactly the same sum.

All rounding is error-free: nothing here approximates. Short lists go through
:func:`math.fsum`; arrays go through Rump's ExtractVector, which costs about
1 ns an element and round, and needs two or three rounds for real data.

References
----------
S. M. Rump, T. Ogita, S. Oishi: Accurate floating-point summation, part I.
SIAM J. Sci. Comput. 31(1), 2008, algorithm 3.3.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Extractor", "list_parts"]

Floats = NDArray[np.float64]

_MANTISSA = 53
_SMALLEST_EXPONENT = -1022
_LARGEST_EXPONENT = 1023
_FEW = 64
"""Fewer elements than this left over go out one by one instead of by a round."""


def list_parts(values: list[float]) -> list[float]:
    """Return few floats that sum to exactly what ``values`` sum to."""
    rest = list(values)
    parts = []
    try:
        while total := math.fsum(rest):
            parts.append(total)
            rest.append(-total)
    except OverflowError:  # the sum, or a partial one, is beyond float64
        return values
    return parts


class Extractor:
    """Exact sums of arrays of one size; holds the scratch space for them.

    Slices of the high bits are cut off the array until nothing is left. The
    bits of a slice are multiples of one unit, chosen so that no partial sum
    needs more than 53 bits: summing it is exact in any order.
    """

    __slots__ = ("_differs", "_headroom", "_top")

    def __init__(self, size: int) -> None:
        self._headroom = size.bit_length() + 1
        self._top = np.empty(size)
        self._differs = np.empty(size, dtype=bool)

    def extract(
        self, x: Floats, largest: float, parts: list[float], absolute: list[float] | None
    ) -> None:
        """Append few floats that sum to exactly what ``x`` sums to.

        Parameters
        ----------
        x
            Finite elements; overwritten.
        largest
            A bound on their absolute values.
        parts
            Where the parts of the sum go.
        absolute
            Where those of the sum of absolute values go, if wanted: the slices
            of ``x`` and of ``-x`` differ in sign alone, so one pass serves both.
        """
        exponent = math.frexp(largest)[1] + self._headroom
        if exponent > _LARGEST_EXPONENT:  # the sum itself may be beyond float64
            _append(x.tolist(), parts, absolute)
            return
        top = self._top
        self._slice(x, exponent, parts)
        while True:  # 53 bits of an element never fit the first slice
            np.subtract(x, top, x)
            _append_absolute(top, absolute)
            exponent += self._headroom - _MANTISSA
            self._slice(x, exponent, parts)
            np.not_equal(x, top, self._differs)
            left = int(np.count_nonzero(self._differs))
            if left < _FEW:
                if left:
                    where = np.flatnonzero(self._differs)
                    _append((x[where] - top[where]).tolist(), parts, absolute)
                _append_absolute(top, absolute)
                return

    def _slice(self, x: Floats, exponent: int, parts: list[float]) -> None:
        """Put the high bits of ``x`` into ``top`` and their exact sum into ``parts``.

        With ``2**exponent >= 2 * n * max|x|`` the unit is ``2**(exponent - 53)``
        and every partial sum stays below ``2**53`` units.
        """
        sigma = math.ldexp(1.0, max(exponent, _SMALLEST_EXPONENT))
        np.add(x, sigma, self._top)
        np.subtract(self._top, sigma, self._top)
        parts.append(float(np.add.reduce(self._top)))


def _append(values: list[float], parts: list[float], absolute: list[float] | None) -> None:
    parts.extend(values)
    if absolute is not None:
        absolute.extend(map(abs, values))


def _append_absolute(top: Floats, absolute: list[float] | None) -> None:
    """Append the sum of ``|top|``, overwriting ``top``."""
    if absolute is not None:
        absolute.append(float(np.add.reduce(np.abs(top, top))))
