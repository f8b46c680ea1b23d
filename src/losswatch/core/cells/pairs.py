"""Columns of numbers with twice the precision of float64, and when they are enough.

A number is a pair ``high + low``; the operations are good to about 100 bits.
:func:`rounded` gives the correctly rounded float64 wherever that much decides
it, and says where it does not.

References
----------
D. H. Bailey, Y. Hida, X. S. Li: Algorithms for quad-double precision floating
point arithmetic. ARITH-15, 2001. The test is that of A. Ziv: Fast evaluation of
elementary mathematical functions with correctly rounded last bit. ACM TOMS 17,
1991.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.layout import LIMB, Field
from losswatch.core.cells.products import Floats, two_product, two_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["PRECISION", "Pair", "divide", "minus", "of_limbs", "rounded", "times"]

Pair = tuple[Floats, Floats]

PRECISION = 2.0**-94
"""A bound on the relative error of one operation and of its operands, with room to spare."""


def of_limbs(
    columns: Mapping[int, NDArray[np.int64]], place: Field, size: int
) -> tuple[Pair, NDArray[np.bool_]]:
    """Return the value of a field, and where the pair is exactly that."""
    high, low = np.zeros(size), np.zeros(size)
    exact = np.ones(size, dtype=bool)
    for limb in reversed(range(place.limbs)):
        limbs = columns.get(place.start + limb)
        if limbs is not None:
            unit = np.float64(math.ldexp(1.0, place.unit + LIMB * limb))
            high, error = two_sum(high, limbs.astype(np.float64) * unit)
            low, lost = two_sum(low, error)
            exact &= lost == 0.0
    return two_sum(high, low), exact


def times(a: Pair, b: Pair) -> Pair:
    """Return ``a * b``."""
    high, low = two_product(a[0], b[0])
    return two_sum(high, low + (a[0] * b[1] + a[1] * b[0]))


def minus(a: Pair, b: Pair) -> Pair:
    """Return ``a - b``; its error is relative to the larger of both."""
    high, low = two_sum(a[0], -b[0])
    return two_sum(high, low + (a[1] - b[1]))


def divide(a: Pair, b: Pair) -> Pair:
    """Return ``a / b``."""
    first = a[0] / b[0]
    rest = minus(a, times((first, np.zeros_like(first)), b))
    return two_sum(first, rest[0] / b[0])


def rounded(value: Pair, error: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the nearest float64, and where that is certain.

    Parameters
    ----------
    value
        The number.
    error
        A bound on the absolute error of the number; at least ``2**-94`` of it.
    """
    high, low = value
    nearest = high + low
    return nearest, (high + (low + error) == nearest) & (high + (low - error) == nearest)
