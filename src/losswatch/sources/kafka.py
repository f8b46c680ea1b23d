"""Events from the topics of Apache Kafka; where to go on is kept in the state, not in the broker."""

from __future__ import annotations

import logging
import time
from itertools import groupby
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
from losswatch.sources.offsets import Partition
from losswatch.sources.progress import Progress

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
"""How old the lag may be."""

_DEFAULTS = {
    "isolation.level": "read_committed",
    "topic.metadata.refresh.interval.ms": 10_000,  # new partitions are found soon
    "fetch.queue.backoff.ms": 50,  # the second that it is starves a source as fast as this
}
_OURS = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,  # the end tells of offsets that hold no message
    "auto.offset.reset": "error",  # what was deleted is told
    "allow.auto.create.topics": False,
}
_NAMED = {"bootstrap.servers", "metadata.broker.list", "group.id", "partition.assignment.strategy"}
_QUIET = {"log_level": 2}  # what matters comes as an error too, which is logged once


class KafkaSource:
    """Reads topics, one event in JSON per message; each is counted once by the state.

    Nothing is committed to the broker: the position holds the ranges of
    offsets that were counted, and is kept with what was counted. A broker that
    is away is waited for. Messages without a value are passed over. A batch
    takes what has arrived, some 2 µs a message.

    Parameters
    ----------
    brokers
        Address and port of some of them.
    topics
        What to read.
    group
        The consumer group; names the source and its position too.
    decoder
        Makes the decoder of the values.
    start
        Where a partition is begun that has no position.
    dead_letters
        Where refused messages go: a path, the name of a topic, or nowhere.
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
        if client is None:
            raise SourceError(f"{self.name}: needs an extra: pip install 'losswatch[kafka]'")
        self._topics = list(topics)
        self._begin = client.OFFSET_BEGINNING if start == "earliest" else client.OFFSET_END
        self._decoder = decoder()
        self._progress = Progress(self.name, {})
        self._assigned: frozenset[Partition] = frozenset()
        self._astray: set[Partition] = set()  # to be sought their beginning
        self._messages: list[client.Message] = []  # of the batch that was made last
        self._held: Batch | None = None  # to be handed over next
        self._lag: dict[tuple[str, int], int] = {}
        self._lag_at = 0.0
        self._troubles: set[int] = set()
        self._fatal = ""
        self._connection = {**self._checked(settings or {}), "bootstrap.servers": ",".join(brokers)}
        self._consumer: client.Consumer | None = self._make_consumer(group)
        self._letters = self._make_letters(dead_letters)
        self._subscribed = False

    def resume(self, position: Position) -> None:
        """Go on where a batch ended; see :class:`losswatch.sources.base.Source`."""
        try:
            self._progress = Progress(self.name, position)
        except (ValueError, AttributeError) as error:
            raise SourceError(f"{self.name}: its position is wrong: {error}") from None

    def next_batch(self) -> Batch:
        """Return what has arrived; see :class:`losswatch.sources.base.Source`."""
        consumer = self._open()
        if not self._letters.settled():
            return Batch()
        if self._held is None:
            self._held = self._decode(self._take(self._consume(consumer)))
            self._measure(consumer)
            if not self._letters.settled():  # first the letters: a crash may write them twice
                return Batch()
        held, self._held = self._held, None
        return held

    def committed(self, outcome: Outcome) -> None:
        """Keep what was refused when it was scored as dead letters too."""
        told = {id(message) for message, _ in self._told}
        self._letters.add(
            self._letter(message, refusal)
            for refusal in outcome.refused
            if id(message := self._messages[refusal.line - 1]) not in told
        )
        self._letters.settled()

    def failed(self, reason: str) -> bool:
        """Keep the batch, to hand it over again."""
        del reason
        return True
