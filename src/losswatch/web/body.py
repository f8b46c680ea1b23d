"""The body of a request: read, and made plain, within bounds."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive

__all__ = ["BodyLimits", "BodyReader", "GoneError", "RefusedBodyError", "gunzip"]

_CHUNK = 1 << 16
_MOST_MEMBERS = 1000
"""Streams of gzip after one another: each costs some microseconds, and may hold nothing."""


class RefusedBodyError(Exception):
    """A body is not taken: the status of the answer, what is wrong, further headers."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


class GoneError(Exception):
    """The client went away before it had sent all."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much is read, and for how long.

    ``size`` is that of one body, sent and unpacked; ``total`` that of all that
    are held at a time.
    """

    size: int = 1 << 24
    total: int = 1 << 26
    seconds: float = 30.0

    def check(self, size: int) -> None:
        """Refuse a body that is too large."""
        if size > self.size:
            raise RefusedBodyError(413, f"the body has more than {self.size} bytes; send less")


class BodyReader:
    """Reads bodies, all of them together in bounded memory and none for too long.

    For the thread of the event loop only.

    Parameters
    ----------
    limits
        What is read at most.
    """

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._held = 0

    async def read(self, receive: Receive, length: bytes | None) -> bytes:
        """Return the body of a request; it counts until :meth:`drop`.

        Parameters
        ----------
        receive
            That of ASGI.
        length
            What the client says, if it does.

        Raises
        ------
        RefusedBodyError
            It is too large or comes too slowly, or too many come at a time.
        GoneError
            The client went away.
        """
        self._limits.check(int(length or 0))
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._read_into(chunks, receive)
        except BaseException as error:
            self._held -= sum(map(len, chunks))
            if not isinstance(error, TimeoutError):
                raise
            detail = f"the body was not there after {self._limits.seconds:g} s; send it faster"
            raise RefusedBodyError(408, detail) from None
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def drop(self, body: bytes) -> None:
        """Learn that a body is not needed any more."""
        self._held -= len(body)

    async def _read_into(self, chunks: list[bytes], receive: Receive) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            chunk = message.get("body", b"")
            chunks.append(chunk)
            size += len(chunk)
            self._held += len(chunk)
            self._limits.check(size)
            if self._held > self._limits.total:
                raise RefusedBodyError(429, "too many large bodies come at a time; send it later")
            more = message.get("more_body", False)


def gunzip(data: bytes, limits: BodyLimits) -> bytes:
    """Return what a compressed body holds; never more than a chunk above the limit is unpacked.

    Raises
    ------
    RefusedBodyError
        It is no gzip, is cut short, or holds too much.

    Examples
    --------
    >>> import gzip
    >>> gunzip(gzip.compress(b"one ") + gzip.compress(b"two"), BodyLimits())
    b'one two'
    """
    plain = bytearray()
    rest = memoryview(data)
    for _ in range(_MOST_MEMBERS):
        rest = _unpack(rest, plain, limits)
        if not rest:
            return bytes(plain)
    raise RefusedBodyError(400, f"the body is more than {_MOST_MEMBERS} streams of gzip; send one")


def _unpack(data: memoryview, plain: bytearray, limits: BodyLimits) -> memoryview:
    """Unpack one stream; return what follows it."""
    stream = zlib.decompressobj(wbits=31)
    place = 0
    while not stream.eof:
        chunk = stream.unconsumed_tail or data[place : place + _CHUNK]
        if not chunk:
            raise RefusedBodyError(400, "the gzip of the body is cut short; send all of it")
        if not stream.unconsumed_tail:
            place += len(chunk)
        try:
            plain += stream.decompress(chunk, _CHUNK)
        except zlib.error as error:
            raise RefusedBodyError(400, f"the body is no gzip: {error}") from None
        limits.check(len(plain))
    return data[place - len(stream.unused_data) :]
