"""Messages that hold no event, and a file that keeps them with their reason."""

from __future__ import annotations

import json
import logging
import os
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from losswatch.errors import Reason
    from losswatch.sources.base import Refusal
    from losswatch.sources.offsets import Partition

__all__ = [
    "DeadLetter",
    "DeadLetterFile",
    "DeadLetters",
    "NoDeadLetters",
]

logger = logging.getLogger(__name__)

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message, where it stood, and why it was refused."""

    partition: Partition
    offset: int
    timestamp: int | None  # milliseconds since 1970
    reason: Reason
    detail: str
    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, partition: Partition, message: Message, refusal: Refusal) -> DeadLetter:
        """Return the letter of a message."""
        kind, timestamp = message.timestamp()
        return cls(
            partition=partition,
            offset=message.offset() or 0,
            timestamp=timestamp if kind else None,
            reason=refusal.reason,
            detail=refusal.detail,
            key=message.key(),
            value=message.value(),
            headers=list(message.headers() or []),
        )


class Message(Protocol):
    """A message; that of confluent_kafka."""

    def offset(self) -> int | None:
        """Return where it stands in its partition."""

    def timestamp(self) -> tuple[int, int]:
        """Return the kind of its time, 0 if it has none, and the time in milliseconds."""

    def key(self) -> bytes | None:
        """Return its key."""

    def value(self) -> bytes | None:
        """Return what it holds."""

    def headers(self) -> Any:  # noqa: ANN401  # a list, but the types of the client say more
        """Return its headers."""


class DeadLetters(Protocol):
    """Where messages go that hold no event."""

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Take letters; they are safe when :meth:`settled` says so."""

    def settled(self) -> bool:
        """Tell whether all letters are safe. Tries it, never waits for the network."""

    def close(self) -> None:
        """Let go of files and sockets. Safe to call twice."""


class NoDeadLetters:
    """Keeps none."""

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Drop them."""

    def settled(self) -> bool:
        """Have nothing to wait for."""
        return True

    def close(self) -> None:
        """Have nothing to let go of."""


class DeadLetterFile:
    """Appends letters to a file, a line of JSON each, synced to the disk.

    Keys and values are text where they are UTF-8, else base64 beside the name
    ``key_base64`` or ``value_base64``. The file is opened for each write, so
    it may be rotated. A write that fails is tried again.

    Parameters
    ----------
    path
        The file, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[bytes] = []
        self._broken = False

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Take letters; see :class:`DeadLetters`."""
        self._waiting += [json.dumps(_plain(letter)).encode() + b"\n" for letter in letters]

    def settled(self) -> bool:
        """Write what waits; ``False`` while that fails."""
        if self._waiting:
            try:
                _append(self._path, b"".join(self._waiting))
            except OSError as error:
                if not self._broken:
                    reason = error.strerror or error
                    logger.error(
                        "%s: dead letters cannot be written: %s; their messages wait",
                        self._path,
                        reason,
                    )
                self._broken = True
                return False
            self._waiting, self._broken = [], False
        return True

    def close(self) -> None:
        """Hold nothing open."""


def _plain(letter: DeadLetter) -> dict[str, object]:
    return {
        "topic": letter.partition.topic,
        "partition": letter.partition.number,
        "offset": letter.offset,
        "timestamp": letter.timestamp,
        "reason": letter.reason,
        "detail": letter.detail,
        **_text("key", letter.key),
        **_text("value", letter.value),
    }


def _text(name: str, data: bytes | None) -> dict[str, str | None]:
    """Return bytes as what JSON can hold, losing none."""
    try:
        return {name: None if data is None else data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(data or b"").decode()}


def _append(path: Path, data: bytes) -> None:
    """Append whole lines and sync them, or leave the file as it was."""
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            if size:
                file.seek(size - 1)
                data = data if file.read(1) == b"\n" else b"\n" + data  # half a line of a crash
            _write(file, data)
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise


def _write(file: Any, data: bytes) -> None:  # noqa: ANN401  # a raw file
    """Write all, also where the disk takes less at a time."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
