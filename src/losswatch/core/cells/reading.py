"""The numbers of many cells, read at once: every one correctly rounded.

Pairs of floats decide nearly all; the few that they leave open, and cells with
events beyond the grid, are computed with integers.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from losswatch.core.cells import pairs
from losswatch.core.cells.cell import NOISE, Cell
from losswatch.core.cells.grouping import Block, carry
from losswatch.core.cells.layout import (
    ABSOLUTE,
    COUNT,
    ERROR,
    LIMB,
    LOSS,
    SQUARE,
    TRUTH,
    WEIGHT,
    Field,
)
from losswatch.core.cells.pairs import PRECISION, Pair
from losswatch.core.cells.products import Floats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Reading"]

Certain = tuple[Floats, NDArray[np.bool_]]

_NOISE = float(NOISE)

_TINY = 1e-100
"""Products with a mean below this may underflow, and then lose digits."""


class Reading:
    """What cells held at one moment. Each number is computed when it is asked for.

    The numbers are those of :class:`losswatch.core.cells.cell.Cell`, bit for bit:
    arrays with one element for each cell, NaN where there is none. About 0.2 µs
    for each cell and number.
    """

    def __init__(self, block: Block, odd: Mapping[int, Cell], doublings: int = 0) -> None:
        self._doublings = doublings  # of all weights, once they are read
        self._columns = block.columns
        self._size = block.slots.size
        self._odd = odd
        self._fields: dict[Field, tuple[Pair, NDArray[np.bool_]]] = {}  # once they were needed

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reading):
            return NotImplemented
        if len(self) != len(other):
            return False
        return all(self.cell(place) == other.cell(place) for place in range(len(self)))

    __hash__ = None  # type: ignore[assignment]  # its arrays could be changed

    def plus(self, other: Reading) -> Reading:
        """Return the cells of both, one by one as one stream."""
        columns = {column: limbs.copy() for column, limbs in self._columns.items()}
        for column, limbs in other._columns.items():
            columns[column] = columns[column] + limbs if column in columns else limbs.copy()
        carry(columns)
        odd: dict[int, Cell] = {}
        for place, cell in (*self._odd.items(), *other._odd.items()):
            odd.setdefault(place, Cell()).merge(cell)
        return Reading(Block(np.arange(self._size), columns), odd, self._doublings)

    def cell(self, place: int) -> Cell:
        """Return one cell, in integers."""
        cell = Cell.of_row({column: int(limbs[place]) for column, limbs in self._columns.items()})
        if place in self._odd:
            cell.merge(self._odd[place])
        if self._doublings:
            scaled = Cell()
            scaled.merge(cell, self._doublings)
            return scaled
        return cell

    @cached_property
    def n(self) -> NDArray[np.int64]:
        """How many events."""
        n = self._columns.get(COUNT, np.zeros(self._size, dtype=np.int64)).copy()
        for place, cell in self._odd.items():
            n[place] += cell.n
        return n

    @cached_property
    def weight(self) -> Floats:
        """Σ w; 0 without events."""
        return self._certain(self._total(WEIGHT), lambda place: self.cell(place).weight)

    @cached_property
    def loss(self) -> Floats:
        """Σ w·loss; 0 without events."""
        return self._certain(self._total(LOSS), lambda place: self.cell(place).loss)

    @cached_property
    def mse(self) -> Floats:
        """Σ w·loss / Σ w."""
        mse = self._mean_of(LOSS, lambda place: self.cell(place).mse)
        mse[mse < 0.0] = np.nan
        return mse

    @cached_property
    def rmse(self) -> Floats:
        """√mse."""
        return np.sqrt(self.mse)

    @cached_property
    def mae(self) -> Floats:
        """Σ w·|error| / Σ w."""
        return self._mean_of(ABSOLUTE, lambda place: self.cell(place).mae)

    @cached_property
    def bias(self) -> Floats:
        """Σ w·error / Σ w."""
        return self._mean_of(ERROR, lambda place: self.cell(place).bias)

    @cached_property
    def truth(self) -> Floats:
        """Mean of ``y_true``."""
        return self._mean_of(TRUTH, lambda place: self.cell(place).truth)

    @cached_property
    def error_variance(self) -> Floats:
        """``mse - bias**2``."""
        with np.errstate(all="ignore"):
            whole = pairs.times(self._pair(LOSS), self._pair(WEIGHT))
            spread = pairs.minus(whole, pairs.times(self._pair(ERROR), self._pair(ERROR)))
            weights = pairs.times(self._pair(WEIGHT), self._pair(WEIGHT))
            value = pairs.divide(spread, weights)
            error = 4.0 * PRECISION * whole[0] / weights[0]
            variance, certain = pairs.rounded(value, error)
            # Whether it is noise is certain too, unless it is next to the border.
            noise = _NOISE * whole[0]
            certain &= np.abs(spread[0] - noise) > 1e-9 * noise
            certain |= spread[0] <= 0.5 * noise
            variance[spread[0] < noise] = 0.0
        return self._ratio((variance, certain), lambda place: self.cell(place).error_variance)

    @cached_property
    def r2(self) -> Floats:
        """Share of the variance of ``y_true`` that is explained."""
        with np.errstate(all="ignore"):
            whole, spread = self._spread
            unexplained = pairs.times(self._pair(LOSS), self._pair(WEIGHT))
            value = pairs.divide(pairs.minus(spread, unexplained), spread)
            share = unexplained[0] / spread[0]
            error = 8.0 * PRECISION * (whole[0] / spread[0]) * (1.0 + share)
            r2, certain = pairs.rounded(value, error)
            certain &= spread[0] > 16.0 * PRECISION * whole[0]  # else it may as well be 0
        constant = self._constant  # nothing to explain
        r2[constant] = np.nan
        return self._ratio((r2, certain | constant), lambda place: self.cell(place).r2)

    def dummy_ratio(self, mean: Floats) -> Floats:
        """Return rmse / rmse of predicting ``mean``, one for each cell."""
        with np.errstate(all="ignore"):
            m = (mean, np.zeros_like(mean))
            shift = pairs.times(m, self._pair(TRUTH))
            bulk = pairs.times(pairs.times(m, m), self._pair(WEIGHT))
            dummy = pairs.minus(pairs.minus(self._pair(SQUARE), shift), pairs.minus(shift, bulk))
            size = np.abs(self._pair(SQUARE)[0]) + 2.0 * np.abs(shift[0]) + bulk[0]
            value = pairs.divide(self._pair(LOSS), dummy)
            error = 8.0 * PRECISION * (size / dummy[0] + 1.0) * value[0]
            squared, certain = pairs.rounded(value, error)
            certain &= dummy[0] > 16.0 * PRECISION * size  # else it may as well be 0
            certain &= (np.abs(mean) > _TINY) | (mean == 0.0)
            ratio = np.sqrt(np.where(squared >= 0.0, squared, np.nan))
        faultless = self._constant & (mean == self.truth)  # the dummy makes no error
        ratio[faultless] = np.nan
        means = mean.tolist()
        return self._ratio(
            (ratio, certain | faultless), lambda place: self.cell(place).dummy_ratio(means[place])
        )

    @cached_property
    def _spread(self) -> tuple[Pair, Pair]:
        """Σ w·y² · Σ w, and by how much it is above (Σ w·y)²."""
        with np.errstate(all="ignore"):
            whole = pairs.times(self._pair(SQUARE), self._pair(WEIGHT))
            truth = self._pair(TRUTH)
            return whole, pairs.minus(whole, pairs.times(truth, truth))

    @cached_property
    def _constant(self) -> NDArray[np.bool_]:
        """Whether all ``y_true`` are the same: of many segments they are, as where most are 0."""
        whole, spread = self._spread
        constant = np.equal(self.n, 1)  # the usual one, and known at once
        places = np.flatnonzero(~constant & ~(spread[0] > 16.0 * PRECISION * whole[0]))
        square, truth, weight = (self._units(place, places) for place in (SQUARE, TRUTH, WEIGHT))
        finer = 2 * TRUTH.unit - SQUARE.unit - WEIGHT.unit
        constant[places] = square * weight == (truth * truth) << finer
        return constant

    def _units(self, place: Field, places: NDArray[np.intp]) -> NDArray[np.object_]:
        """Return the field of some cells as integers, in its finest unit; 0.1 µs for each limb."""
        total = np.zeros(places.size, dtype=object)
        for column in reversed(place.columns):
            total <<= LIMB
            if column in self._columns:
                total += self._columns[column][places].astype(object)
        return total

    def _pair(self, place: Field) -> Pair:
        return self._field(place)[0]

    def _field(self, place: Field) -> tuple[Pair, NDArray[np.bool_]]:
        """Return the value of a field, and where the pair is exactly that."""
        if place not in self._fields:
            pair, exact = pairs.of_limbs(self._columns, place, self._size)
            scale = np.float64(2.0**self._doublings)
            self._fields[place] = (pair[0] * scale, pair[1] * scale), exact
        return self._fields[place]

    def _total(self, place: Field) -> Certain:
        total, exact = self._field(place)
        nearest, certain = pairs.rounded(total, PRECISION * np.abs(total[0]))
        return nearest, certain | exact

    def _mean_of(self, place: Field, exactly: Callable[[int], float]) -> Floats:
        total, exact = self._field(place)
        with np.errstate(all="ignore"):
            mean = pairs.divide(total, self._pair(WEIGHT))
            nearest, certain = pairs.rounded(mean, 4.0 * PRECISION * np.abs(mean[0]))
        return self._ratio((nearest, certain | (exact & self._halves)), exactly)

    @cached_property
    def _halves(self) -> NDArray[np.bool_]:
        """Whether the weight is a power of two: half of the means of two events are ties."""
        halves = np.zeros(self._size, dtype=np.bool_)
        np.equal(np.frexp(self._pair(WEIGHT)[0])[0], 0.5, out=halves)
        halves[self._pair(WEIGHT)[1] != 0.0] = False
        return halves

    def _ratio(self, found: Certain, exactly: Callable[[int], float]) -> Floats:
        """Return quotients by the weight: NaN where there is none, or events are owed."""
        values, certain = found
        none = ~(self._pair(WEIGHT)[0] > 0.0)
        values[none] = np.nan
        return self._certain((values, certain | none), exactly)

    def _certain(self, found: Certain, exactly: Callable[[int], float]) -> Floats:
        """Return the numbers, those that are not certain computed by integers."""
        values, certain = found
        for place in {*np.flatnonzero(~certain).tolist(), *self._odd}:
            values[place] = exactly(place)
        return values
