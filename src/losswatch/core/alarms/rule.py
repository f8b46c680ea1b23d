"""What all kinds of alarms do with the blocks of their streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.core.alarms.blocks import Closed
    from losswatch.core.alarms.latch import Latch
    from losswatch.core.alarms.open_blocks import OpenBlocks
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["Rule", "by_stream"]


class Rule(Protocol):
    """Decides from blocks when alarms go on and off."""

    latch: Latch

    def columns(self, error: Floats, loss: Floats) -> tuple[Floats, ...]:
        """Return the numbers of events whose means over blocks are wanted."""

    def take(self, closed: Closed, opened: OpenBlocks | None) -> None:
        """Take blocks that ended, and look at those that go on, if that can tell something."""

    def evidence(self, streams: Indexes) -> Floats:
        """Return how near each severity is to its alarm, from 0 to 1; a row for each stream."""

    def waiting(self, streams: Indexes) -> Indexes:
        """Return how many blocks of its warm-up each stream lacks."""

    def reset(self, stream: int, time: float, events: int) -> None:
        """Turn the alarm of a stream off and begin anew, but for what was learnt."""

    def grow(self, size: int) -> None:
        """Make room for more streams."""

    def clear(self, streams: Indexes) -> None:
        """Forget some streams."""

    def dump(self) -> Tree:
        """Return its state."""

    def load(self, node: Node) -> None:
        """Continue from a state of as many streams."""


def by_stream(closed: Closed) -> Iterator[tuple[int, Indexes]]:
    """Yield each stream that has blocks, and the places of these in their order."""
    order = np.argsort(closed.stream, kind="stable")
    streams, starts = np.unique(closed.stream[order], return_index=True)
    ends = np.append(starts, order.size)[1:]
    for stream, start, end in zip(streams.tolist(), starts, ends, strict=True):
        yield stream, order[start:end]
