"""A sum of floats without any rounding error."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Self

from losswatch.core.validity import as_float

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ExactSum"]


class ExactSum:
    """The exact sum of any finite floats, in any order.

    The value is one integer in units of a power of two, fine enough for the
    finest float that was added. So nothing is ever lost: ``merge`` and
    ``revert`` are integer ``+`` and ``-``, and reading rounds once, correctly.
    One ``update`` takes about 0.4 µs and the state of usual data about 100
    bytes (at the worst, for values from 1e-308 to 1e308, about 400).

    Examples
    --------
    >>> total = ExactSum([1e16, 1.0, -1e16])
    >>> total.value
    1.0
    >>> 1e16 + 1.0 - 1e16
    0.0
    >>> total.revert(1.0)
    >>> total
    ExactSum(0.0)

    References
    ----------
    The law and its cost: ``docs/decisions/0001-exact-sums.md``.
    """

    __slots__ = ("_shift", "_units")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._units = 0
        self._shift = 0  # the value is _units / 2**_shift
        self.update_many(values)

    @classmethod
    def from_units(cls, units: int, shift: int) -> Self:
        """Return the sum ``units / 2**shift``."""
        new = cls()
        new._units, new._shift = units, shift
        return new

    def update(self, value: float) -> None:
        """Add one number, as float64.

        Raises
        ------
        RejectedEvent
            ``value`` is no finite number; the sum is unchanged.
        """
        self._add(*_units(as_float("value", value)))

    def update_many(self, values: Iterable[float]) -> None:
        """Add numbers, as float64, all or none.

        Raises
        ------
        RejectedEvent
            One is no finite number; the sum is unchanged.
        """
        self.update_floats([as_float("value", value) for value in values])

    def update_floats(self, values: list[float]) -> None:
        """Add floats that are known to be finite; a few hundred cost 0.1 µs each."""
        for part in _parts(values):
            self._add(*_units(part))

    def update_units(self, units: int, shift: int) -> None:
        """Add ``units / 2**shift``; the shift may be negative."""
        self._add(units << max(-shift, 0), max(shift, 0))

    def revert(self, value: float) -> None:
        """Take one float out again; undoes :meth:`update` bit for bit."""
        units, shift = _units(as_float("value", value))
        self._add(-units, shift)

    def merge(self, other: ExactSum) -> None:
        """Add all that ``other`` holds."""
        self._add(other._units, other._shift)

    def unmerge(self, other: ExactSum) -> None:
        """Take out all that ``other`` holds; undoes :meth:`merge` bit for bit."""
        self._add(-other._units, other._shift)

    def copy(self) -> ExactSum:
        """Return an independent sum of the same value."""
        return ExactSum.from_units(self._units, self._shift)

    @property
    def value(self) -> float:
        """The sum, correctly rounded; infinite where float64 ends."""
        return _divide(self._units, 1 << self._shift)

    @property
    def sign(self) -> int:
        """-1, 0 or 1, as the sum is."""
        return (self._units > 0) - (self._units < 0)

    def ratio(self, other: ExactSum) -> float:
        """Return ``self / other``, correctly rounded once.

        Raises
        ------
        ZeroDivisionError
            ``other`` is zero.
        """
        shift = other._shift - self._shift
        return _divide(self._units << max(shift, 0), other._units << max(-shift, 0))

    def canonical(self) -> tuple[int, int]:
        """Return ``(units, shift)`` with the smallest shift: equal for equal sums."""
        fraction = self.as_fraction()
        return fraction.numerator, fraction.denominator.bit_length() - 1

    def as_fraction(self) -> Fraction:
        """Return the sum as a :class:`fractions.Fraction`."""
        return Fraction(self._units, 1 << self._shift)

    def __float__(self) -> float:
        return self.value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExactSum):
            return NotImplemented
        shift = other._shift - self._shift
        return self._units << max(shift, 0) == other._units << max(-shift, 0)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"ExactSum({self.value!r})"

    def __reduce__(self) -> tuple[object, tuple[int, int]]:
        return type(self).from_units, self.canonical()

    def _add(self, units: int, shift: int) -> None:
        finer = shift - self._shift
        if finer > 0:
            self._units = (self._units << finer) + units
            self._shift = shift
        else:
            self._units += units << -finer


def _parts(values: list[float]) -> list[float]:
    """Return few floats that sum to exactly what ``values`` sum to.

    The correctly rounded sum is the first; it is subtracted, and what is left
    has the next, until nothing is left.
    """
    rest = list(values)
    parts = []
    try:
        while total := math.fsum(rest):
            parts.append(total)
            rest.append(-total)
    except OverflowError:  # beyond float64 on the way
        return values
    return parts


def _units(value: float) -> tuple[int, int]:
    """Return a float as ``(units, shift)``."""
    units, denominator = value.as_integer_ratio()
    return units, denominator.bit_length() - 1


def _divide(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator  # of two ints: correctly rounded
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf
