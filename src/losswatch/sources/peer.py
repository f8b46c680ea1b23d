"""One connection of a worker, as its owner sees it."""

from __future__ import annotations

import json
import logging
import re
import socket
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from losswatch.codec.frames import (
    LARGEST_FRAME,
    BadFrameError,
    Frame,
    Kind,
    decode_number,
    encode_frame,
    encode_number,
    read_frame,
    receive,
)
from losswatch.sources.batches import SpoiltBatchError

if TYPE_CHECKING:
    from losswatch.sources.batches import BatchDecoder, Delivered
    from losswatch.sources.sessions import Sessions

__all__ = ["Owner", "Page", "Peer"]

logger = logging.getLogger(__name__)

_GREETING_SECONDS = 30.0
_LONGEST_GREETING = 1 << 16
"""Bytes of a first frame, as it is JSON: of that a parser makes thirty times as much."""

_SESSION = re.compile(r"[0-9a-f]{16}")


class Page(Protocol):
    """Renders the metrics: ``Accept`` header and names to page and content type."""

    def __call__(self, accept: str, names: list[str], /) -> tuple[bytes, str]:
        """Return the page and its content type."""


class Owner(Protocol):
    """Who takes what workers send."""

    name: str
    page: Page | None
    decoder: BatchDecoder
    sessions: Sessions

    def offer(self, session: str, number: int, delivered: Delivered, peer: Peer) -> None:
        """Take a batch; wait while there is no room."""

    def part(self, session: str) -> None:
        """Learn that nothing of a session comes again."""

    def count_refused(self) -> None:
        """Count what cannot be read."""


class Peer:
    """Reads frames of one connection, until it ends.

    Parameters
    ----------
    connection
        The socket; it belongs to the peer now.
    owner
        Who takes the batches.
    """

    def __init__(self, connection: socket.socket, owner: Owner) -> None:
        self._socket = connection
        self._owner = owner
        self._lock = Lock()
        self._session: str | None = None

    def run(self) -> None:
        """Take what comes; return when the worker has gone."""
        try:
            self._socket.settimeout(_GREETING_SECONDS)
            self._talk()
        except OSError:
            return
        finally:
            self._close()
            if self._session is not None:
                self._owner.sessions.leave(self._session)

    def acknowledge(self, number: int) -> None:
        """Tell that a batch is safe; never waits. One who has gone will ask again."""
        self._send(encode_frame(Kind.ACK, encode_number(number)))

    def refuse(self, why: str) -> None:
        """Tell why nothing more is taken."""
        self._send(encode_frame(Kind.REFUSED, why.encode()))

    def turn_away(self, why: str) -> None:
        """Refuse a connection that was not listened to."""
        self.refuse(why)
        self._close()

    def hang_up(self) -> None:
        """End the connection; from any thread."""
        with self._lock, suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _talk(self) -> None:
        try:
            while (frame := self._next()) is not None:
                if not self._take(frame):
                    return
        except (BadFrameError, UnicodeDecodeError, TypeError, LookupError, RecursionError) as error:
            why = str(error)
        except ValueError as error:  # no JSON
            why = f"a greeting cannot be read: {error}"
        else:
            return
        self._owner.count_refused()
        logger.warning("%s: a connection is refused: %s", self._owner.name, why)
        self.refuse(why)

    def _next(self) -> Frame | None:
        most = _LONGEST_GREETING if self._session is None else LARGEST_FRAME
        return read_frame(lambda size: receive(self._socket, size), most)

    def _take(self, frame: Frame) -> bool:
        """Do what a frame asks for; tell whether another one may come."""
        if frame.kind == Kind.PAGE and self._session is None:
            self._show(json.loads(frame.body))
            return False
        if frame.kind == Kind.HELLO and self._session is None:
            self._greet(json.loads(frame.body))
            return True
        if frame.kind == Kind.BATCH and self._session is not None:
            self._take_batch(self._session, frame.body)
            return True
        if frame.kind == Kind.BYE and self._session is not None:
            self._owner.part(self._session)
            return False
        raise BadFrameError(f"a frame of kind {frame.kind} does not belong here")

    def _greet(self, hello: dict[str, object]) -> None:
        session = hello["session"]
        if not isinstance(session, str) or not _SESSION.fullmatch(session):
            raise BadFrameError(f"the session is {session!r:.60}; must be 16 digits of hex")
        self._owner.sessions.enter(session)
        self._session = session
        self._socket.settimeout(None)
        self._send(encode_frame(Kind.WELCOME, encode_number(self._owner.sessions.last(session))))

    def _take_batch(self, session: str, body: bytes) -> None:
        number, rest = decode_number(body)
        try:
            delivered = self._owner.decoder.decode(rest)
        except SpoiltBatchError as error:
            self._owner.count_refused()
            logger.warning("%s: batch %d of %s: %s", self._owner.name, number, session, error)
            self._send(encode_frame(Kind.SPOILT, encode_number(number) + str(error).encode()))
            return
        self._owner.offer(session, number, delivered, self)

    def _show(self, ask: dict[str, object]) -> None:
        if self._owner.page is None:
            self.refuse("the owner is not ready yet; ask again later")
            return
        names = ask["names"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadFrameError("the names of a page must be a list of text")
        page, content_type = self._owner.page(str(ask["accept"]), names)
        body = memoryview(content_type.encode() + b"\n" + page)
        for start in range(0, len(body) + 1, LARGEST_FRAME):  # one that is not full ends the page
            frame = encode_frame(Kind.PAGE, bytes(body[start : start + LARGEST_FRAME]))
            self._socket.sendall(frame)

    def _send(self, data: bytes) -> None:
        """Send a small frame without waiting; whoever does not read has no room and is left."""
        with self._lock, suppress(OSError):
            if self._sent(data) < len(data):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _sent(self, data: bytes) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _close(self) -> None:
        # Not between a look at the descriptor and a send: the next connection may have it then.
        with self._lock:
            self._socket.close()
