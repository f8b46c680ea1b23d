"""Where in a file of columns a source stands, so that it goes on there after a restart."""

from __future__ import annotations

import os
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from losswatch.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from losswatch.sources.base import Position

__all__ = ["RowPosition"]

_ENDS = 1024
"""Bytes at either end that tell a file from another; the statistics of a Parquet are among them."""

_NUMBERS = ("device", "inode", "size", "head", "rows")


@dataclass(frozen=True, slots=True)
class RowPosition:
    """After so many rows of one file, which is known by its inode, its size and its ends.

    Such a file is written once: nothing is appended. ``head`` is the CRC-32 of
    its first and last bytes.
    """

    device: int
    inode: int
    size: int
    head: int
    rows: int = 0

    @classmethod
    def start(cls, path: Path) -> RowPosition:
        """Return the position before the first row of a file.

        Raises
        ------
        SourceError
            It cannot be read.
        """
        try:
            with path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                head = zlib.crc32(stream.read(_ENDS))
                stream.seek(max(0, status.st_size - _ENDS))
                head = zlib.crc32(stream.read(_ENDS), head)
        except OSError as error:
            raise SourceError(f"{path}: cannot be opened: {error.strerror}") from None
        return cls(status.st_dev, status.st_ino, status.st_size, head)

    @classmethod
    def of(cls, position: Position, name: str) -> RowPosition:
        """Return a position that the state kept.

        Raises
        ------
        SourceError
            It is none of a file.
        """
        numbers = [position.get(key) for key in _NUMBERS]
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise SourceError(f"{name}: the state has {position!r:.120}, no position of a file")
        return cls(**{key: position[key] for key in _NUMBERS})

    def is_of(self, other: RowPosition) -> bool:
        """Tell whether two positions are of one file."""
        return (self.inode, self.size, self.head) == (other.inode, other.size, other.head)

    def as_json(self) -> Position:
        """Return what :meth:`of` takes."""
        return asdict(self)
