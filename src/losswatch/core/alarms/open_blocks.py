"""Blocks while their events are at hand: what they would be if nothing more were lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from losswatch.core.alarms.cutting import Cut
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = ["OpenBlocks"]


@dataclass
class OpenBlocks:
    """Blocks of events, all of weight 1, that can be judged before they end.

    No loss is below 0, so the mean of a block is at least its sum so far by
    its length: what is an alarm by that will be one at the end of the block.
    So it is told at once, and the promise is the same.

    Parameters
    ----------
    cut
        How the events were cut.
    length
        Events of a block.
    carry
        The sums that streams had in their open blocks.
    losses, clock
        Of the events.
    """

    cut: Cut
    length: int
    carry: Floats
    losses: Floats
    clock: Floats

    def going(self) -> tuple[Indexes, Indexes, Floats]:
        """Return the blocks that go on, their streams, and the least means that they can have."""
        numbers = np.flatnonzero(~self.cut.done)
        sums = self.cut.sums(self.carry, self.losses)[numbers]
        return numbers, self.cut.stream[numbers], sums / self.length

    def least_means(self, block: int) -> tuple[Floats, Floats, Indexes]:
        """Return for each event of a block the least mean by then, its clock, and its number."""
        places, running = self.cut.running(self.carry, self.losses, block)
        numbers = self.cut.seen[block] - np.arange(places.size)[::-1]
        return running / self.length, self.clock[places], numbers
