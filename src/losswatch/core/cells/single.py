"""Exact sums of a batch of events that are all of one slot: a third of the time of many slots.

Without slots to keep apart a slice of the terms may be as thick as their
number allows, and the squares of ``y_true`` need not be computed: slices of
``y_true`` of 19 bits multiply without rounding, so their inner products are
exact, in whatever order they are added. The result is that of
:mod:`losswatch.core.cells.grouping`, bit for bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.layout import (
    ABSOLUTE,
    COUNT,
    ERROR,
    FIELDS,
    LIMB,
    LOSS,
    SQUARE,
    TRUTH,
    WEIGHT,
    Field,
)
from losswatch.core.cells.products import Floats, inner, two_product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Scored

__all__ = ["SingleSums"]

_DIGITS = 53
"""Bits of a float64: whole numbers up to ``2**53`` add without rounding."""

_THICKEST = 50
"""Bits of a slice that the constant which cuts leaves room for, of few events too."""

_HALF = 1 << (LIMB - 1)


class SingleSums:
    """The sums of at most a million events, as whole numbers in the units of the fields.

    Parameters
    ----------
    events
        At least one; no term may be too large for its field.

    Attributes
    ----------
    unfit
        Which events have a term that is too fine for its field, ``None`` if
        none has. Then the sums are not complete.
    """

    __slots__ = ("_n", "_room", "_slice", "_sums", "unfit")

    def __init__(self, events: Scored) -> None:
        self._n = len(events)
        self._room = min(_DIGITS - self._n.bit_length(), _THICKEST)
        self._slice = np.empty(self._n)
        self._sums = dict.fromkeys(FIELDS, 0)
        self.unfit: NDArray[np.bool_] | None = None
        (self._add if events.w is None else self._add_weighted)(events)

    def columns(self) -> dict[int, NDArray[np.int64]]:
        """Return the limbs of the sums by column; those that are 0 are left out."""
        columns = {COUNT: np.array([self._n], dtype=np.int64)}
        for place, total in self._sums.items():
            left = total
            for column in place.columns:
                over = 0 if column == place.columns[-1] else (left + _HALF) >> LIMB
                if limb := left - (over << LIMB):
                    columns[column] = np.array([limb], dtype=np.int64)
                left = over
        return columns

    def _add(self, events: Scored) -> None:
        error = events.error
        self._sums[WEIGHT] = self._n << -WEIGHT.unit
        self._pour(LOSS, error * error)
        self._pour(ABSOLUTE, np.abs(error), sign=np.copysign(1.0, error))
        self._pour_squared(events.y_true.copy())

    def _add_weighted(self, events: Scored) -> None:
        error, y_true, w = events.error, events.y_true, events.w
        assert w is not None  # for mypy
        term = w * error
        self._pour(LOSS, w * (error * error))
        self._pour(ABSOLUTE, np.abs(term), sign=np.copysign(1.0, term))
        self._pour(WEIGHT, w.copy())
        product, left = two_product(w, y_true)
        squares = (*two_product(product, y_true), *two_product(left, y_true))
        self._pour(TRUTH, product, left)
        self._pour(SQUARE, *squares)

    def _pour(self, place: Field, *terms: Floats, sign: Floats | None = None) -> None:
        """Add columns of terms, which are used up; with a sign, to the error with that sign too."""
        for x in terms:
            unit = _exponent(x) - self._room
            while True:
                unit = max(unit, place.unit)
                self._cut(x, unit, self._slice)
                self._count(place, float(self._slice.sum()), unit)
                if sign is not None:
                    self._count(ERROR, inner(self._slice, sign), unit)
                if not self._goes_on(x, unit, place.unit):
                    break
                unit -= self._room + 1  # at most half a unit is left

    def _pour_squared(self, x: Floats) -> None:
        """Add values to the truth and their squares to the square; they are used up."""
        room = self._room // 2
        unit, finest = _exponent(x) - room, SQUARE.unit // 2
        slices: list[tuple[Floats, int]] = []
        while True:
            unit = max(unit, finest)
            part = np.empty(self._n)
            self._cut(x, unit, part)
            self._count(TRUTH, float(part.sum()), unit)
            self._count(SQUARE, inner(part, part), 2 * unit)
            for other, its in slices:
                self._count(SQUARE, 2.0 * inner(part, other), unit + its)
            slices.append((part, unit))
            if not self._goes_on(x, unit, finest):
                return
            unit -= room + 1

    def _cut(self, x: Floats, unit: int, part: Floats) -> None:
        """Move the multiples of ``2**unit`` nearest to the elements from them to a slice."""
        cutter = math.ldexp(3.0, unit + 51)
        np.add(x, cutter, part)
        np.subtract(part, cutter, part)
        np.subtract(x, part, x)

    def _goes_on(self, x: Floats, unit: int, finest: int) -> bool:
        """Tell whether something is left to cut, and note what cannot be."""
        if not x.any():
            return False
        if unit > finest:
            return True
        self.unfit = x != 0.0 if self.unfit is None else self.unfit | (x != 0.0)
        return False

    def _count(self, place: Field, total: float, unit: int) -> None:
        """Add a whole number of units to a sum."""
        self._sums[place] += int(math.ldexp(total, -unit)) << (unit - place.unit)


def _exponent(x: Floats) -> int:
    """Return ``e`` so that no element is beyond ``2**e``."""
    return math.frexp(float(max(x.max(), -x.min())))[1]
