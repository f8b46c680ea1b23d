"""Frames between workers and their owner: a header that says what follows, and its checksum."""

from __future__ import annotations

import struct
import sys
import zlib
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from losswatch.version import __version__

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = [
    "LARGEST_FRAME",
    "LONGEST_PATH",
    "BadFrameError",
    "Frame",
    "Kind",
    "check_path",
    "decode_number",
    "encode_frame",
    "encode_number",
    "read_frame",
    "receive",
]

_MAGIC = b"LWW"
_VERSION = 1
_HEADER = struct.Struct("<3sBBII")  # magic, version, kind, length, CRC-32 of all but itself
_CHECKED = _HEADER.size - 4
_NUMBER = struct.Struct("<Q")
_CHUNK = 1 << 18

LARGEST_FRAME = 1 << 24
"""Bytes of what a frame carries."""

LONGEST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a path that this system takes as that of a socket."""


class Kind(IntEnum):
    """What a frame is. ``REFUSED`` and the header are the same in every version."""

    HELLO = 1  # worker: its session
    WELCOME = 2  # owner: the last number of the session that is safe
    BATCH = 3  # worker: a number and events
    ACK = 4  # owner: the number is safe
    SPOILT = 5  # owner: the number cannot be read, and a text says why
    BYE = 6  # worker: nothing of this session comes again
    PAGE = 7  # both: what is asked for, and the page, to the first frame that is not full
    REFUSED = 255  # owner: a text says why; the connection ends


class Frame(NamedTuple):
    """What was received."""

    kind: int
    body: bytes


class BadFrameError(ValueError):
    """What was received is no frame; the message says what it is."""


def encode_frame(kind: Kind, body: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    if len(body) > LARGEST_FRAME:
        raise ValueError(f"a frame of {len(body)} bytes; at most {LARGEST_FRAME} can be sent")
    head = _HEADER.pack(_MAGIC, _VERSION, kind, len(body), 0)[:_CHECKED]
    checksum = zlib.crc32(body, zlib.crc32(head))
    return b"".join((head, checksum.to_bytes(4, "little"), body))


def read_frame(read: Callable[[int], bytes], most: int = LARGEST_FRAME) -> Frame | None:
    r"""Return the next frame, ``None`` if the stream has ended.

    Nothing is read, nor kept in memory, that the header does not promise.

    Parameters
    ----------
    read
        Returns so many bytes, or fewer if the stream has ended.
    most
        So many bytes the header may promise.

    Raises
    ------
    BadFrameError
        It is no frame, damaged, too large, cut short, or of another version.

    Examples
    --------
    >>> import io
    >>> read_frame(io.BytesIO(encode_frame(Kind.ACK, encode_number(7))).read)
    Frame(kind=4, body=b'\x07\x00\x00\x00\x00\x00\x00\x00')
    """
    head = read(_HEADER.size)
    if not head:
        return None
    if head[:3] != _MAGIC:
        raise BadFrameError(f"{head[:12]!r} is no frame; only workers of losswatch may connect")
    if len(head) < _HEADER.size:
        raise BadFrameError("a frame is cut short")
    _, version, kind, length, checksum = _HEADER.unpack(head)
    if version != _VERSION and kind != Kind.REFUSED:
        raise BadFrameError(
            f"the other side speaks version {version}, and losswatch {__version__} here version"
            f" {_VERSION}: use one release on both sides"
        )
    if length > most:
        raise BadFrameError(f"a frame of {length} bytes; at most {most} are taken")
    body = read(length)
    if len(body) < length:
        raise BadFrameError("a frame is cut short")
    if zlib.crc32(body, zlib.crc32(head[:_CHECKED])) != checksum:
        raise BadFrameError("a frame is damaged: its checksum differs")
    return Frame(kind, body)


def receive(connection: socket.socket, size: int) -> bytes:
    """Return so many bytes from a socket, or fewer if the other side has ended.

    It keeps no buffer and holds no lock, so that a forked child can drop the
    socket whatever a thread of its parent was at.
    """
    if size <= _CHUNK:
        data = connection.recv(size)
        if len(data) == size or not data:
            return data
    else:
        data = b""
    pieces, missing = [data], size - len(data)
    while missing and (piece := connection.recv(min(missing, _CHUNK))):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def encode_number(number: int) -> bytes:
    """Return the bytes of the number of a batch."""
    return _NUMBER.pack(number)


def decode_number(body: bytes) -> tuple[int, bytes]:
    """Return the number that a body begins with, and the rest.

    Raises
    ------
    BadFrameError
        There is none.
    """
    if len(body) < _NUMBER.size:
        raise BadFrameError("a frame has no number")
    return _NUMBER.unpack_from(body)[0], body[_NUMBER.size :]


def check_path(path: str | bytes) -> str:
    """Return what is wrong with the path of a socket, nothing if it is right."""
    size = len(path if isinstance(path, bytes) else path.encode(errors="surrogateescape"))
    if size <= LONGEST_PATH:
        return ""
    return (
        f"the path of a socket has {size} bytes; this system takes at most {LONGEST_PATH}: choose a"
        " shorter one, as in /run/losswatch.sock"
    )
