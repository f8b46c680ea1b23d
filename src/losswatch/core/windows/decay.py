"""Windows that forget exponentially, and are exact all the same."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.cell import Cell
from losswatch.core.cells.grouping import Block, Grouped, carry, group
from losswatch.core.cells.layout import COUNT
from losswatch.core.cells.reading import Reading
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.stored import dump_sums, load_sums, moved
from losswatch.core.cells.table import Table
from losswatch.core.windows.slots import grown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree
    from losswatch.core.windows.arrivals import Arrivals
    from losswatch.core.windows.batch import Batch, Entered

__all__ = ["OCTAVES", "STEPS", "DecayingWindow", "factor"]

OCTAVES = 32
"""After so many half-lives an event is forgotten: its weight was a four billionth."""

STEPS = 1024
"""Steps of a half-life: within one all events have the same weight."""


class DecayingWindow:
    """All events, each with half the weight after every half-life; for all segments.

    Exact, because halving is: within a half-life an event has one of 1024
    weights, fixed numbers, and from one half-life to the next the sums are
    halved: an event of the newest half-life weighs between a half and 1. After
    32 half-lives an event is forgotten. With a half-life in events every
    segment, and the total, has its own count. An event adds about 0.3 µs; a
    slot takes 32 cells.

    Parameters
    ----------
    label
        Its name.
    seconds, events
        The half-life; one of both.
    arrivals
        Numbers the events.
    pooled
        Whether slot 0 is the stream of all others.
    """

    def __init__(
        self,
        label: str,
        *,
        seconds: float | None,
        events: int | None,
        arrivals: Arrivals,
        pooled: bool,
    ) -> None:
        size = arrivals.seen.size
        self.label = label
        self.late = 0
        self._seconds = seconds
        self._events = events or 1
        self._arrivals = arrivals
        self._pooled = pooled
        self._factors = _factors()
        self._table = Table(size * OCTAVES)
        self._octave = np.zeros((size, OCTAVES), dtype=np.int64)  # which each cell holds
        self._now = 0.0

    def add(self, batch: Batch) -> None:
        """Add events; see :class:`losswatch.core.windows.batch.WindowedCost`."""
        self.advance(batch.now)
        self.restore(batch)
        if self._seconds is not None:
            then = np.floor(batch.clock / self._seconds) - OCTAVES
            self.late += int(np.count_nonzero(np.floor(batch.time / self._seconds) <= then))

    def remove(self, old: Entered) -> None:
        """Take out events with the weights that they had."""
        for events, _ in self._held(old):
            self._table.subtract(group(events))

    def restore(self, new: Entered) -> None:
        """Put events in with the weights of their places."""
        for events, octave in self._held(new):
            self._turn(events.slot, octave)
            self._table.add(group(events))

    def advance(self, now: float) -> None:
        """Let time pass. Without events all weights halve alike, and so no mean changes."""
        self._now = max(self._now, now)

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        self._table.grow(size * OCTAVES)
        self._octave = grown(self._octave, size)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        self._table.clear(self._cells(slots).ravel())

    def read(self, slots: Indexes) -> Reading:
        """Return the numbers of some slots."""
        newest = self._newest(slots)
        doublings = self._octave[slots] - (newest - OCTAVES + 1)[:, np.newaxis]
        total = Block(slots)
        odd: dict[int, Cell] = {}
        for place, cells in enumerate(self._cells(slots).T):
            if (doublings[:, place] >= 0).any():
                held = self._table.held(cells)
                _double(total.columns, held.block.columns, doublings[:, place])
                for at, cell in held.odd.items():
                    if doublings[at, place] >= 0:
                        odd.setdefault(at, Cell()).merge(cell, int(doublings[at, place]))
        return Reading(total, odd, 1 - OCTAVES)  # the newest half-life was doubled so often

    def dump(self) -> Tree:
        """Return its state: the half-life of each cell beside it, not its place."""
        sums = self._table.everything()
        cells = np.union1d(sums.block.slots, np.array(list(sums.odd), dtype=np.intp))
        slot, place = np.divmod(cells, OCTAVES)
        number = np.zeros(self._table.size, dtype=np.intp)
        number[cells] = np.arange(cells.size)
        return {
            "slot": slot,
            "octave": self._octave[slot, place],
            "sums": dump_sums(moved(sums, number)),
        }

    def load(self, node: Node, now: float) -> None:
        """Continue from a state, while it is empty, at a time."""
        self.advance(now)
        slot = node.ints("slot", below=len(self._octave)).astype(np.intp)
        octave = node.ints("octave", slot.size)
        if (octave > self._newest(slot)).any():
            raise node.node("octave").wrong("half-lives that have begun")
        self._put(slot, octave, load_sums(node.node("sums"), slot.size))

    def merge(self, other: DecayingWindow, to: Indexes) -> bool:
        """Add what another holds at the same time; its slot ``s`` is ``to[s]``."""
        if self._seconds is None:  # nobody knows in which order the events of both came
            self.clear(np.arange(len(self._octave)))
            return False
        sums = other._table.everything()
        slot = np.arange(other._table.size) // OCTAVES
        slot = np.append(to, np.zeros(len(other._octave) - to.size, dtype=np.intp))[slot]
        self._put(slot, other._octave.ravel(), sums)
        return True

    def _put(self, slot: Indexes, octave: Indexes, sums: Grouped) -> None:
        """Add sums, each of the slot and half-life with its number, unless it is forgotten."""
        numbers = sums.block.slots
        held = np.zeros(slot.size, dtype=np.bool_)
        held[numbers] = held[list(sums.odd)] = True
        held &= octave > self._newest(slot) - OCTAVES
        cells = slot * OCTAVES + octave % OCTAVES
        self._turn(cells[held], octave[held])
        kept = held[numbers]
        columns = {column: limbs[kept] for column, limbs in sums.block.columns.items()}
        odd = {number: cell for number, cell in sums.odd.items() if held[number]}
        self._table.put(moved(Grouped(Block(numbers[kept], columns), odd), cells))

    def _turn(self, cells: Indexes, octave: Indexes) -> None:
        """Let cells hold these half-lives; those that held others are forgotten."""
        slot, place = np.divmod(cells, OCTAVES)
        stale = self._octave[slot, place] != octave
        self._table.clear(np.unique(cells[stale]))
        self._octave[slot[stale], place[stale]] = octave[stale]

    def _held(self, entered: Entered) -> Iterator[tuple[Scored, Indexes]]:
        """Yield what is not forgotten yet, by cell, with its weight and half-life.

        First the events of the segments, then those of the total.
        """
        streams = [(entered.events, entered.seq)]
        if self._pooled:
            streams.append((entered.events.pooled(), entered.pool_seq))
        for events, seq in streams:
            if self._seconds is None:
                octave, step = seq // self._events, seq % self._events * STEPS // self._events
            else:
                octave, step = self._timed(np.minimum(entered.time, entered.clock))
            inside = octave > self._newest(events.slot) - OCTAVES
            held = events if inside.all() else events.take(inside)
            factors = self._factors[step[inside]]
            w = factors if held.w is None else factors * held.w
            cells = held.slot * OCTAVES + octave[inside] % OCTAVES
            yield Scored(cells, held.error, held.y_true, w), octave[inside]

    def _timed(self, time: Floats) -> tuple[Indexes, Indexes]:
        """Return the half-life and the step in it of times."""
        position = time / (self._seconds or 1.0)
        octave = np.floor(position)
        return octave.astype(np.intp), ((position - octave) * STEPS).astype(np.intp)

    def _newest(self, slots: Indexes) -> Indexes:
        """Return the half-life of this moment, for each slot."""
        if self._seconds is not None:
            return self._timed(np.full(slots.size, self._now))[0]
        return np.maximum(self._arrivals.seen[slots] - 1, 0) // self._events

    def _cells(self, slots: Indexes) -> Indexes:
        return slots[:, np.newaxis] * OCTAVES + np.arange(OCTAVES)


def _double(
    total: dict[int, NDArray[np.int64]],
    columns: dict[int, NDArray[np.int64]],
    doublings: NDArray[np.int64],
) -> None:
    """Add limbs, doubled as often as is given for each slot; below 0 not at all."""
    times = np.where(doublings < 0, 0, 1 << np.maximum(doublings, 0))
    for column, limbs in columns.items():
        more = limbs * (doublings >= 0) if column == COUNT else limbs * times
        total[column] = total[column] + more if column in total else more
    carry(total)


def factor(step: int) -> float:
    """Return ``2**(step / STEPS - 1)``, the same on every machine: in fixed point, then rounded."""
    product = 1 << _BITS - 1
    for bit, root in enumerate(_roots()):
        if step >> bit & 1:
            product = product * root >> _BITS
    return product / (1 << _BITS)


@cache
def _factors() -> Floats:
    """Return the factors of all steps; nobody may change them."""
    factors = np.array([factor(step) for step in range(STEPS)])
    factors.setflags(write=False)
    return factors


_BITS = 113
"""Of a fixed point: 60 more than a float64 has."""


@cache
def _roots() -> list[int]:
    """Return ``2**(2**bit / STEPS)`` for each bit of a step, in fixed point."""
    root = 2 << _BITS
    roots: list[int] = []
    while len(roots) < STEPS.bit_length() - 1:
        root = math.isqrt(root << _BITS)
        roots.append(root)
    return roots[::-1]
