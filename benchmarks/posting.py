"""A service in a process of its own, and clients that cost next to nothing."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Clients", "events_of", "free_port", "running"]

_PATIENCE = 30.0
_GOOD = (b"HTTP/1.1 200 ", b'"refused_total":0,')
_CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
state: losswatch.db
monitors: [{{model: eta}}]
sources: [{{http: {{}}}}]
"""


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """Run ``losswatch run`` with its state on disk; yield its port."""
    port = free_port()
    config = folder / "losswatch.yml"
    config.write_text(_CONFIG.format(port=port))
    command = [sys.executable, "-m", "losswatch", "run", str(config)]
    with (folder / "run.log").open("wb") as log:
        service = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait_until_ready(service, port, folder)
        yield port
    finally:
        service.terminate()
        try:
            service.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait(_PATIENCE)


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def events_of(port: int) -> int:
    """Return how many events the service has counted."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/cost") as answer:
        costs = json.load(answer)["costs"]
    return int(costs[0]["n"])


class Clients:
    """Several connections that are kept, each with one request under way, in one thread.

    Parameters
    ----------
    port
        That of the service.
    count
        So many clients.
    """

    def __init__(self, port: int, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for connection in self._sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_PATIENCE)
            self._selector.register(connection, selectors.EVENT_READ)

    def send(self, bodies: Sequence[bytes]) -> list[float]:
        """Send all; return the seconds from each request to its answer, as they came."""
        requests = deque(map(_request, bodies))
        sent: dict[socket.socket, float] = {}
        seconds: list[float] = []
        for connection in self._sockets[: len(requests)]:
            _send(connection, requests.popleft(), sent)
        while sent:
            ready = self._selector.select(_PATIENCE)
            assert ready, "the service does not answer"
            for connection in [cast("socket.socket", key.fileobj) for key, _ in ready]:
                _check(_answer(connection))
                seconds.append(time.perf_counter() - sent.pop(connection))
                if requests:
                    _send(connection, requests.popleft(), sent)
        return seconds

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for connection in self._sockets:
            connection.close()


def _send(connection: socket.socket, request: bytes, sent: dict[socket.socket, float]) -> None:
    sent[connection] = time.perf_counter()
    connection.sendall(request)


def _request(body: bytes) -> bytes:
    head = "POST /api/v1/events HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def _answer(connection: socket.socket) -> bytes:
    """Read an answer, which is mostly there at once."""
    data = b""
    while True:
        data += (part := connection.recv(1 << 16))
        head, end, body = data.partition(b"\r\n\r\n")
        assert part, f"the service hung up after {data!r:.300}"
        if end and len(body) >= int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]):
            return data


def _check(answer: bytes) -> None:
    good, none_refused = _GOOD
    assert answer.startswith(good), answer
    assert none_refused in answer, answer


def _wait_until_ready(service: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and service.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready"):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the service does not start: {(folder / 'run.log').read_text():.2000}")
