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
_LAST_WORDS_SECONDS = 1.0


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
        From :meth:`open` and :meth:`deliver`: no owner answers. Then the link is
        to be closed.
    """

    def __init__(self, path: Path, session: str) -> None:
        self.safe = 0
        self._path = path
        self._session = session
        # Before anything is sent: a fork from now on can close it in the child.
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def open(self) -> None:
        """Meet the owner, and learn which number is safe."""
        _connect(self._socket, self._path, _GREETING_SECONDS)
        hello = {"session": self._session, "pid": os.getpid(), "release": __version__}
        self._send(encode_frame(Kind.HELLO, json.dumps(hello).encode()))
        self.safe, _ = self._number_of(self._next(Kind.WELCOME))
        self._socket.settimeout(None)

    def deliver(self, number: int, body: bytes) -> str:
        """Send a batch and wait until it is safe, as long as that takes.

        Returns
        -------
        Why the owner cannot read it, if so: it never will.
        """
        self._send(encode_frame(Kind.BATCH, encode_number(number) + body))
        frame = self._next(Kind.ACK, Kind.SPOILT)
        found, text = self._number_of(frame)
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
            self._socket.settimeout(_LAST_WORDS_SECONDS)
            self._next()  # it may have said why before it closed
            raise LinkError(f"{self._path}: {error.strerror or error}") from None

    def _number_of(self, frame: Frame) -> tuple[int, bytes]:
        try:
            return decode_number(frame.body)
        except BadFrameError as error:
            raise LinkError(f"{self._path}: {error}") from None

    def _next(self, *wanted: Kind) -> Frame:
        return _frame(self._socket, self._path, *wanted)


def ask_page(path: Path, accept: str, names: list[str], seconds: float) -> tuple[bytes, str]:
    """Return the owner's page of metrics and its content type.

    Raises
    ------
    LinkError
        No owner answers within some seconds.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _connect(connection, path, seconds)
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


def _connect(connection: socket.socket, path: Path, seconds: float) -> None:
    if wrong := check_path(str(path)):
        raise LinkError(f"{path}: {wrong}")
    connection.settimeout(seconds)
    try:
        connection.connect(str(path))
    except OSError as error:
        why = error.strerror or error
        raise LinkError(f"{path}: {why}; `losswatch run` with this socket must run") from None


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
