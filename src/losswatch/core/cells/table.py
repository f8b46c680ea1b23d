"""Exact sums of many cells, added to and taken from all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.cell import Cell
from losswatch.core.cells.grouping import Block, Grouped, carry
from losswatch.core.cells.layout import COLUMNS
from losswatch.core.cells.reading import Reading

if TYPE_CHECKING:
    from losswatch.core.cells.scored import Indexes

__all__ = ["Table"]

_CARRY_EVERY = 1 << 20
"""Limbs of 32 bits have room in 64 bits for a thousand times as many additions."""


class Table:
    """One cell for each slot: six exact sums and a count.

    What :meth:`add` brings, :meth:`subtract` takes away without a trace. Both
    cost about 3 ns for each slot and column; the state is 8 bytes for each
    slot and column that is used, about 25 of them with usual data.

    Parameters
    ----------
    size
        How many slots.
    pooled
        Whether slot 0 is the total of all others: what is added and taken
        away counts there too. What is cleared stays in it.
    """

    __slots__ = ("_additions", "_cells", "_odd", "_pooled", "_used")

    def __init__(self, size: int, *, pooled: bool = False) -> None:
        self._pooled = pooled
        self._cells = np.zeros((COLUMNS, size), dtype=np.int64)  # untouched pages cost nothing
        self._used: set[int] = set()
        self._additions = 0
        self._odd: dict[int, Cell] = {}  # what does not fit into limbs

    @property
    def size(self) -> int:
        """How many slots there is room for."""
        return self._cells.shape[1]

    @property
    def pooled(self) -> bool:
        """Whether slot 0 is the total of all others."""
        return self._pooled

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        cells = np.zeros((COLUMNS, size), dtype=np.int64)
        for column in self._used:
            cells[column, : self.size] = self._cells[column]
        self._cells = cells

    def copy(self) -> Table:
        """Return an independent table of the same sums."""
        new = Table(self.size, pooled=self._pooled)
        new.put(self.everything())
        return new

    def add(self, sums: Grouped) -> None:
        """Add the sums of a batch."""
        self._apply(sums, 1)
        if self._pooled:
            self._apply(sums.pool, 1)

    def subtract(self, sums: Grouped) -> None:
        """Take sums away that were added."""
        self._apply(sums, -1)
        if self._pooled:
            self._apply(sums.pool, -1)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        for column in self._used:
            self._cells[column][slots] = 0
        for slot in slots.tolist():
            self._odd.pop(slot, None)

    def read(self, slots: Indexes) -> Reading:
        """Return the numbers of some slots."""
        held = self.held(slots)
        return Reading(held.block, held.odd)

    def held(self, slots: Indexes) -> Grouped:
        """Return a copy of some slots; what is odd is numbered by its place among them."""
        columns = {column: self._cells[column][slots] for column in self._used}
        carry(columns)
        odd = {}
        for place, slot in enumerate(slots.tolist()) if self._odd else ():
            if slot in self._odd:
                odd[place] = Cell()
                odd[place].merge(self._odd[slot])
        return Grouped(Block(slots, columns), odd)

    def everything(self) -> Grouped:
        """Return a copy of all that is in it, by slot."""
        held = np.zeros(self.size, dtype=bool)
        for column in self._used:
            held |= self._cells[column] != 0
        slots = np.flatnonzero(held)
        columns = {column: self._cells[column][slots] for column in self._used}
        carry(columns)
        left = np.zeros(slots.size, dtype=bool)
        for limbs in columns.values():
            left |= limbs != 0
        if not left.all():  # some limbs were not 0, but their sum is
            slots, columns = slots[left], {c: limbs[left] for c, limbs in columns.items()}
        odd = {slot: Cell() for slot in self._odd}
        for slot, cell in self._odd.items():
            odd[slot].merge(cell)
        return Grouped(Block(slots, columns), odd)

    def put(self, sums: Grouped) -> None:
        """Add sums that have their total with them, as :meth:`everything` has."""
        self._apply(sums, 1)

    def _apply(self, sums: Grouped, sign: int) -> None:
        change = np.add if sign > 0 else np.subtract
        slots = sums.block.slots
        for column, limbs in sums.block.columns.items():
            cells = self._cells[column]
            cells[slots] = change(cells[slots], limbs)
        self._used.update(sums.block.columns)
        self._additions += 1
        if self._additions >= _CARRY_EVERY:
            self._carry()
        for slot, odd in sums.odd.items():
            cell = self._odd.setdefault(slot, Cell())
            (cell.merge if sign > 0 else cell.unmerge)(odd)
            if cell.is_empty:
                del self._odd[slot]

    def _carry(self) -> None:
        """Bring all limbs back to 32 bits."""
        self._additions = 0
        columns = {column: self._cells[column].copy() for column in self._used}
        carry(columns)
        for column in self._used | set(columns):
            self._cells[column] = columns.get(column, 0)
        self._used |= set(columns)
