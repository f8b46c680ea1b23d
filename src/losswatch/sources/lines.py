"""Cut a stream of bytes into lines, in bounded memory, and have them decoded."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol, runtime_checkable
from zlib import crc32

from losswatch.sources.base import Batch
from losswatch.sources.positions import HEAD, FilePosition

if TYPE_CHECKING:
    import os
    from gzip import GzipFile

    from losswatch.sources.base import Decoder, Position

__all__ = ["READ_SIZE", "LineReader", "LineSplitter"]

READ_SIZE = 1 << 20
"""Bytes to read at a time: about 10,000 events, 10 ms."""


class LineSplitter:
    r"""Keeps what is not a whole line yet, at most ``limit + 1`` bytes of it.

    A longer line comes out longer than ``limit`` but cut, so whoever checks
    the length still refuses it and no memory is held.

    Examples
    --------
    >>> splitter = LineSplitter(limit=4)
    >>> splitter.feed(b"ab\ncd"), splitter.feed(b"e\n"), splitter.feed(b"123456789")
    ([b'ab'], [b'cde'], [])
    >>> splitter.feed(b"0\nf"), splitter.finish()
    ([b'12345'], [b'f'])
    """

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that ``data`` completes, without their line feeds."""
        if len(self._rest) > self._limit:  # what is left of an overlong line is dropped
            end = data.find(b"\n")
            data = data[end:] if end >= 0 else b""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[: self._limit + 1]
        return lines

    def finish(self) -> list[bytes]:
        """Return the last line if it had no line feed."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


@runtime_checkable
class Headed(Protocol):
    """A decoder that has read a header, and can be given it."""

    header: list[str] | None


class LineReader:
    """Bytes of one file to batches, with line numbers and positions."""

    def __init__(self, decoder: Decoder, limit: int) -> None:
        self._decoder = decoder
        self._splitter = LineSplitter(limit)
        self._line = 1
        self._fed = 0
        self._offset = 0  # of what was handed over: whole lines
        self._head = b""
        self._skipping = False  # the rest of a line that was handed over

    def resume(self, stream: IO[bytes] | GzipFile, position: FilePosition) -> bool:
        """Go on in a file where it was left, if it begins as it did and is as long.

        Otherwise the stream is at its beginning, and nothing else has changed.
        """
        stream.seek(0)
        head, last = stream.read(min(position.offset, HEAD)), b"\n"
        if position.offset:
            stream.seek(position.offset - 1)
            last = stream.read(1)
        if not last or crc32(head) != position.head:
            stream.seek(0)
            return False
        self._head, self._line = head, position.line
        self._fed = self._offset = position.offset
        self._skipping = last != b"\n"
        if isinstance(self._decoder, Headed):
            self._decoder.header = position.header
        return True

    def position(self, file: os.stat_result) -> Position:
        """Return where this stands in a file: after what was handed over."""
        return FilePosition(
            device=file.st_dev,
            inode=file.st_ino,
            offset=self._offset,
            line=self._line,
            head=crc32(self._head[: self._offset]),
            header=self._decoder.header if isinstance(self._decoder, Headed) else None,
        ).as_json()

    def feed(self, data: bytes) -> Batch:
        """Return what the lines that ``data`` completes hold."""
        end = data.rfind(b"\n") + 1
        if end:
            self._offset = self._fed + end
        self._fed += len(data)
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        if self._skipping:
            self._skipping = not end
            data = data.partition(b"\n")[2]
        return self._decode(self._splitter.feed(data))

    def finish(self) -> Batch:
        """Return what the last line holds, if it had no line feed."""
        self._offset = self._fed
        return self._decode(self._splitter.finish())

    def cut(self) -> Batch:
        """Return what the last line holds, if its line feed will never come."""
        self._offset = self._fed
        rest = self._splitter.finish()
        if not rest:
            return Batch()
        self._line += 1
        return self._decoder.decode_cut(rest[0], self._line - 1)

    def _decode(self, lines: list[bytes]) -> Batch:
        first = self._line
        self._line += len(lines)
        return self._decoder.decode(lines, first)
