"""Events from the topics of Apache Kafka; where to go on is kept in the state, not in the broker."""

from __future__ import annotations

import logging
import time
from itertools import groupby, islice
from operator import lt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losswatch.errors import SourceError
from losswatch.sources.base import Batch
from losswatch.sources.dead_letters import (
    DeadLetter,
    DeadLetterFile,
    DeadLetterTopic,
    NoDeadLetters,
)
from losswatch.sources.offsets import Offsets, Partition

try:
    import confluent_kafka as client
except ImportError:  # an extra: the constructor says how to get it
    client = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Literal

    from losswatch.sources.base import Decoder, Outcome, Position, Refusal
    from losswatch.sources.dead_letters import DeadLetters

__all__ = ["KafkaSource"]

logger = logging.getLogger(__name__)

_MOST = 10_000
"""Messages of a batch: some 20 ms."""

_LAG_SECONDS = 1.0

_DEFAULTS = {
    "isolation.level": "read_committed",
    "topic.metadata.refresh.interval.ms": 10_000,  # new partitions are found soon
    "fetch.queue.backoff.ms": 50,  # a second, as it is, starves a source that is fast
    "log_level": 2,  # what matters comes as an error too, once
}
_OURS = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,  # the end tells of offsets that hold no message
    "auto.offset.reset": "error",  # what was deleted is told
    "allow.auto.create.topics": False,
}
_NAMED = ("bootstrap.servers", "metadata.broker.list", "group.id", "partition.assignment.strategy")
"""More settings that have a key of their own, or no choice."""


class KafkaSource:
    """Reads topics, one event in JSON per message; each is counted once by the state.

    Nothing is committed to the broker: the position holds the ranges of
    offsets that were counted, and is kept with what was counted. A broker that
    is away is waited for. Messages without a value are passed over.
    A batch takes what has arrived, some 2 µs a message.

    Parameters
    ----------
    brokers
        Address and port of some of them.
    topics
        What to read.
    group
        The consumer group; names the source and its position too.
    start
        Where a partition is begun that has no position.
    decoder
        Makes the decoder of the values.
    dead_letters
        Where messages go that are refused: a path, the name of a topic, or nowhere.
    settings
        More settings, by the names of librdkafka.

    Raises
    ------
    SourceError
        confluent-kafka is not installed, or a setting is wrong.
    """

    def __init__(
        self,
        brokers: Sequence[str],
        topics: Sequence[str],
        group: str,
        decoder: Callable[[], Decoder],
        *,
        start: Literal["earliest", "latest"] = "earliest",
        dead_letters: Path | str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = f"kafka:{group}"
        self._topics = list(topics)
        self._earliest = start == "earliest"
        self._decoder = decoder()
        self._offsets = Offsets()
        self._assigned: set[Partition] = set()
        self._misplaced: set[Partition] = set()  # those that go on elsewhere than they should
        self._messages: list[client.Message] = []  # of the batch that was made last
        self._held: Batch | None = None  # handed over next
        self._lag: dict[Partition, int] = {}
        self._lag_at = 0.0
        self._lost: dict[Partition, int] = {}
        self._troubles: set[int] = set()
        self._fatal = ""
        self._subscribed = False
        connection = {"bootstrap.servers": ",".join(brokers), **self._checked(settings or {})}
        self._consumer: client.Consumer | None = self._make_consumer(group, connection)
        self._letters = self._make_letters(dead_letters, connection)
