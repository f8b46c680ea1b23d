"""A server that takes events, and clients that send them."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.sources.base import Batch, Outcome
from losswatch.sources.fields import Fields
from losswatch.sources.http import HttpSource
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.web.api import Inlet
from losswatch.web.app import make_app
from losswatch.web.server import WebServer

NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}
GOOD = b'{"y_true": 10, "y_pred": 12}\n'


def http_source(queue: int = 1000, limit: int = 1000, **options: Any) -> HttpSource:
    """Return a source whose events may have the label ``city``."""
    fields = Fields(labels=["city"])
    decoders = {
        kind: NdjsonDecoder(fields, None, limit, kind) for kind in ("any", "prediction", "truth")
    }
    return HttpSource("/api/v1/events", decoders, queue, **options)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


def read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    body = response.read()
    if "json" in headers.get("content-type", ""):
        body = json.loads(body)
    return Answer(response.status, headers, body)


@dataclass
class Service:
    """A running server, and the loop of its writer."""

    source: HttpSource
    port: int = 0
    server: WebServer | None = None
    batches: list[Batch] = field(default_factory=list)
    commit: Callable[[Batch], Outcome | str] = lambda _: Outcome()
    woken: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    stopping: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            return read(connection.getresponse())
        finally:
            connection.close()

    def post(self, body: Any, path: str = "events", **headers: str) -> Answer:
        headers = {"content_type": "application/x-ndjson"} | headers
        return self.send("POST", f"/api/v1/{path}", body, **headers)

    def drain(self) -> None:
        """Commit all that waits, again and again; hold while told to."""
        while not self.stopping:
            self.woken.wait(5)
            self.woken.clear()
            self.go.wait()
            while not self.stopping and (batch := self.source.next_batch()) and batch.lines:
                self.batches.append(batch)
                outcome = self.commit(batch)
                if isinstance(outcome, str):
                    assert not self.source.failed(outcome)
                else:
                    self.source.committed(outcome)


@contextmanager
def service(
    max_body_bytes: int = 1 << 16,
    monitor: Monitor | None = None,
    commit: Callable[[Batch], Outcome | str] = lambda _: Outcome(),
    acknowledge: Callable[..., int] | None = None,
    **options: Any,
) -> Iterator[Service]:
    """Run a server with a writer that accepts all, or does as ``commit`` says."""
    woken = threading.Event()
    source = http_source(**options, wake=woken.set)
    running = Service(source, commit=commit, woken=woken)
    running.go.set()
    monitors = Monitors([monitor or Monitor("eta")])
    inlet = Inlet("/api/v1/events", source, max_body_bytes)
    told = acknowledge or monitors.acknowledge
    app = make_app(lambda *_: (b"", "text/plain"), monitors.snapshot, lambda: True, told, [inlet])
    with WebServer(app, "127.0.0.1", 0) as server:
        running.port, running.server = server.port, server
        writer = threading.Thread(target=running.drain, daemon=True)
        writer.start()
        try:
            yield running
        finally:
            running.stopping = True
            running.go.set()
            woken.set()
            writer.join(10)
            source.close()
