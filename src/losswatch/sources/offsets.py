"""Which messages of each partition were counted, as ranges of offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from losswatch.sources.base import Position

__all__ = ["Offsets", "Partition"]

Ranges = list[list[int]]


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"topic {self.topic}, partition {self.number}"


class Offsets:
    """Ranges of offsets, from the first to before the end, that one state has counted.

    Usually one range per partition: offsets that hold no message, as
    compaction and transactions leave them, are inside. A new range begins
    where messages were deleted before they were read. Each call is O(1);
    :meth:`position` is as long as there are ranges.

    Examples
    --------
    >>> offsets, eta = Offsets(), Partition("eta", 0)
    >>> offsets.begin(eta, 5)
    >>> offsets.reach(eta, 8)
    >>> offsets.begin(eta, 10)
    >>> offsets.reach(eta, 12)
    >>> offsets.next(eta), offsets.position()
    (12, {'eta': {'0': [[5, 8], [10, 12]]}})
    """

    def __init__(self) -> None:
        self._ranges: dict[Partition, Ranges] = {}

    @classmethod
    def of(cls, position: Position) -> Offsets:
        """Return those of a position.

        Raises
        ------
        ValueError
            It is none.
        """
        offsets = cls()
        for topic, partitions in position.items():
            if not isinstance(partitions, dict):
                raise ValueError(f"{topic!r} has {partitions!r:.60}, no partitions")  # noqa: TRY004
            for number, ranges in partitions.items():
                if not _are_ranges(ranges):
                    wanted = "must be [from, to] pairs that rise"
                    raise ValueError(f"{topic!r} {number!r:.20} has {ranges!r:.60}; {wanted}")
                offsets._ranges[Partition(topic, int(number))] = [list(pair) for pair in ranges]
        return offsets

    def next(self, partition: Partition) -> int | None:
        """Return the offset to go on at, ``None`` if the partition was never read."""
        ranges = self._ranges.get(partition)
        return ranges[-1][1] if ranges else None

    def begin(self, partition: Partition, offset: int) -> None:
        """Go on at a later offset; what is between was not counted."""
        self._ranges.setdefault(partition, []).append([offset, offset])

    def reach(self, partition: Partition, end: int) -> None:
        """Count all before ``end``; the partition was begun."""
        last = self._ranges[partition][-1]
        last[1] = max(last[1], end)

    def forget(self, partition: Partition) -> None:
        """Forget what was counted of messages that are no more."""
        self._ranges.pop(partition, None)

    def position(self) -> Position:
        """Return all ranges as JSON has them."""
        position: Position = {}
        for (topic, number), ranges in self._ranges.items():
            position.setdefault(topic, {})[str(number)] = [list(pair) for pair in ranges]
        return position


def _are_ranges(ranges: object) -> bool:
    """Tell whether something is pairs of offsets that never go back."""
    if not isinstance(ranges, list) or not ranges:
        return False
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in ranges):
        return False
    ends = [end for pair in ranges for end in pair]
    return all(type(end) is int and end >= 0 for end in ends) and ends == sorted(ends)
