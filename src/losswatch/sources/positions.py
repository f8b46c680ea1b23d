"""Where in a file a source stands, so that it goes on there after a restart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from losswatch.errors import SourceError

if TYPE_CHECKING:
    from losswatch.sources.base import Position

__all__ = ["HEAD", "FilePosition"]

HEAD = 1024
"""Bytes at the beginning of a file that tell it from another with its inode."""

_NUMBERS = ("device", "inode", "offset", "line", "head")


@dataclass(frozen=True, slots=True)
class FilePosition:
    """After a whole line of one file, which is known by its inode and its beginning.

    ``offset`` counts bytes, unpacked if the file is packed; ``line`` is the
    number of the next one; ``head`` is the CRC-32 of what comes before, of the
    first :data:`HEAD` bytes at most; ``header`` are the cells of a CSV's.
    """

    device: int
    inode: int
    offset: int
    line: int
    head: int
    header: list[str] | None = None

    @classmethod
    def of(cls, position: Position, name: str) -> FilePosition:
        """Return a position that the state kept.

        Raises
        ------
        SourceError
            It is none of a file.
        """
        header = position.get("header")
        numbers = [position.get(key) for key in _NUMBERS]
        right = all(type(number) is int and number >= 0 for number in numbers)
        if not right or not (header is None or isinstance(header, list)):
            raise SourceError(f"{name}: the state has {position!r:.120}, no position of a file")
        return cls(**{key: position[key] for key in _NUMBERS}, header=header)

    def as_json(self) -> Position:
        """Return what :meth:`of` takes."""
        return {key: value for key, value in asdict(self).items() if value is not None}
