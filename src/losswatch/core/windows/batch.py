"""A batch of events on its way into the windows of a monitor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from losswatch.core.cells.grouping import Grouped, group

if TYPE_CHECKING:
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes, Scored

__all__ = ["Batch", "WindowedCost"]


@dataclass
class Batch:
    """Events in the order of their arrival, with their times and the clock when each came."""

    events: Scored
    time: Floats
    clock: Floats

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

    def advance(self, now: float) -> None:
        """Let time pass: what is too old leaves. Time that goes backwards is ignored."""

    def grow(self, size: int) -> None:
        """Make room for more slots."""

    def clear(self, slots: Indexes) -> None:
        """Forget slots that hold no event within a window of time."""

    def read(self, slots: Indexes) -> Reading:
        """Return the numbers of some slots at the time that it was advanced to."""
