"""Streams cut into blocks of events or of time, and the means of what was in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.cutting import Cut, cut_events, cut_time
from losswatch.core.windows.slots import grown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.core.alarms.span import Span
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["Blocks", "Closed"]


@dataclass
class Closed:
    """Blocks that ended, those of a stream in their order.

    Blocks of the same ``round`` are of different streams. ``share`` is what
    each counts for: those that ended together count as one. ``seen`` tells how
    many events the stream had at the end, ``time`` when that was, ``number``
    which block of the cut it is.
    """

    stream: Indexes
    round: Indexes
    share: Floats
    means: tuple[Floats, ...]
    seen: Indexes
    time: Floats
    number: Indexes

    def __len__(self) -> int:
        return self.stream.size


class Blocks:
    """Cuts the events of many streams into blocks. Not thread-safe.

    The sums of a block are added up event by event, so that they do not depend
    on how the events came. An event takes about 30 ns.

    Parameters
    ----------
    length
        Of a block: events of its stream, or seconds of the clock.
    columns
        How many numbers an event has, each with a mean of its own.
    size
        How many streams there are.
    """

    def __init__(self, length: Span, columns: int, size: int) -> None:
        self.length = length
        self.opened = 0  # which block of time is open
        self.ended = 0  # blocks of all streams
        self.filled = np.zeros(size, dtype=np.int64)
        self.seen = np.zeros(size, dtype=np.int64)
        self.weight = np.zeros(size)
        self.sums = [np.zeros(size) for _ in range(columns)]

    def add(
        self, stream: Indexes, columns: Sequence[Floats], w: Floats | None, clock: Floats
    ) -> tuple[Cut, Closed]:
        """Add events in the order of their arrival; return how they were cut, and what ended.

        A block of time ends with the first event after it, of any stream.
        """
        cut = self._cut(stream, clock)
        self.seen[cut.streams] += cut.counts
        weights = np.ones(stream.size) if w is None else w
        weight = cut.sums(self.weight[cut.touched], weights)
        sums = [
            cut.sums(old[cut.touched], column if w is None else w * column)
            for old, column in zip(self.sums, columns, strict=True)
        ]
        self._keep_open(cut, weight, sums)
        done = np.flatnonzero(cut.done)
        self.ended += done.size
        return cut, Closed(
            stream=cut.stream[done],
            round=cut.round[done],
            share=cut.share[done],
            means=tuple(_means(each[done], weight[done]) for each in sums),
            seen=cut.seen[done],
            time=cut.time[done],
            number=done,
        )

    @property
    def mean_length(self) -> float:
        """How many events a block has on average, ``nan`` while none has ended."""
        if not self.length.timed:
            return self.length.size
        return float(self.seen.sum() - self.filled.sum()) / self.ended if self.ended else math.nan

    def is_over(self, now: float) -> bool:
        """Tell whether a block of time that has events is over at a time."""
        if not self.length.timed or now < (self.opened + 1) * self.length.size:
            return False
        return bool(self.filled.any())

    def end(self) -> Closed:
        """End the block of time that is open, and return it."""
        streams = np.flatnonzero(self.filled)
        closed = Closed(
            stream=streams,
            round=np.zeros(streams.size, dtype=np.intp),
            share=np.full(streams.size, 1.0 / streams.size),
            means=tuple(_means(each[streams], self.weight[streams]) for each in self.sums),
            seen=self.seen[streams],
            time=np.full(streams.size, (self.opened + 1) * self.length.size),
            number=np.arange(streams.size),
        )
        self._empty(streams)
        return closed

    def grow(self, size: int) -> None:
        """Make room for more streams."""
        self.filled, self.seen = grown(self.filled, size), grown(self.seen, size)
        self.weight = grown(self.weight, size)
        self.sums = [grown(each, size) for each in self.sums]

    def clear(self, streams: Indexes) -> None:
        """Forget some streams."""
        self._empty(streams)
        self.seen[streams] = 0

    def dump(self) -> Tree:
        """Return its state."""
        return {
            "opened": self.opened,
            "ended": self.ended,
            "filled": self.filled,
            "seen": self.seen,
            "weight": self.weight,
            "sums": np.concatenate(self.sums),
        }

    def load(self, node: Node) -> None:
        """Continue from a state of as many streams."""
        size = self.filled.size
        below = (1 << 62) if self.length.timed else int(self.length.size)
        self.opened, self.ended = node.whole("opened"), node.whole("ended")
        self.filled = node.ints("filled", size, below)
        self.seen = node.ints("seen", size)
        self.weight = node.floats("weight", size)
        self.sums = np.split(node.floats("sums", size * len(self.sums)), len(self.sums))

    def _cut(self, stream: Indexes, clock: Floats) -> Cut:
        if not self.length.timed:
            return cut_events(stream, clock, self.filled, self.seen, int(self.length.size))
        number = np.floor_divide(clock, self.length.size).astype(np.int64)
        number = np.maximum(number, self.opened)
        cut = cut_time(stream, number, self.filled, self.seen, self.opened, self.length.size)
        self.opened = int(number[-1])
        return cut

    def _keep_open(self, cut: Cut, weight: Floats, sums: Sequence[Floats]) -> None:
        """Keep what is in blocks that go on."""
        self._empty(cut.touched)
        going = np.flatnonzero(~cut.done)
        streams = cut.stream[going]
        self.filled[streams], self.weight[streams] = cut.events[going], weight[going]
        for mine, each in zip(self.sums, sums, strict=True):
            mine[streams] = each[going]

    def _empty(self, streams: Indexes) -> None:
        for column in (self.filled, self.weight, *self.sums):
            column[streams] = 0


def _means(sums: Floats, weight: Floats) -> Floats:
    """Return means; where both overflow there is nothing to be learnt: 0."""
    with np.errstate(invalid="ignore"):
        means = sums / weight
    return np.where(np.isnan(means), 0.0, means)
