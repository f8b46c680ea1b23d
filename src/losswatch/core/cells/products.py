"""Products and sums of columns of floats, with what their rounding left out.

References
----------
T. J. Dekker: A floating-point technique for extending the available precision.
Numerische Mathematik 18, 1971.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "inner", "two_product", "two_sum"]

Floats = NDArray[np.float64]

_SPLIT = 134_217_729.0  # 2**27 + 1


def inner(a: Floats, b: Floats) -> float:
    """Return the sum of the products; exact if no sum of some of them has to be rounded.

    Not ``np.dot``: that starts threads, which wait for each other where the
    machine is busy.
    """
    return float(np.einsum("i,i->", a, b))


def two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return ``(s, e)`` with ``s = fl(a + b)`` and ``s + e == a + b`` exactly."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def two_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return ``(p, e)`` with ``p = fl(a * b)`` and ``p + e == a * b`` exactly.

    Exact where neither ``p`` nor ``e`` leaves the normal range of float64 and
    no factor is above ``2**995``.
    """
    p = a * b
    a_high, a_low = _split(a)
    b_high, b_low = (a_high, a_low) if a is b else _split(b)
    return p, a_low * b_low - (((p - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _split(a: Floats) -> tuple[Floats, Floats]:
    c = _SPLIT * a
    high = c - (c - a)
    return high, a - high
