"""A file of events, read once."""

from __future__ import annotations

import gzip
import logging
import os
import stat
import zlib
from typing import TYPE_CHECKING

from losswatch.errors import SourceError
from losswatch.sources.lines import READ_SIZE, LineReader
from losswatch.sources.positions import FilePosition

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader
    from pathlib import Path

    from losswatch.sources.base import Batch, Decoder, Outcome, Position

__all__ = ["FileSource"]

logger = logging.getLogger(__name__)

_GZIP = b"\x1f\x8b"


class FileSource:
    """A file read once from beginning to end; gzip is recognised.

    Parameters
    ----------
    path
        The file.
    decoder
        Makes the decoder of the file.
    limit
        The longest line, in bytes.

    Raises
    ------
    SourceError
        The file cannot be opened.
    """

    def __init__(self, path: Path, decoder: Callable[[], Decoder], limit: int) -> None:
        self.name = str(path)
        self._raw = _open(path)
        self._stream: BufferedReader | gzip.GzipFile = self._raw
        if self._raw.peek(2).startswith(_GZIP):
            self._stream = gzip.GzipFile(fileobj=self._raw)
        self._file = os.fstat(self._raw.fileno())
        self._reader = LineReader(decoder(), limit)
        self._broken = ""  # what is wrong with the rest of the file
        self.position = 0  # bytes read of the file, compressed if it is and is no pipe

    def resume(self, position: Position) -> None:
        """Go on in the file, or at its beginning if it is another one."""
        there = FilePosition.of(position, self.name)
        try:
            if there.inode == self._file.st_ino and self._reader.resume(self._stream, there):
                return
        except (OSError, EOFError, zlib.error) as error:
            self._broken = f"{self.name}: cannot be read: {error}"  # as the next batch tells
            return
        logger.warning("%s is another file now; reading it from its beginning", self.name)

    def next_batch(self) -> Batch | None:
        """Return the next lines; see :class:`losswatch.sources.base.Source`."""
        if self._raw.closed:
            return None
        batch = self._next_batch()
        if stat.S_ISREG(self._file.st_mode):
            batch.position = self._reader.position(self._file)
        return batch

    def committed(self, outcome: Outcome) -> None:
        """Do nothing: the position is in the state."""

    def failed(self, reason: str) -> bool:
        """Ask for the same batch again."""
        del reason
        return True

    def _next_batch(self) -> Batch:
        data = self._read()
        self.position = self._raw.tell() if self._raw.seekable() else self.position + len(data)
        if data:
            return self._reader.feed(data)
        self.close()
        return self._reader.finish()

    def _read(self) -> bytes:
        """Read on; where the file breaks off, first hand over what comes before that."""
        if self._broken:
            raise SourceError(self._broken)
        pieces: list[bytes] = []
        try:
            while sum(map(len, pieces)) < READ_SIZE and (piece := self._stream.read1(READ_SIZE)):
                pieces.append(piece)
        except (OSError, EOFError, zlib.error) as error:
            self._broken = f"{self.name}: cannot be read: {error}"
            if not pieces:
                raise SourceError(self._broken) from None
        return b"".join(pieces)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened: {error.strerror}") from None
    except ValueError as error:  # a NUL in the name
        raise SourceError(f"{str(path)!r}: cannot be opened: {error}") from None
