"""How fast a topic of Kafka is read, counted and kept, beside a consumer that only reads."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import threading
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.pairs import Pair, Table
from losswatch.config.load import parse_source
from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.service.alarm_log import AlarmLog
from losswatch.service.build import make_source
from losswatch.service.keeper import Keeper
from losswatch.service.refusals import RefusalLog
from losswatch.service.writer import Writer
from losswatch.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.sources.base import Batch, Outcome, Source

MESSAGES = 1_000_000
PARTITIONS = 4
ROUNDS = 3
AT_ONCE = 10_000
PATIENCE = 60.0
TESTS = Path(__file__).parents[1] / "tests"
QUESTION = "Kafka: a topic drained, each event counted and safe"

NOTE = f"""\
{MESSAGES:,} messages of 120 bytes with an id in {PARTITIONS} partitions of a real broker, one node
on this machine, read from the first to the last. The service keeps its state, and its place in the
topic, on disk. The bare consumer is confluent-kafka's, which takes {AT_ONCE:,} messages at once and
reads their values; it has our `fetch.queue.backoff.ms`, without which it takes three times as long.
Both are timed from their first messages on: joining the group is left out."""


def measure() -> Table:
    """Drain a topic by the service and by a bare consumer in turn."""
    missing = _missing()
    if missing:
        return Table(QUESTION, ("not measured",), [(missing,)])
    sys.path.append(str(TESTS))
    run_broker = import_module("kafka_broker").broker
    with tempfile.TemporaryDirectory() as folder, run_broker(Path(folder)) as broker:
        topic = broker.topic(PARTITIONS)
        _fill(broker.address, topic)
        pair = _drain(Path(folder), broker.address, topic)
    rates = [f"{1e9 / float(cell):,.0f}" for cell in pair.median(1e-9 * MESSAGES)]
    header = ("service, events/s", "bare consumer, messages/s", "time ratio")
    return Table(QUESTION, header, [(*rates, pair.ratio)], NOTE)


def _missing() -> str:
    """Return what is not there that this needs."""
    if find_spec("confluent_kafka") is None:
        return "confluent-kafka is not installed"
    if shutil.which("java") is None:
        return "Java is not installed"
    if not any((TESTS.parent / ".kafka").glob("kafka_*.jar")):
        return "Kafka is not there; `tests/kafka/fetch` gets it"
    return ""


def _fill(address: str, topic: str) -> None:
    """Send all messages, and wait until they are safe."""
    from confluent_kafka import Producer

    producer = Producer(
        {
            "bootstrap.servers": address,
            "linger.ms": 50,
            "batch.size": 1 << 19,
            "queue.buffering.max.messages": MESSAGES,
        }
    )
    rng = random.Random(1)
    for number in range(MESSAGES):
        y_true = rng.random() * 100
        producer.produce(topic, _value(number, y_true), partition=number % PARTITIONS)
        if number % AT_ONCE == 0:
            producer.poll(0)
    assert producer.flush(PATIENCE) == 0


def _value(number: int, y_true: float) -> bytes:
    name = f"{number:08x}-0000-4000-8000-000000000000"
    text = f'{{"prediction_id": "{name}", "y_true": {y_true!r}, "y_pred": {y_true + 0.5:.6f}'
    return f"{text:<119}}}".encode()


def _drain(folder: Path, address: str, topic: str) -> Pair:
    pair = Pair([], [])
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=folder) as state:
            pair.ours.append(_count(Path(state), address, topic))
        pair.peer.append(_consume(address, topic, f"bare-{number}"))
    return pair


class _Tap:
    """A source between a topic and the writer: it stops the writer after the last message."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.resume, self.failed, self.close = source.resume, source.failed, source.close
        self.done: Callable[[], object] = lambda: None
        self.watch = _Watch()
        self._source = source
        self._lines = 0

    def next_batch(self) -> Batch | None:
        batch = self._source.next_batch()
        self._lines = batch.lines if batch else 0
        return batch

    def committed(self, outcome: Outcome) -> None:
        self._source.committed(outcome)
        assert not outcome.refused
        assert not outcome.duplicates
        if self.watch.add(self._lines):
            self.done()


class _Watch:
    """Takes the time from the first messages to the last."""

    def __init__(self) -> None:
        self._first = self._taken = 0
        self._start = 0.0
        self.seconds = 0.0

    def add(self, messages: int) -> bool:
        """Return whether these were the last."""
        if messages and not self._taken:
            self._first, self._start = messages, time.perf_counter()
        self._taken += messages
        if self._taken < MESSAGES:
            return False
        assert self._taken == MESSAGES
        # As long as all would take: the first ones are what the time began with.
        part = (MESSAGES - self._first) / MESSAGES
        self.seconds = (time.perf_counter() - self._start) / part
        return True


def _count(folder: Path, address: str, topic: str) -> float:
    """Have the parts of the service take all; return the seconds."""
    monitors = Monitors([Monitor("eta", clock=time.time)])
    kafka = {"brokers": [address], "topics": [topic], "group": "eta"}
    source = make_source(parse_source({"kafka": kafka}), folder, timed=False)
    with Store(folder / "losswatch.db") as store:
        tap = _Tap(source)
        keeper = Keeper(monitors, store, time.time, {})
        refusals, alarms = RefusalLog(time.monotonic), AlarmLog(monitors)
        writer = Writer([tap], keeper, refusals, alarms, threading.Event())
        tap.done = writer.stop
        writer.run()
    assert monitors.snapshot().events == MESSAGES
    return tap.watch.seconds


def _consume(address: str, topic: str, group: str) -> float:
    """Have a bare consumer take all; return the seconds."""
    from confluent_kafka import Consumer

    settings = {
        "bootstrap.servers": address,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.queue.backoff.ms": 50,
    }
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    watch = _Watch()
    try:
        while not watch.add(_take(consumer)):
            pass
    finally:
        consumer.close()
    return watch.seconds


def _take(consumer: Any) -> int:
    values = [message.value() for message in consumer.consume(AT_ONCE, timeout=0.05)]
    return len(values)
