"""A file followed for ever, through rotation, as ``tail -F`` follows it."""

from __future__ import annotations

import errno
import logging
import os
import stat
from typing import IO, TYPE_CHECKING

from losswatch.errors import SourceError
from losswatch.sources.base import Batch
from losswatch.sources.lines import READ_SIZE, LineReader
from losswatch.sources.positions import FilePosition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from losswatch.sources.base import Decoder, Outcome, Position

__all__ = ["FollowSource"]

logger = logging.getLogger(__name__)


class FollowSource:
    """Reads a file from its beginning and then whatever is appended.

    When another file takes the name, the old one is read to its end first. When the file is
    emptied, reading starts at its beginning again. Before it exists, waits for
    it. A line counts when it is complete; half a line at the end of a file
    that was rotated away or emptied is refused.

    After a restart it goes on where it was; a file that was rotated meanwhile
    is looked for in its folder, by its inode, and read to its end first.

    What it cannot see: a file that was emptied and has grown past the old
    position again before the next look; lines that are written to the old
    file when the new one has been found; and while it does not run, all but
    the first of several rotations, and a file that was packed or moved away.

    Parameters
    ----------
    path
        The file, which need not exist yet.
    decoder
        Makes the decoder of each file that has the name.
    limit
        The longest line, in bytes.
    """

    def __init__(self, path: Path, decoder: Callable[[], Decoder], limit: int) -> None:
        self.name = str(path)
        self._path = path
        self._make_decoder = decoder
        self._limit = limit
        self._stream: IO[bytes] | None = None
        self._waiting = False
        self._reader = LineReader(decoder(), limit)

    def resume(self, position: Position) -> None:
        """Go on in the file, under whatever name its folder has it now."""
        there = FilePosition.of(position, self.name)
        try:
            self._resume(there)
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read: {error.strerror or error}") from None

    def committed(self, outcome: Outcome) -> None:
        """Do nothing: the position is in the state."""

    def failed(self, reason: str) -> bool:
        """Ask for the same batch again."""
        del reason
        return True

    def next_batch(self) -> Batch:
        """Return what was appended; see :class:`losswatch.sources.base.Source`."""
        try:
            return self._next_batch()
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read: {error.strerror or error}") from None

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _next_batch(self) -> Batch:
        if self._stream is None and not self._open():
            return Batch()
        assert self._stream is not None
        here = os.fstat(self._stream.fileno())
        if here.st_size < self._stream.tell():  # emptied in place
            logger.info("%s was emptied; reading it from its beginning", self.name)
            self._stream.seek(0)
            return self._start_over(here, replaced=False)
        replaced = self._replaced(here)  # first look, then read: else a line may slip through
        data = self._stream.read(READ_SIZE)
        if data:
            batch = self._reader.feed(data)
            batch.position = self._reader.position(here)
            return batch
        if replaced:
            logger.info("%s is another file now; reading it from its beginning", self.name)
            self.close()
            return self._start_over(here, replaced=True)
        return Batch()

    def _resume(self, there: FilePosition) -> None:
        """Find the file by its name, or else by its inode in the folder."""
        for path in (self._path, *_siblings(self._path)):
            stream = _open_inode(path, there.inode)
            if stream is None:
                continue
            if self._reader.resume(stream, there):
                logger.info("%s: reading on in %s at line %d", self.name, path, there.line)
                self._stream = stream
                return
            stream.close()
            if path == self._path:
                logger.warning("%s was emptied; reading it from its beginning", self.name)
                return
        logger.warning(
            "%s: the file that was read is gone from its folder, with what was not read of it;"
            " reading on in the file that has its name, from its beginning",
            self.name,
        )

    def _open(self) -> bool:
        try:
            self._stream = _open_regular(self._path)
        except OSError as error:  # as tail -F: it may be mended
            if not self._waiting:
                logger.warning("%s: %s; waiting for it", self.name, error.strerror)
            self._waiting = True
            return False
        logger.info("following %s", self.name)
        self._waiting = False
        return True

    def _replaced(self, here: os.stat_result) -> bool:
        """Tell whether another file has the name now."""
        try:
            there = self._path.stat()
        except OSError:
            return False
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _start_over(self, here: os.stat_result, *, replaced: bool) -> Batch:
        """Hand over half a line that will never be whole, and begin a new file."""
        last, old = self._reader.cut(), self._reader
        self._reader = LineReader(self._make_decoder(), self._limit)
        last.position = (old if replaced else self._reader).position(here)
        return last


def _siblings(path: Path) -> list[Path]:
    """Return what else is in the folder of a file, nothing if there is none."""
    try:
        return sorted(other for other in path.parent.iterdir() if other != path)
    except OSError:
        return []


def _open_inode(path: Path, inode: int) -> IO[bytes] | None:
    """Open a file if it has this inode."""
    try:
        if path.stat().st_ino != inode:
            return None
        stream = _open_regular(path)
    except OSError:
        return None
    if os.fstat(stream.fileno()).st_ino == inode:
        return stream
    stream.close()
    return None


def _open_regular(path: Path) -> IO[bytes]:
    """Open a regular file; opening a pipe would wait for its writer."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file")
    return open(descriptor, "rb", buffering=0)  # noqa: PTH123  # closed by close
