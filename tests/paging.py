"""A server of one page, which may be held up or large, and clients that speak to it by hand."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import losswatch
from losswatch.core.monitors import Monitors, MonitorsSnapshot
from losswatch.web.app import make_app
from losswatch.web.doors import Doors
from losswatch.web.server import WebServer

PAGE = b"x" * (32 << 20)
HEAD = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n"


class Pages:
    """A page that may be held up, and is large if asked for."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.asked = 0

    def render(self, _: str, names: list[str], deadline: float) -> tuple[bytes, str]:
        del deadline
        self.asked += 1
        self.go.wait(20)
        return (PAGE if names else b"ok"), "text/plain"


@contextmanager
def serving(**doors):
    """Serve a page; yield the server and the page."""
    monitors, pages = Monitors([losswatch.Monitor("eta")]), Pages()

    def read() -> MonitorsSnapshot:
        pages.asked += 1
        pages.go.wait(20)
        return monitors.snapshot()

    app = make_app(pages.render, read, lambda: True, monitors.acknowledge)
    with WebServer(app, "127.0.0.1", 0, Doors(**doors)) as server:
        try:
            yield server, pages
        finally:
            pages.go.set()


def plain(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def is_over(connection: socket.socket) -> bool:
    """Wait until the server ends a connection; tell whether it sent nothing before."""
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


def connections(server) -> int:
    return len(server._server.server_state.connections)


def received(connection: socket.socket) -> int:
    count = 0
    try:
        while data := connection.recv(1 << 16):
            count += len(data)
    except OSError:
        pass
    return count
