"""Events from topics of Apache Kafka; where to go on is kept in the state, not in the broker."""

from __future__ import annotations

import logging
from itertools import groupby
from typing import TYPE_CHECKING, Any

from losswatch.errors import SourceError
from losswatch.sources.base import Batch
from losswatch.sources.dead_letter_topic import letters_to
from losswatch.sources.dead_letters import DeadLetter
from losswatch.sources.kafka_settings import (
    connection_settings,
    consumer_settings,
    producer_settings,
)
from losswatch.sources.lag import Lag
from losswatch.sources.offsets import Partition
from losswatch.sources.progress import Progress
from losswatch.sources.troubles import Troubles

try:
    import confluent_kafka as client
except ImportError:  # an extra: the constructor says how to get it
    client = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Literal, TypeVar

    from losswatch.sources.base import Decoder, Outcome, Position, Refusal

    T = TypeVar("T")

__all__ = ["KafkaSource"]

logger = logging.getLogger(__name__)

_MOST = 10_000
"""Messages of a batch: some 20 ms."""

_GONE = {"_AUTO_OFFSET_RESET", "_LOG_TRUNCATION", "OFFSET_OUT_OF_RANGE"}
"""The errors of an offset that the broker does not have."""


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

    def __init__(  # noqa: PLR0913  # as many as the YAML has keys
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
        self._start = start
        self._begin = client.OFFSET_BEGINNING if start == "earliest" else client.OFFSET_END
        self._decoder = decoder()
        self._progress = Progress(self.name, {})
        self._assigned: dict[Partition, client.TopicPartition] = {}
        self._astray: set[Partition] = set()  # to be read from their beginning
        self._messages: list[client.Message] = []  # of the batch that was made last
        self._batch = Batch()
        self._held = False  # whether that batch is to be handed over next
        self._lag = Lag()
        self._troubles = Troubles(self.name)
        self._subscribed = False
        if dead_letters in self._topics:
            raise SourceError(f"{self.name}: dead letters go to {dead_letters}, which is read")
        connection = connection_settings(self.name, brokers, settings or {})
        self._letters = letters_to(
            dead_letters, lambda: self._made(client.Producer, producer_settings(connection))
        )
        self._consumer: client.Consumer | None = self._made(
            client.Consumer, consumer_settings(connection, group)
        )

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
        if not self._held:
            self._batch = self._decode(self._take(self._consume(consumer)))
            self._held = True
            while self._astray:
                self._go_to_beginning(consumer, self._astray.pop())
            self._lag.measure(self._progress, self._assigned, self._end_of)
            if not self._letters.settled():  # letters first: a crash may write them twice
                return Batch()
        self._held = False
        return self._batch

    def committed(self, outcome: Outcome) -> None:
        """Keep what was refused when it was scored as dead letters too."""
        told = {refusal.line for refusal in self._batch.refused}
        late = [refusal for refusal in outcome.refused if refusal.line not in told]
        self._letters.add(map(self._letter, late))
        self._letters.settled()

    def failed(self, reason: str) -> bool:
        """Ask for the same batch again: whoever has it keeps it."""
        del reason
        return True

    def place(self, line: int) -> str:
        """Return where a line of the last batch stands: topic, partition and offset."""
        message = self._messages[line - 1]
        return f"{_partition(message)}, offset {message.offset()}"

    def lag(self) -> dict[tuple[str, int], int]:
        """Return how many messages of each topic and partition were not read yet.

        Of the partitions assigned now; a second old. Costs next to nothing,
        and any thread may ask.
        """
        return dict(self._lag.now)

    def lost(self) -> dict[tuple[str, int], int]:
        """Return how many messages were deleted before they were read, at most.

        Since the source was made; any thread may ask.
        """
        return {(topic, number): lost for (topic, number), lost in [*self._progress.lost.items()]}

    def close(self) -> None:
        """Leave the group. Safe to call twice."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
            self._letters.close()
        self._lag.drop(list(self._assigned))

    def _made(self, kind: Callable[..., T], settings: dict[str, Any]) -> T:
        try:
            return kind({**settings, "error_cb": self._troubles.hear}, logger=logger)
        except (client.KafkaException, TypeError, ValueError) as error:
            raise SourceError(f"{self.name}: settings: {_words(error)}") from None

    def _open(self) -> client.Consumer:
        if self._troubles.fatal or self._consumer is None:
            raise SourceError(f"{self.name}: {self._troubles.fatal or 'is closed'}")
        if not self._subscribed:
            self._consumer.subscribe(
                self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke
            )
            self._subscribed = True
        return self._consumer

    def _consume(self, consumer: client.Consumer) -> list[client.Message]:
        try:
            return consumer.consume(_MOST, timeout=0)
        except client.KafkaException as error:
            raise SourceError(f"{self.name}: {_words(error)}") from None

    def _on_assign(
        self, consumer: client.Consumer, partitions: list[client.TopicPartition]
    ) -> None:
        for place in partitions:
            partition = Partition(place.topic, place.partition)
            end = self._progress.next(partition)
            place.offset = self._begin if end is None else end
            self._assigned[partition] = place
            where = f"the {self._start} offset" if end is None else f"offset {end}"
            logger.info("%s: reads %s from %s", self.name, partition, where)
        consumer.incremental_assign(partitions)

    def _on_revoke(
        self, consumer: client.Consumer, partitions: list[client.TopicPartition]
    ) -> None:
        """Let go of partitions; what was counted of them stays, to go on from."""
        del consumer  # it lets go of them itself
        gone = [Partition(place.topic, place.partition) for place in partitions]
        for partition in gone:
            self._assigned.pop(partition, None)
        self._lag.drop(gone)

    def _take(self, messages: Iterable[client.Message]) -> list[client.Message]:
        """Return the messages that are new and hold something."""
        taken: list[client.Message] = []
        for (topic, number, good), group in groupby(messages, _kind):
            run = list(group)
            if good:
                partition = Partition(topic, number)
                new = self._progress.take(partition, [message.offset() or 0 for message in run])
                taken += run if len(new) == len(run) else [run[place] for place in new]
                self._troubles.over()
            else:
                for message in run:
                    self._heed(message)
        return [message for message in taken if message.value() is not None]

    def _decode(self, messages: list[client.Message]) -> Batch:
        self._messages = messages
        values = [message.value() or b"" for message in messages]
        batch = self._decoder.decode(values, 1) if values else Batch()
        self._letters.add(map(self._letter, batch.refused))
        batch.refused = [
            refusal._replace(detail=f"{self.place(refusal.line)}: {refusal.detail}")
            for refusal in batch.refused
        ]
        batch.position = self._progress.position()
        return batch

    def _letter(self, refusal: Refusal) -> DeadLetter:
        message = self._messages[refusal.line - 1]
        return DeadLetter.of(_partition(message), message, refusal)

    def _heed(self, message: client.Message) -> None:
        """Do what is to be done about an event that is no message."""
        error = message.error()
        assert error is not None
        if error.name() == "_PARTITION_EOF":
            self._progress.end(_partition(message), message.offset() or 0)
            self._troubles.over()
        elif error.name() in _GONE:
            self._astray.add(_partition(message))
        else:
            self._troubles.hear(error)

    def _go_to_beginning(self, consumer: client.Consumer, partition: Partition) -> None:
        """Go on where a partition begins, as it does not have the offset to go on at.

        It is assigned anew: one whose offset failed cannot seek.
        """
        if partition not in self._assigned:
            return
        self._progress.misplace(partition)
        place = client.TopicPartition(*partition, client.OFFSET_BEGINNING)
        try:
            consumer.incremental_unassign([place])
            consumer.incremental_assign([place])
        except client.KafkaException as error:  # a rebalance is under way, and assigns it again
            self._troubles.hear(error.args[0])

    def _end_of(self, partition: Partition) -> int | None:
        """Return where a partition ended when messages of it came last."""
        assert self._consumer is not None
        marks = self._consumer.get_watermark_offsets(self._assigned[partition], cached=True)
        return marks[1] if marks and marks[1] >= 0 else None


def _kind(message: client.Message) -> tuple[str, int, bool]:
    return message.topic() or "", message.partition() or 0, message.error() is None


def _partition(message: client.Message) -> Partition:
    return Partition(message.topic() or "", message.partition() or 0)


def _words(error: Exception) -> str:
    """Return what an error of the client says."""
    first = error.args[0] if error.args else error
    return first.str() if isinstance(first, client.KafkaError) else str(first)
