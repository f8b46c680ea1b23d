"""How fast a topic of Kafka is read, counted and kept, beside a consumer that only reads."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import threading
import time
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.pairs import Pair, Table
from benchmarks.posting import free_port
from losswatch.config.load import parse_config
from losswatch.service.run import Service

if TYPE_CHECKING:
    from collections.abc import Callable

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
reads their values. Both are timed from their first messages on: joining the group is left out."""

_CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
state: losswatch.db
monitors: [{{model: eta}}]
sources: [{{kafka: {{brokers: ["{broker}"], topics: ["{topic}"], group: "eta"}}}}]
"""


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
            config = _CONFIG.format(port=free_port(), broker=address, topic=topic)
            pair.ours.append(_serve(Service(parse_config(config), Path(state))))
        pair.peer.append(_consume(address, topic, f"bare-{number}"))
    return pair


def _serve(service: Service) -> float:
    """Run the service until it has counted all; return the seconds that all would take."""
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        return _time(lambda: service.monitors.snapshot().events, pause=0.02)
    finally:
        service.stop()
        thread.join(PATIENCE)


def _consume(address: str, topic: str, group: str) -> float:
    from confluent_kafka import Consumer

    settings = {"bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.subscribe([topic])
    values: list[bytes] = []
    try:
        return _time(partial(_take, consumer, values))
    finally:
        consumer.close()


def _take(consumer: Any, values: list[bytes]) -> int:
    values += [message.value() for message in consumer.consume(AT_ONCE, timeout=0.05)]
    return len(values)


def _time(count: Callable[[], int], pause: float = 0.0) -> float:
    """Return the seconds from the first messages to the last, as if those were all."""
    end = time.monotonic() + PATIENCE
    first = 0
    while not first:
        time.sleep(pause)
        first = count()
        assert time.monotonic() < end, "no message came"
    start = time.perf_counter()
    while (taken := count()) < MESSAGES:
        assert time.monotonic() < end, f"only {taken} messages came"
        time.sleep(pause)
    return (time.perf_counter() - start) * MESSAGES / (MESSAGES - first)
