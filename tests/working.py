"""Owners of sockets, workers that speak to them by hand, and servers with several workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from servers import answers, free_port, process, wait_for

from losswatch.codec.events import saved_columns
from losswatch.codec.frames import (
    Kind,
    decode_number,
    encode_frame,
    encode_number,
    read_frame,
    receive,
)
from losswatch.core.events import EventColumns
from losswatch.sources.base import Outcome
from losswatch.sources.batches import BatchDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.listener import Listener
from losswatch.sources.workers import SocketSource
from losswatch.workers.batches import bodies_of
from losswatch.workers.outbox import Cut

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
SESSION = "0123456789abcdef"
EVENT = (10.0, 12.0)
EMPTY = {
    "model": "eta",
    "dropped": 0,
    "refused": [],
    "lines": "",
    "columns": saved_columns(EventColumns()),
}
"""A batch without an event."""


class Owner:
    """A source in this process, and what it was given; it commits when a test lets it."""

    def __init__(self, path: Path, position=None, queue: int = 100_000) -> None:
        decoder = BatchDecoder(Fields(labels=["city"]), "eta")
        self.source = SocketSource("socket:s", Listener(path, 0o600), decoder, queue)
        if position is not None:
            self.source.resume(position)
        self.position = position
        self.events: list[tuple] = []
        self.several: list = []
        self.refused: list = []

    def take(self, *, commit: bool = True) -> int:
        """Take what waits; return how many events there were."""
        batch = self.source.next_batch()
        if batch is None or batch.position is None:  # closed, or nothing waits
            return 0
        columns = batch.columns
        city = columns.segment.get("city")
        parts = (columns.model, columns.y_true, columns.y_pred, columns.w, city)
        rows = [*zip(*parts, strict=True)] if len(columns) else []
        if commit:
            self.events += rows
            self.several += batch.events
            self.refused += batch.refused
            self.position = batch.position
            self.source.committed(Outcome())
        return len(rows) + len(batch.events)

    @contextmanager
    def serving(self):
        """Commit all that comes, from a thread."""
        stop = threading.Event()

        def work():
            while not stop.is_set():
                self.take()
                stop.wait(0.005)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join(10)

    def close(self) -> None:
        self.source.close()


class Hand:
    """A worker that sends frames by hand."""

    opened: ClassVar[list[socket.socket]] = []

    def __init__(self, path: Path, session: str | None = SESSION) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.opened.append(self.socket)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        if session is not None:
            self.send(Kind.HELLO, json.dumps({"session": session}).encode())
            self.welcome = self.read()

    def send(self, kind: Kind, body: bytes = b"") -> None:
        self.socket.sendall(encode_frame(kind, body))

    def batch(self, number: int, *events: tuple) -> None:
        (body,) = bodies_of(
            "eta", Cut([*map(list, zip(*map(item, events), strict=True))], [], 0, [])
        )
        self.send(Kind.BATCH, encode_number(number) + body[1])

    def read(self):
        return read_frame(lambda size: receive(self.socket, size))

    def ends(self) -> bool:
        """Tell whether nothing more can be read: the other side has closed it."""
        with suppress(ConnectionResetError):  # what was sent was not read to its end
            return not self.socket.recv(1)
        return True

    def has_nothing(self) -> bool:
        self.socket.settimeout(0.2)
        with suppress(TimeoutError):
            return not self.socket.recv(1, socket.MSG_PEEK)
        return True

    def close(self) -> None:
        self.socket.close()


def item(event: tuple) -> tuple:
    y_true, y_pred, *more = event
    return (y_true, y_pred, *(more or (1.0, (("city", "oslo"),), time.time(), None)))


def number_of(frame) -> int:
    assert frame.kind == Kind.ACK
    return decode_number(frame.body)[0]


def taken(owner: Owner, events: int) -> None:
    """Commit until so many events have come."""
    wait_for(lambda: owner.take() is not None and len(owner.events) >= events)
    assert len(owner.events) == events


def arrives(hand: Hand) -> None:
    """Wait until the owner has read what was sent: a frame that it refuses tells so."""
    hand.send(Kind.BATCH, encode_number(10**9) + b"")
    while hand.read().kind != Kind.SPOILT:
        pass


@contextmanager
def gunicorn(folder: Path, app: str, *options: str, workers: int = 4, path: Path = EXAMPLES):
    """Run an application in several processes; yield its address and the master."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "-w", str(workers), "-b", address]
    command += ["--chdir", str(folder), "--pythonpath", str(path), *options, app]
    environment = os.environ | {"LOSSWATCH_SOCKET": "losswatch.sock"}
    with process(command, folder / "gunicorn.log", env=environment) as master:
        wait_for(lambda: answers(f"http://{address}/metrics"), about=f"for {folder}/gunicorn.log")
        yield f"http://{address}", master


def workers_of(master: subprocess.Popen) -> list[int]:
    """Return the processes that a master has started."""
    children = Path(f"/proc/{master.pid}/task/{master.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


def kill_one(master: subprocess.Popen, draw) -> bool:
    """End a worker of a master as nothing can be prepared for; tell whether there was one."""
    if not (pids := workers_of(master)):
        return False
    with suppress(ProcessLookupError):
        os.kill(draw.choice(pids), signal.SIGKILL)
    return True


@contextmanager
def beside(work):
    """Run ``work(stop)`` in a thread while the block goes on, and no longer; yield its future."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(work, stop)
        finally:
            stop.set()  # or a test that fails would wait for ever
