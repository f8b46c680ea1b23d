"""Where the sources of several machines stand."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from losswatch.errors import StateError
from losswatch.service.lineage import LINEAGE, joined_lineages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from losswatch.sources.base import Position

__all__ = ["merged_positions"]

logger = logging.getLogger(__name__)

Ranges = list[list[int]]


def merged_positions(
    mine: Mapping[str, Position], theirs: Mapping[str, Position], path: str
) -> dict[str, Position]:
    """Return the positions of both.

    Those of topics and of workers become one; of a file that both have by name, the first is kept.

    Raises
    ------
    StateError
        Both have counted the same: an overlap of offsets, a file, or a common past.

    Examples
    --------
    >>> one, other = ({"kafka:x": {"t": {"0": [ends]}}} for ends in ([0, 5], [5, 9]))
    >>> merged_positions(one, other, "other.db")
    {'kafka:x': {'t': {'0': [[0, 9]]}}}
    """
    merged = {**theirs, **mine}
    topics = {name for name in {**mine, **theirs} if name.startswith("kafka:")}
    _check_offsets(mine, theirs, path)
    for name in mine.keys() & theirs.keys():
        if name in topics:
            merged[name] = _joined(mine[name], theirs[name])
        elif name == LINEAGE:
            merged[name] = joined_lineages(mine[name], theirs[name], path)
        elif name.startswith("socket:"):
            merged[name] = _latest(mine[name], theirs[name])
        elif _file_of(mine[name]) == _file_of(theirs[name]):
            raise StateError(
                f"{path}: has counted the file {name} that another state has counted; its events"
                " would count twice"
            )
        else:
            logger.warning("%s: its position in %s is dropped: another has one", path, name)
    return merged


def _check_offsets(mine: Mapping[str, Position], theirs: Mapping[str, Position], path: str) -> None:
    """Refuse messages that were counted twice, whatever the groups are called."""
    counted: dict[tuple[str, str], Ranges] = {}
    for topic, number, ranges in _partitions(mine):
        counted.setdefault((topic, number), []).extend(ranges)
    for topic, number, ranges in _partitions(theirs):
        for start, end in ranges:
            for low, high in counted.get((topic, number), ()):
                if max(start, low) < min(end, high):
                    raise StateError(
                        f"{path}: has counted the messages {max(start, low)} to"
                        f" {min(end, high) - 1} of topic {topic}, partition {number}, and so has"
                        " another state; they would count twice"
                    )


def _partitions(positions: Mapping[str, Position]) -> Iterator[tuple[str, str, Ranges]]:
    for name, position in positions.items():
        if name.startswith("kafka:"):
            for topic, partitions in position.items():
                for number, ranges in partitions.items():
                    yield topic, number, ranges


def _joined(mine: Position, theirs: Position) -> Position:
    topics: dict[str, dict[str, Ranges]] = {}
    for position in (mine, theirs):
        for topic, partitions in position.items():
            for number, ranges in partitions.items():
                topics.setdefault(topic, {}).setdefault(number, []).extend(ranges)
    return {
        topic: {number: _touching(ranges) for number, ranges in partitions.items()}
        for topic, partitions in topics.items()
    }


def _touching(ranges: Ranges) -> Ranges:
    """Return ranges in order, those that touch as one."""
    joined: Ranges = []
    for start, end in sorted(ranges):
        if joined and joined[-1][1] == start:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return joined


def _latest(mine: Position, theirs: Position) -> Position:
    """Return the last number of each session of workers."""
    one, other = mine["sessions"], theirs["sessions"]
    return {"sessions": {name: max(one.get(name, 0), other.get(name, 0)) for name in one | other}}


def _file_of(position: Position) -> tuple[Any, ...]:
    return tuple(position.get(key) for key in ("device", "inode", "head"))
