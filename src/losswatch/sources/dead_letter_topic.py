"""A topic that keeps messages that hold no event."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from losswatch.sources.dead_letters import DeadLetterFile, NoDeadLetters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from losswatch.sources.dead_letters import DeadLetter, DeadLetters, Headers

__all__ = ["DeadLetterTopic", "letters_to"]

logger = logging.getLogger(__name__)


def letters_to(target: Path | str | None, producer: Callable[[], Producer]) -> DeadLetters:
    """Return where letters go: a path, the name of a topic, or nowhere."""
    if target is None:
        return NoDeadLetters()
    if isinstance(target, Path):
        return DeadLetterFile(target)
    return DeadLetterTopic(target, producer())


class Producer(Protocol):
    """What sends messages; that of confluent_kafka."""

    @property
    def produce(self) -> Callable[..., None]:
        """Begin to send one."""

    def poll(self, timeout: float) -> int:
        """Tell those that wait what became of theirs."""

    def flush(self, timeout: float) -> int:
        """Wait until all are sent."""


class DeadLetterTopic:
    """Sends letters to a topic: key, value and headers as they were, and headers that say why.

    Those are ``losswatch.reason``, ``losswatch.detail``, ``losswatch.topic``,
    ``losswatch.partition`` and ``losswatch.offset``. What cannot be sent is
    tried again; only a letter that the broker finds too large is given up.

    Parameters
    ----------
    topic
        Its name.
    producer
        Sends it, acknowledged by all replicas.
    """

    def __init__(self, topic: str, producer: Producer) -> None:
        self._topic = topic
        self._producer = producer
        self._unsent: list[DeadLetter] = []
        self._under_way = 0
        self._broken = False

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Take letters; see :class:`DeadLetters`."""
        self._unsent += letters

    def settled(self) -> bool:
        """Send what waits; whether all was acknowledged."""
        self._producer.poll(0)
        unsent, self._unsent = self._unsent, []
        for place, letter in enumerate(unsent):
            try:
                self._send(letter)
            except BufferError:  # the queue of the producer is full
                self._unsent += unsent[place:]
                break
        self._producer.poll(0)
        return not self._under_way and not self._unsent

    def close(self) -> None:
        """Give what is under way a moment to arrive."""
        self._producer.flush(1.0)

    def _send(self, letter: DeadLetter) -> None:
        self._producer.produce(
            self._topic,
            key=letter.key,
            value=letter.value,
            headers=[*letter.headers, *_why(letter)],
            on_delivery=self._when_sent(letter),
        )
        self._under_way += 1

    def _when_sent(self, letter: DeadLetter) -> Callable[[Any, object], None]:
        def sent(error: Any, message: object) -> None:  # noqa: ANN401  # a KafkaError or None
            del message
            self._under_way -= 1
            if error is None:
                self._broken = False
            elif error.name() == "MSG_SIZE_TOO_LARGE":
                logger.error(
                    "%s, offset %d: its dead letter is too large for topic %s and is given up",
                    letter.partition,
                    letter.offset,
                    self._topic,
                )
            else:
                self._unsent.append(letter)
                self._complain(error)

        return sent

    def _complain(self, error: object) -> None:
        """Say once that letters cannot be sent."""
        if not self._broken:
            logger.error("topic %s: dead letters cannot be sent: %s", self._topic, error)
        self._broken = True


def _why(letter: DeadLetter) -> Headers:
    values = {
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": letter.partition.topic,
        "partition": letter.partition.number,
        "offset": letter.offset,
    }
    return [
        (f"losswatch.{name}", str(value).encode(errors="replace")) for name, value in values.items()
    ]
