"""An HTTP server in a thread of its own."""

from __future__ import annotations

import errno
import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from losswatch.errors import ListenError
from losswatch.web.clients import Clients
from losswatch.web.connection import Connection
from losswatch.web.doors import Doors
from losswatch.web.guard import Guard

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["WebServer"]

_BACKLOG = 512

_KEEP_SECONDS = 75
"""More than most scrape intervals, so that a scraper need not shake hands each time."""

_STOP_SECONDS = 3.0
_LAST_PORT = 65_535


class WebServer:
    """Serves an ASGI application until :meth:`stop`.

    Parameters
    ----------
    app
        The application.
    host, port
        Where to listen; port 0 takes a free one.
    doors
        What is asked of clients.

    Attributes
    ----------
    app, doors
        What new requests and new clients find; may be set from any thread.

    Raises
    ------
    ListenError
        The address cannot be listened on.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, doors: Doors | None = None) -> None:
        self.app = app
        self.doors = doors or Doors()
        self._guard = Guard(lambda: self.app, lambda: self.doors)
        # uvicorn calls it as it would call the class.
        protocol: Any = partial(Connection, Clients(lambda: self.doors))
        self._socket = _listen(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            self._guard,
            # On h11: httptools is twice as fast, but takes the body of a request that offers
            # another protocol, as those of Java do, for nothing: its events would be lost unseen.
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=_KEEP_SECONDS,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="losswatch-web", daemon=True
        )
        self._thread.start()
        self._wait_until_started()

    @property
    def address(self) -> str:
        """The host and port that are listened on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Where the server answers, with a slash at the end."""
        scheme = "http" if self.doors.certificates is None else "https"
        return f"{scheme}://{self.address}/"

    def stop(self) -> None:
        """Stop answering; requests under way get a second. Safe to call twice."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self._guard.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_started(self) -> None:
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)


def _listen(host: str, port: int) -> socket.socket:
    """Bind here and not in uvicorn, which would end the process if it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not 0 <= port <= _LAST_PORT:
        raise ListenError(f"cannot listen on {where}: the last port is {_LAST_PORT}")
    # asyncio turns off Nagle's delay, of 40 ms an answer, only where it reads that this is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, TypeError, ValueError) as error:  # the last two: a name that is no name
        listener.close()
        raise ListenError(
            f"cannot listen on {where}: {getattr(error, 'strerror', None) or error};"
            f" {_remedy(getattr(error, 'errno', None))}"
        ) from None
    return listener


def _remedy(number: int | None) -> str:
    """Return what helps; most ports that cannot be had are in use."""
    if number == errno.EADDRNOTAVAIL:
        return "name an address of this machine, or 0.0.0.0 for all of them"
    if number in (errno.EACCES, errno.EPERM):
        return "choose a port from 1024 on, or give the user of this process the right to it"
    return "stop what listens there or choose another port"
