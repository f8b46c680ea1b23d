"""The exact sums of one cell, without bounds: the slow way that every number can go."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from losswatch.core.cells.layout import COUNT, FIELDS, LIMB
from losswatch.core.cost import Cost
from losswatch.core.exact import ExactSum
from losswatch.core.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOISE", "Cell"]

NOISE = Fraction(1, 2**52)
"""Below this share of the mse, an error variance is what the squares were rounded by."""


class Cell:
    """``n`` and six exact sums: of the loss, the error, its magnitude, w, y_true and its square.

    The terms of the first three are rounded once, as everywhere; those of
    ``y_true`` are not rounded at all, because their variance would be lost.
    """

    __slots__ = ("n", "sums")

    def __init__(self) -> None:
        self.n = 0
        self.sums = tuple(ExactSum() for _ in FIELDS)

    @classmethod
    def of_row(cls, row: Mapping[int, int]) -> Cell:
        """Return the cell of a row of limbs, given by column."""
        cell = cls()
        cell.n = row.get(COUNT, 0)
        for total, place in zip(cell.sums, FIELDS, strict=True):
            units = sum(
                row.get(column, 0) << (LIMB * limb) for limb, column in enumerate(place.columns)
            )
            total.update_units(units, -place.unit)
        return cell

    def update(self, error: float, y_true: float, w: float) -> None:
        """Add one accepted event."""
        y, weight = Fraction(y_true), Fraction(w)
        exact = weight * y, weight * y * y
        self.n += 1
        terms = (w * (error * error), w * error, w * abs(error), w)
        for total, term in zip(self.sums, (*map(Fraction, terms), *exact), strict=True):
            total.update_units(term.numerator, term.denominator.bit_length() - 1)

    def merge(self, other: Cell, doublings: int = 0) -> None:
        """Add all events of ``other``, their weights doubled some times."""
        self.n += other.n
        for mine, theirs in zip(self.sums, other.sums, strict=True):
            units, shift = theirs.canonical()
            mine.update_units(units, shift - doublings)

    def unmerge(self, other: Cell) -> None:
        """Take all events of ``other`` out again."""
        self.n -= other.n
        for mine, theirs in zip(self.sums, other.sums, strict=True):
            mine.unmerge(theirs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cell):
            return NotImplemented
        return self.n == other.n and self.sums == other.sums

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of it."""
        return self.n == 0 and not any(total.sign for total in self.sums)

    @property
    def cost(self) -> Cost:
        """The cost of its events."""
        sums = Sums()
        sums.n = self.n
        for mine, theirs in zip(sums.exact(), self.sums[:4], strict=True):
            mine.merge(theirs)
        return Cost.of_sums(sums)

    @property
    def weight(self) -> float:
        """Σ w, correctly rounded."""
        return self.sums[3].value

    @property
    def loss(self) -> float:
        """Σ w·loss, correctly rounded."""
        return self.sums[0].value

    @property
    def mse(self) -> float:
        """Σ w·loss / Σ w, correctly rounded; NaN without events."""
        return self._mean(0) if self.sums[0].sign >= 0 else math.nan

    @property
    def rmse(self) -> float:
        """√mse; NaN without events."""
        return math.sqrt(self.mse)

    @property
    def mae(self) -> float:
        """Σ w·|error| / Σ w, correctly rounded; NaN without events."""
        return self._mean(2)

    @property
    def bias(self) -> float:
        """Σ w·error / Σ w, correctly rounded; NaN without events."""
        return self._mean(1)

    @property
    def truth(self) -> float:
        """Mean of ``y_true``, correctly rounded; NaN without events."""
        return self._mean(4)

    @property
    def error_variance(self) -> float:
        """``mse - bias**2``, correctly rounded; 0 below the rounding of the squares."""
        if self.sums[3].sign <= 0:
            return math.nan
        loss, error, _, weight, _, _ = (total.as_fraction() for total in self.sums)
        variance = loss / weight - (error / weight) ** 2
        return float(variance) if variance > NOISE * loss / weight else 0.0

    @property
    def r2(self) -> float:
        """Share of the variance of ``y_true`` that is explained; NaN if it has none."""
        if self.sums[3].sign <= 0:
            return math.nan
        loss, _, _, weight, truth, square = (total.as_fraction() for total in self.sums)
        spread = square - truth * truth / weight
        return _quotient(spread - loss, spread) if spread else math.nan

    def dummy_ratio(self, mean: float) -> float:
        """Return rmse / rmse of predicting ``mean``; NaN without events, or if that is 0."""
        if self.sums[3].sign <= 0 or not math.isfinite(mean):
            return math.nan
        loss, _, _, weight, truth, square = (total.as_fraction() for total in self.sums)
        m = Fraction(mean)
        dummy = square - 2 * m * truth + m * m * weight
        return math.sqrt(_quotient(loss, dummy)) if dummy else math.nan

    def __repr__(self) -> str:
        return f"{type(self).__name__}{str(self.cost).removeprefix('Cost')}"

    def _mean(self, which: int) -> float:
        weight = self.sums[3]
        return self.sums[which].ratio(weight) if weight.sign > 0 else math.nan


def _quotient(numerator: Fraction, denominator: Fraction) -> float:
    try:
        return float(numerator / denominator)
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf
