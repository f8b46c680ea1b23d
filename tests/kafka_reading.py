"""Read sources of Kafka in tests as the service does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

import pytest
from servers import wait_for

from losswatch.sources.base import Batch, Outcome
from losswatch.sources.fields import Fields
from losswatch.sources.kafka import KafkaSource
from losswatch.sources.ndjson import NdjsonDecoder

DECODER = partial(NdjsonDecoder, Fields(), None, 10_000)

QUICK = {
    "session.timeout.ms": 2000,
    "heartbeat.interval.ms": 200,
    "topic.metadata.refresh.interval.ms": 500,
    "reconnect.backoff.max.ms": 500,
}


def event(number: int) -> bytes:
    return json.dumps({"y_true": number, "y_pred": 0}).encode()


class Reader:
    """A source and what was committed of it."""

    def __init__(self, broker, *topics, group, position=None, **options) -> None:
        settings = QUICK | options.get("settings", {})
        options["settings"] = {k: v for k, v in settings.items() if v is not None}
        self.source = KafkaSource([broker.address], topics, group, DECODER, **options)
        if position:
            self.source.resume(position)
        self.position = position or {}
        self.values: list[float] = []
        self.refused = []

    def take(self) -> Batch:
        """Take one batch and commit it."""
        batch = self.source.next_batch()
        assert batch is not None
        return self.commit(batch)

    def commit(self, batch: Batch) -> Batch:
        self.values += list(batch.columns.y_true)
        self.refused += batch.refused
        self.position = batch.position or self.position
        self.source.committed(Outcome(refused=list(batch.refused)))
        return batch

    def first_with(self, what: Callable[[Batch], object]) -> Batch:
        """Return the first batch that has something; none is committed here."""

        def found() -> Batch | None:
            batch = self.source.next_batch()
            return batch if what(batch) else None

        return wait_for(found, 40, "for such a batch")

    def take_until(self, what: Callable[[], object], seconds: float = 40) -> None:
        read_until(what, self, seconds=seconds)

    def take_all(self, count: int) -> None:
        """Read so many events, and see that no more come."""
        self.take_until(lambda: len(self.values) >= count)
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            self.take()
            time.sleep(0.02)
        assert len(self.values) == count

    def next(self, topic: str, partition: int = 0) -> int:
        ranges = self.position.get(topic, {}).get(str(partition), [[0, 0]])
        return ranges[-1][1]

    def close(self) -> None:
        self.source.close()


def read_until(what: Callable[[], object], *readers: Reader, seconds: float = 40) -> None:
    """Take from all readers in turn until something is so."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s in vain; got {[len(r.values) for r in readers]}")
        for reader in readers:
            if not reader.take().lines:
                time.sleep(0.01)
