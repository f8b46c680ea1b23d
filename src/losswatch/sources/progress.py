"""How far each partition was read: nothing twice, and what the broker lost is told."""

from __future__ import annotations

import logging
from itertools import islice
from operator import lt
from typing import TYPE_CHECKING

from losswatch.sources.offsets import Offsets, Partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losswatch.sources.base import Position

__all__ = ["Progress"]

logger = logging.getLogger(__name__)


class Progress:
    """Follows the offsets of all partitions.

    Parameters
    ----------
    name
        The source, for the log.
    position
        What was counted before.

    Raises
    ------
    ValueError
        The position is none.
    """

    def __init__(self, name: str, position: Position) -> None:
        self._name = name
        self._offsets = Offsets.of(position)
        self._changed = False
        self._misplaced: set[Partition] = set()
        self.lost: dict[Partition, int] = {}

    def next(self, partition: Partition) -> int | None:
        """Return the offset to go on at, ``None`` if the partition was never read."""
        return self._offsets.next(partition)

    def misplace(self, partition: Partition) -> None:
        """Learn that the broker does not have the offset to go on at, but begins elsewhere."""
        self._misplaced.add(partition)

    def take(self, partition: Partition, offsets: Sequence[int]) -> list[int]:
        """Count messages as they came; return the places of those that are new."""
        self._start(partition, offsets[0])
        end = self._offsets.next(partition) or 0
        new = list(range(len(offsets)))
        if offsets[0] < end or not all(map(lt, offsets, islice(offsets, 1, None))):
            new = []
            for place, offset in enumerate(offsets):
                if offset >= end:
                    new.append(place)
                    end = offset + 1
        if new:
            self._offsets.reach(partition, offsets[new[-1]] + 1)
            self._changed = True
        return new

    def end(self, partition: Partition, offset: int) -> None:
        """Learn that nothing more is before ``offset``, the end of the partition now."""
        self._start(partition, offset)
        if offset > (self._offsets.next(partition) or 0):
            self._offsets.reach(partition, offset)
            self._changed = True

    def position(self) -> Position | None:
        """Return what is counted if it changed since the last call."""
        changed, self._changed = self._changed, False
        return self._offsets.position() if changed else None

    def lag(self, ends: Mapping[Partition, int]) -> dict[tuple[str, int], int]:
        """Return how many offsets are left up to the ends."""
        return {
            (partition.topic, partition.number): max(end - start, 0)
            for partition, end in ends.items()
            if (start := self._offsets.next(partition)) is not None
        }

    def _start(self, partition: Partition, offset: int) -> None:
        """Begin a partition that was never read, or that goes on elsewhere."""
        wanted = self._offsets.next(partition)
        if wanted is not None and partition not in self._misplaced:
            return
        self._misplaced.discard(partition)
        if wanted is not None and wanted < offset:
            self._lose(partition, wanted, offset)
        elif wanted is not None and wanted > offset:
            self._begin_anew(partition, wanted, offset)
        if wanted != offset:
            self._offsets.begin(partition, offset)
            self._changed = True

    def _lose(self, partition: Partition, wanted: int, offset: int) -> None:
        self.lost[partition] = self.lost.get(partition, 0) + offset - wanted
        logger.error(
            "%s: %s: the broker deleted the offsets from %d to before %d, so up to %d messages are"
            " lost; going on at %d. Let retention be longer than losswatch may be down",
            self._name,
            partition,
            wanted,
            offset,
            offset - wanted,
            offset,
        )

    def _begin_anew(self, partition: Partition, wanted: int, offset: int) -> None:
        self._offsets.forget(partition)
        logger.error(
            "%s: %s: ends before offset %d, where to go on: the topic was made anew or the broker"
            " lost its end; reading it from its beginning, offset %d. If the topic is the old one,"
            " what it still has counts a second time",
            self._name,
            partition,
            wanted,
            offset,
        )
