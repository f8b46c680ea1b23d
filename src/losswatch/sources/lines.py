"""Cut a stream of bytes into lines, in bounded memory, and have them decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.sources.base import Batch

if TYPE_CHECKING:
    from losswatch.sources.base import Decoder

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


class LineReader:
    """Bytes of one file to batches, with line numbers."""

    def __init__(self, decoder: Decoder, limit: int) -> None:
        self._decoder = decoder
        self._splitter = LineSplitter(limit)
        self._line = 1

    def feed(self, data: bytes) -> Batch:
        """Return what the lines that ``data`` completes hold."""
        return self._decode(self._splitter.feed(data))

    def finish(self) -> Batch:
        """Return what the last line holds, if it had no line feed."""
        return self._decode(self._splitter.finish())

    def cut(self) -> Batch:
        """Return what the last line holds, if its line feed will never come."""
        rest = self._splitter.finish()
        return self._decoder.decode_cut(rest[0], self._line) if rest else Batch()

    def _decode(self, lines: list[bytes]) -> Batch:
        first = self._line
        self._line += len(lines)
        return self._decoder.decode(lines, first)
