"""One connection of a worker to its owner."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from losswatch.codec.frames import (
    LARGEST_FRAME,
    BadFrameError,
    Frame,
    Kind,
    check_path,
    decode_number,
    encode_frame,
    encode_number,
    read_frame,
    receive,
)
from losswatch.errors import LosswatchError
from losswatch.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Link", "LinkError", "ask_page"]

_GREETING_SECONDS = 10.0


class LinkError(LosswatchError, OSError):
    """There is no owner, or it does not take what is sent; the message says why."""


class Link:
    """Sends the batches of one session.

    Parameters
    ----------
    path
        That of the owner's socket.
    session
        Names the session.

    Raises
    ------
    LinkError
        No owner answers. Also from :meth:`deliver`: the link is of no more use.
    """

    def __init__(self, path: Path, session: str) -> None:
        self._path = path
        self._socket = _connected(path)
        try:
            hello = {"session": session, "pid": os.getpid(), "release": __version__}
            self._send(encode_frame(Kind.HELLO, json.dumps(hello).encode()))
            self.safe, _ = decode_number(self._next(Kind.WELCOME).body)
            self._socket.settimeout(None)
        except BaseException:
            self._socket.close()
            raise

    def deliver(self, number: int, body: bytes) -> str:
        """Send a batch and wait until it is safe, as long as that takes.

        Returns
        -------
        Why the owner cannot read it, if so: it never will.
        """
        self._send(encode_frame(Kind.BATCH, encode_number(number) + body))
        frame = self._next(Kind.ACK, Kind.SPOILT)
        found, text = decode_number(frame.body)
        if found != number:
            raise LinkError(f"{self._path}: the owner acknowledged {found} and not {number}")
        self.safe = number
        return text.decode(errors="replace") if frame.kind == Kind.SPOILT else ""

    def say_bye(self) -> None:
        """Tell that nothing of this session comes again."""
        with suppress(OSError):
            self._send(encode_frame(Kind.BYE))

    def wake(self) -> None:
        """Have whoever waits here give up."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket; in a forked child the parent's goes on."""
        self._socket.close()

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            # It may have said why before it closed.
            with suppress(LinkError):
                self._next()
            raise LinkError(f"{self._path}: {error.strerror or error}") from None

    def _next(self, *wanted: Kind) -> Frame:
        return _frame(self._socket, self._path, *wanted)


def ask_page(path: Path, accept: str, names: list[str], seconds: float) -> tuple[bytes, str]:
    """Return the owner's page of metrics and its content type.

    Raises
    ------
    LinkError
        No owner answers within some seconds.
    """
    connection = _connected(path, seconds)
    with connection:
        try:
            ask = json.dumps({"accept": accept, "names": names}).encode()
            connection.sendall(encode_frame(Kind.PAGE, ask))
        except OSError as error:
            raise LinkError(f"{path}: {error.strerror or error}") from None
        pieces = [_frame(connection, path, Kind.PAGE).body]
        while len(pieces[-1]) == LARGEST_FRAME:
            pieces.append(_frame(connection, path, Kind.PAGE).body)
    content_type, _, page = b"".join(pieces).partition(b"\n")
    return page, content_type.decode("latin-1")


def _connected(path: Path, seconds: float = _GREETING_SECONDS) -> socket.socket:
    if wrong := check_path(str(path)):
        raise LinkError(f"{path}: {wrong}")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        why = error.strerror or error
        raise LinkError(f"{path}: {why}; `losswatch run` with this socket must run") from None
    return connection


def _frame(connection: socket.socket, path: Path, *wanted: Kind) -> Frame:
    try:
        frame = read_frame(lambda size: receive(connection, size))
    except (BadFrameError, OSError) as error:
        raise LinkError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if frame is None:
        raise LinkError(f"{path}: the owner has ended")
    if frame.kind == Kind.REFUSED:
        raise LinkError(f"{path}: refused: {frame.body.decode(errors='replace')}")
    if frame.kind not in wanted:
        raise LinkError(f"{path}: an unexpected frame of kind {frame.kind}")
    return frame
