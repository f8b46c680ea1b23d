"""Standard input as a source of events."""

from __future__ import annotations

import os
import selectors
import sys
from typing import IO, TYPE_CHECKING

from losswatch.errors import SourceError
from losswatch.sources.base import Batch
from losswatch.sources.lines import READ_SIZE, LineReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.sources.base import Decoder, Outcome, Position

__all__ = ["StdinSource"]


class StdinSource:
    """Standard input, until its end. On a pipe that is idle it does not block."""

    name = "stdin"

    def __init__(
        self, decoder: Callable[[], Decoder], limit: int, stream: IO[bytes] | None = None
    ) -> None:
        if stream is None and sys.stdin is None:
            raise SourceError("standard input is closed")
        self._fd = (stream or sys.stdin.buffer).fileno()
        self._reader = LineReader(decoder(), limit)
        self._ended = False
        self._selector = selectors.DefaultSelector()
        try:
            self._selector.register(self._fd, selectors.EVENT_READ)
        except OSError:  # a regular file is always ready
            self._selector.close()

    def resume(self, position: Position) -> None:
        """Refuse: what went through a pipe is gone."""
        del position
        raise SourceError(f"{self.name}: has no position to go on at")

    def committed(self, outcome: Outcome) -> None:
        """Do nothing: it cannot be read again."""

    def failed(self, reason: str) -> bool:
        """Ask for the same batch again."""
        del reason
        return True

    def next_batch(self) -> Batch | None:
        """Return the lines that are there; see :class:`losswatch.sources.base.Source`."""
        if self._ended:
            return None
        if self._selector.get_map() and not self._selector.select(timeout=0):
            return Batch()
        try:
            data = os.read(self._fd, READ_SIZE)
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read: {error.strerror}") from None
        if data:
            return self._reader.feed(data)
        self._ended = True
        return self._reader.finish()

    def close(self) -> None:
        """Forget standard input; it stays open."""
        self._ended = True
        self._selector.close()
