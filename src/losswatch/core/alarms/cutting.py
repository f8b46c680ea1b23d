"""Which event is in which block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

    Flags = NDArray[np.bool_]

__all__ = ["Cut", "cut_events", "cut_time"]


@dataclass
class Cut:
    """The blocks that events are in, with those that were open before.

    ``order`` sorts the events by stream. ``carried`` are the blocks that begin
    with what ``touched`` streams had in their open blocks. All after
    ``block`` is told for each block.
    """

    order: Indexes
    streams: Indexes  # those of the events, and how many each has
    counts: Indexes
    touched: Indexes
    carried: Indexes
    block: Indexes  # of each event in that order
    stream: Indexes
    round: Indexes
    share: Floats
    events: Indexes
    done: Flags
    seen: Indexes  # events of the stream at its end
    time: Floats

    def __len__(self) -> int:
        return self.stream.size

    def sums(self, carry: Floats, column: Floats) -> Floats:
        """Return the sum of each block, added up one by one: the order decides every bit."""
        where = np.concatenate([self.carried, self.block])
        what = np.concatenate([carry, column[self.order]])
        return np.bincount(where, what, self.stream.size).astype(np.float64, copy=False)

    def running(self, carry: Floats, column: Floats, block: int) -> tuple[Indexes, Floats]:
        """Return the places of the events of a block, and its sum after each of them.

        ``carry`` is what ``touched`` streams had in their open blocks.
        """
        places = self.order[self.block == block]
        terms = np.concatenate([carry[self.carried == block], column[places]])
        with np.errstate(over="ignore"):
            running: Floats = np.add.accumulate(terms)[-places.size :]
        return places, running


def cut_events(stream: Indexes, clock: Floats, filled: Indexes, seen: Indexes, length: int) -> Cut:
    """Cut each stream into blocks of so many events."""
    order, streams, starts, counts = _by_stream(stream)
    inside = filled[streams]
    touched_blocks = (inside + counts - 1) // length + 1
    first = np.cumsum(touched_blocks) - touched_blocks
    index = np.arange(stream.size) - np.repeat(starts - inside, counts)
    block = np.repeat(first, counts) + index // length
    total = int(touched_blocks.sum())
    number = np.arange(total) - np.repeat(first, touched_blocks)  # within the stream
    events = np.minimum(length, np.repeat(inside + counts, touched_blocks) - number * length)
    last = np.repeat(starts - inside, touched_blocks) + number * length + events - 1
    ends = np.repeat(seen[streams] - inside, touched_blocks) + number * length + events
    return Cut(
        order=order,
        streams=streams,
        counts=counts,
        touched=streams,
        carried=first,
        block=block,
        stream=np.repeat(streams, touched_blocks),
        round=number,
        share=np.ones(total),
        events=events,
        done=events == length,
        seen=ends,
        time=clock[order[last]],
    )


def cut_time(  # noqa: PLR0913, PLR0917  # what is open, and what comes
    stream: Indexes,
    number: Indexes,
    filled: Indexes,
    seen: Indexes,
    opened: int,
    seconds: float,
) -> Cut:
    """Cut all streams at once, by the numbers of the blocks of time that events are in."""
    size = filled.size
    touched = np.flatnonzero(filled)
    numbers = np.unique(np.append(number, opened) if touched.size else number)
    rank = np.searchsorted(numbers, number)
    keys, place = np.unique(np.concatenate([touched, rank * size + stream]), return_inverse=True)
    carried, block = place[: touched.size], place[touched.size :]
    round_, streams = np.divmod(keys, size)
    events = np.bincount(block, minlength=keys.size)
    counted = events.copy()
    events[carried] += filled[touched]
    alone = np.bincount(round_)
    order = np.argsort(keys // size + (keys % size) * numbers.size, kind="stable")
    ends = np.empty(keys.size, dtype=np.int64)
    along = np.cumsum(counted[order])  # by stream, then by time
    begin = np.searchsorted(streams[order], streams[order])
    ends[order] = along - (along - counted[order])[begin]
    found, counts = np.unique(stream, return_counts=True)
    return Cut(
        order=np.arange(stream.size),
        streams=found,
        counts=counts,
        touched=touched,
        carried=carried,
        block=block,
        stream=streams,
        round=round_,
        share=1.0 / alone[round_],
        events=events,
        done=numbers[round_] < number[-1],
        seen=ends + seen[streams],
        time=(numbers[round_] + 1) * seconds,
    )


def _by_stream(stream: Indexes) -> tuple[Indexes, Indexes, Indexes, Indexes]:
    """Return the order by stream, the streams, where each begins in it, and how many it has."""
    if stream.size and (stream[0] == stream).all():
        one = np.zeros(1, dtype=np.intp)
        return np.arange(stream.size), stream[:1], one, np.array([stream.size])
    small = stream.astype(np.uint16) if stream.max(initial=0) < 1 << 16 else stream
    order = np.argsort(small, kind="stable")
    streams, starts, counts = np.unique(stream[order], return_index=True, return_counts=True)
    return order, streams, starts, counts
