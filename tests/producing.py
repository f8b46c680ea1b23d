"""A client that sends by Kafka, until the broker has it for good."""

import json
import random

from confluent_kafka import Producer

POISON = (b"no event", b'{"model": "eta", "y_true": "ten", "y_pred": 1}', b"\xff\x00", b"", None)


class Producing:
    """Each message arrives once, whatever becomes of the broker; some poison does too.

    The partition of a message is any: what belongs together may come in any order.
    """

    def __init__(self, broker, topics: dict[str, str], partitions: int, seed: int) -> None:
        self.poison = 0
        self._topics = topics
        self._partitions = partitions
        self._random = random.Random(seed)
        self._failed: list[object] = []
        settings = {"bootstrap.servers": broker.address, "acks": "all", "linger.ms": 5}
        quick = {"reconnect.backoff.max.ms": 500, "log_level": 0, "enable.idempotence": True}
        self._producer = Producer(settings | quick)

    def send(self, kind: str, records: list[dict], *, twice: bool) -> None:
        values = [json.dumps(record).encode() for record in records]
        for value in values * (1 + twice):
            self._produce(kind, value)
            if self._random.random() < 0.02:
                self._produce(kind, self._random.choice(POISON))
                self.poison += 1
        assert self._producer.flush(100) == 0
        assert not self._failed

    def _produce(self, kind: str, value: bytes | None) -> None:
        partition = self._random.randrange(self._partitions)
        heard = self._hear
        self._producer.produce(self._topics[kind], value, partition=partition, on_delivery=heard)
        self._producer.poll(0)

    def _hear(self, error: object, message: object) -> None:
        del message
        if error is not None:
            self._failed.append(error)


def topics(broker, partitions: int) -> dict[str, str]:
    """Make topics; return which takes what."""
    predictions, truths, anonymous = (broker.topic(partitions) for _ in range(3))
    return {
        "events": predictions,
        "predictions": predictions,
        "truths": truths,
        "anonymous": anonymous,
    }


def source(broker, kinds: dict[str, str], **settings: object) -> str:
    """Return the YAML of a source that reads topics.

    The broker knows a process that was killed by its ``group.instance.id``
    when it comes back, and does not wait for it.
    """
    kafka = {
        "brokers": [broker.address],
        "topics": sorted({*kinds.values()}),
        "group": f"group-{kinds['truths']}",
        "dead_letters": {"file": "dead.ndjson"},
        "settings": {"group.instance.id": "one", "reconnect.backoff.max.ms": 500} | settings,
    }
    return json.dumps({"kafka": kafka})
