"""How fast events are taken over HTTP: acknowledged when they are safe on the disk."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from benchmarks.pairs import Pair, Table, show
from benchmarks.posting import Clients, events_of, running
from losswatch.sources.body import split_body
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder

BATCH = 1_000
BATCHES = 200
ROUNDS = 5
SINGLES = 5_000
SINGLE_CLIENTS = 32
NINE = 0.99

BATCH_NOTE = f"""\
`losswatch run` with its state on disk, in a process of its own, and clients in another: {BATCHES}
requests of {BATCH:,} events in a round, each answered when it was synced and counted. No event
comes twice. Beside it in the same rounds the same bodies are only decoded, in one thread, by the
decoder that the service has; the ratio is the time of the service by that."""

SINGLE_NOTE = f"""\
{SINGLES:,} requests of one event each; {SINGLE_CLIENTS} clients wait for their answers. The last
row is what one append to a file and its `fsync` take here, without any service: requests that come
together share one."""


class _Case(NamedTuple):
    """What is sent, and by how many."""

    name: str
    clients: int
    ids: bool = True


CASES = (
    _Case("4 clients, events with an id", 4),
    _Case("8 clients, events with an id", 8),
    _Case("8 clients, events without one", 8, ids=False),
)


class _Writer:
    """Writes events, never one twice."""

    def __init__(self) -> None:
        self._random = random.Random(1)

    def body(self, events: int, *, ids: bool = True) -> bytes:
        """Return lines of about 110 bytes with ids, or 65 without."""
        return b"\n".join([self._line(ids=ids) for _ in range(events)])

    def _line(self, *, ids: bool) -> bytes:
        draw = self._random
        name = f'"prediction_id": "{UUID(int=draw.getrandbits(128))}", ' if ids else ""
        y_true = draw.gauss(100, 15)
        return f'{{{name}"y_true": {y_true!r}, "y_pred": {y_true + draw.gauss(0, 3)!r}}}'.encode()


def measure() -> list[Table]:
    """Send batches and single events to a real service, and decode the same bodies."""
    writer = _Writer()
    rows = []
    for case in CASES:
        pair, median = _batches(case, writer)
        rates = [f"{BATCH * BATCHES / s:,.0f}" for s in map(statistics.median, _both(pair))]
        rows.append((case.name, *rates, pair.ratio, show(1e3 * median)))
    header = (
        "sent by",
        "service, events/s",
        "decoding, events/s",
        "time ratio",
        "p50 of a request, ms",
    )
    title = f"HTTP in batches of {BATCH:,}, acknowledged when safe"
    return [Table(title, header, rows, BATCH_NOTE), _singles(writer)]


def _batches(case: _Case, writer: _Writer) -> tuple[Pair, float]:
    """Return the seconds of the rounds, and the median of a request."""
    ours, peer, waits = [], [], []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as port:
        clients = Clients(port, case.clients)
        for number in range(ROUNDS + 1):  # the first warms up
            bodies = [writer.body(BATCH, ids=case.ids) for _ in range(BATCHES)]
            start = time.perf_counter()
            seconds = clients.send(bodies)
            middle = time.perf_counter()
            _decode(bodies)
            if number:
                ours.append(middle - start)
                peer.append(time.perf_counter() - middle)
                waits += seconds
        assert events_of(port) == (ROUNDS + 1) * BATCHES * BATCH
        clients.close()
    return Pair(ours, peer), statistics.median(waits)


def _decode(bodies: list[bytes]) -> None:
    decoder = NdjsonDecoder(Fields(timed=False), None, 1 << 20)
    for body in bodies:
        assert decoder.decode(split_body(body), 1).lines == BATCH


def _singles(writer: _Writer) -> Table:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as port:
        clients = Clients(port, SINGLE_CLIENTS)
        clients.send([writer.body(1) for _ in range(SINGLES // 5)])
        bodies = [writer.body(1) for _ in range(SINGLES)]
        start = time.perf_counter()
        waits = clients.send(bodies)
        rate = SINGLES / (time.perf_counter() - start)
        clients.close()
        synced = _syncs(Path(folder) / "sync", 500)
    rows = [
        (f"`losswatch run`, {SINGLE_CLIENTS} clients", f"{rate:,.0f}", *_percentiles(waits)),
        ("append and `fsync` alone", f"{len(synced) / sum(synced):,.0f}", *_percentiles(synced)),
    ]
    header = ("what", "a second", "p50, ms", "p99, ms")
    return Table("HTTP with single events, acknowledged when safe", header, rows, SINGLE_NOTE)


def _syncs(path: Path, count: int) -> list[float]:
    """Return how long the disk takes for a small append."""
    seconds = []
    with path.open("ab", buffering=0) as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - start)
    return seconds


def _percentiles(seconds: list[float]) -> tuple[str, str]:
    ordered = sorted(seconds)
    return show(1e3 * statistics.median(ordered)), show(1e3 * ordered[int(NINE * len(ordered))])


def _both(pair: Pair) -> tuple[list[float], list[float]]:
    return pair.ours, pair.peer
