"""Events on their way into the windows of a monitor, and where they went."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from losswatch.core.cells.grouping import Grouped, group
from losswatch.core.cells.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["Batch", "Entered", "WindowedCost"]


@dataclass
class Entered:
    """Events that were entered, and all that is needed to take them out again.

    ``time`` is when each was and ``clock`` when it came. ``seq`` tells how many
    events of its slot came before it since the slot is in use (0 where no
    window counts events), ``pool_seq`` how many of all.
    """

    events: Scored
    time: Floats
    clock: Floats
    seq: Indexes
    pool_seq: Indexes

    def __len__(self) -> int:
        return len(self.events)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Entered:
        """Return some of the events, in the order that is given."""
        place = self.clock[which], self.seq[which], self.pool_seq[which]
        return Entered(self.events.take(which), self.time[which], *place)

    @classmethod
    def join(cls, parts: Sequence[Entered]) -> Entered:
        """Return the events of several as one."""
        if len(parts) == 1:
            return parts[0]
        time, clock, seq, pool_seq = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("time", "clock", "seq", "pool_seq")
        )
        return Entered(Scored.join([part.events for part in parts]), time, clock, seq, pool_seq)


@dataclass
class Batch(Entered):
    """Events in the order of their arrival, with their times and the clock when each came."""

    @cached_property
    def sums(self) -> Grouped:
        """The sums of all its events; computed once, when the first window asks."""
        return group(self.events)

    @property
    def now(self) -> float:
        """The clock when the last event came."""
        return float(self.clock[-1])


class WindowedCost(Protocol):
    """The costs of all segments over one window, and of their total."""

    label: str
    late: int  # events that came when the window had left their time behind

    def add(self, batch: Batch) -> None:
        """Add events; those that the window has left behind are only counted."""

    def remove(self, old: Entered) -> None:
        """Take out events that were added, each once; those left behind are out already."""

    def restore(self, new: Entered) -> None:
        """Put events where removed ones were, with other values or at another time."""

    def advance(self, now: float) -> None:
        """Let time pass: what is too old leaves. Time that goes backwards is ignored."""

    def grow(self, size: int) -> None:
        """Make room for more slots."""

    def clear(self, slots: Indexes) -> None:
        """Forget slots that hold no event within a window of time."""

    def read(self, slots: Indexes) -> Reading:
        """Return the numbers of some slots at the time that it was advanced to."""

    def dump(self) -> Tree:
        """Return its state."""

    def load(self, node: Node, now: float) -> None:
        """Continue from a state, while it is empty, at a time."""

    def merge(self, other: Self, to: Indexes) -> bool:
        """Add what a window of the same kind holds at the same time; its slot ``s`` is ``to[s]``.

        False if that cannot be known: then it is empty and starts anew.
        """
