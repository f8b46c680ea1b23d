"""One client: its handshake, and what becomes of it if it does not get on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio
import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

    from losswatch.web.clients import Clients
    from losswatch.web.tls import Certificates

__all__ = ["READING", "Connection"]

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 22\r\n\r\n"
    b"too many clients now.\n"
)
_CLOSE_SECONDS = 5.0

_logger = logging.getLogger(f"{__name__}.uvicorn")
_logger.setLevel(logging.ERROR)  # a warning is for each request that is wrong: a flood of lines

READING = frozenset({"GET", "HEAD"})
"""The methods that change nothing."""

_LEAST_BYTES = 65_536
"""Who reads less in the time that a client has does not get on."""


class Connection(H11Protocol):
    """Speaks HTTP as uvicorn does, over TLS if the doors say so.

    The handshake is made here and not by the listener: so it has an end, is
    counted among the connections, and takes the certificates of now.

    Parameters
    ----------
    clients
        All of this server.
    options
        Those of uvicorn.
    """

    def __init__(self, clients: Clients, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.logger = _logger
        self.since = self.loop.time()
        self._clients = clients
        self._raw: asyncio.Transport | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._opened = False
        self._early: list[bytes] = []
        self._phase = "start"
        self._head_began = False
        self._served = False  # a request has been there
        self._unsent = 0
        self._work: anyio.CancelScope | None = None
        self._answer, self.app = self.app, self._answer_while_here

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; see :class:`asyncio.Protocol`."""
        self._raw = transport
        certificates = self._clients.doors.certificates
        if not self._clients.add(self):
            if certificates is None:
                transport.write(_BUSY)
            transport.close()
        elif certificates is None:
            self._open(transport)
        else:
            self._handshake = self.loop.create_task(self._shake_hands(certificates))

    def data_received(self, data: bytes) -> None:
        """Take what came; see :class:`asyncio.Protocol`."""
        if not self._opened:  # with the end of the handshake, before its task goes on
            self._early.append(data)
            return
        if not self._head_began:
            self._head_began = True
            self.since = self.loop.time()
        super().data_received(data)
        if self.conn.our_state is not h11.IDLE:
            self._head_began, self._served = False, True
            self.since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; see :class:`asyncio.Protocol`."""
        self._clients.discard(self)
        if self._opened:
            super().connection_lost(exc)
            self._unset_keepalive_if_required()  # or, after a reset, it holds all this for a minute
            if self._work is not None:
                self._work.cancel()

    def send_400_response(self, msg: str) -> None:
        """Tell that this is no HTTP, and end; only end where an answer has begun."""
        self._clients.refused(self, "what it sent is no HTTP")
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:
            self.transport.close()
        if self.cycle is not None:  # its answer would come after that
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    @property
    def address(self) -> tuple[Any, ...] | None:
        """Where the client is."""
        return self._raw.get_extra_info("peername") if self._raw is not None else None

    @property
    def is_waiting(self) -> bool:
        """Whether the client has yet to send something: nothing is lost if it is cut."""
        return self._phase_now() not in {"work", "sending"}

    @property
    def is_sent_to(self) -> bool:
        """Whether the client has yet to read its answer."""
        return self._phase_now() == "sending"

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""
        if self._raw is None:
            return 0
        sealed = self._raw.get_write_buffer_size()
        plain = self.transport if self._opened and self.transport is not self._raw else None
        return sealed + (plain.get_write_buffer_size() if plain is not None else 0)

    def look(self, now: float, seconds: float) -> None:
        """Cut the client if it does not get on. Called now and then."""
        phase, unsent = self._phase_now(), self.unsent
        if phase != self._phase or self._unsent - unsent >= _LEAST_BYTES:
            self._phase, self._unsent, self.since = phase, unsent, now
        self._unsent = max(self._unsent, unsent)
        if phase not in {"work", "body", "idle"} and now - self.since > seconds:
            self.cut()

    def cut(self) -> None:
        """End at once, whatever was to be sent."""
        if self._raw is not None:
            self._raw.abort()

    def _phase_now(self) -> str:
        """Return what is waited for; ``idle`` is a client between two requests.

        Who reads a body says how long that may take.
        """
        if not self._opened:
            return "start"
        if self.unsent:
            return "sending"
        if self.conn.our_state in {h11.SEND_RESPONSE, h11.SEND_BODY}:
            sends = self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused
            return "body" if sends else "work"
        if self.conn.our_state is not h11.IDLE:
            return "end"
        return "idle" if self._served and not self._head_began else "head"

    def _open(self, transport: asyncio.Transport) -> None:
        self._opened = True
        super().connection_made(transport)

    async def _answer_while_here(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make no page for who is gone: it would be in the way of all others.

        What changes something goes on; so does what a thread has begun.
        """
        if scope["method"] not in READING:
            await self._answer(scope, receive, send)
            return
        with anyio.CancelScope() as self._work:
            await self._answer(scope, receive, send)

    async def _shake_hands(self, certificates: Certificates) -> None:
        raw = self._raw
        if raw is None or raw.is_closing():  # another one needed the room
            return
        try:
            transport = await self.loop.start_tls(
                raw,
                self,
                certificates.context(),
                server_side=True,
                ssl_handshake_timeout=self._clients.doors.seconds,
                ssl_shutdown_timeout=_CLOSE_SECONDS,
            )
        except OSError as error:
            self._clients.refused(self, f"no handshake: {error}")
            self._clients.discard(self)
            return
        if transport is None or raw.is_closing():  # it was lost meanwhile
            self._clients.discard(self)
            return
        if not certificates.admits(transport.get_extra_info("peercert")):
            self._clients.refused(self, "its certificate has none of client_allowed_sans")
            raw.abort()
            return
        self._open(transport)
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)
