"""The settings of the Kafka client: what losswatch needs, what it prefers, what users may say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losswatch.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["connection_settings", "consumer_settings", "producer_settings"]

Settings = dict[str, Any]

_OURS: Settings = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,  # the end tells of offsets that hold no message
    "auto.offset.reset": "error",  # what was deleted is told
    "allow.auto.create.topics": False,
}
_NAMED = {"bootstrap.servers", "metadata.broker.list", "group.id", "partition.assignment.strategy"}
_QUIET: Settings = {"log_level": 2}  # what matters comes as an error too, which is logged once
_PREFERRED: Settings = {
    **_QUIET,
    "isolation.level": "read_committed",
    "topic.metadata.refresh.interval.ms": 10_000,  # new partitions are found soon
    "fetch.queue.backoff.ms": 50,  # the second that it is would starve a fast source
}


def connection_settings(name: str, brokers: Sequence[str], settings: Mapping[str, Any]) -> Settings:
    """Return the settings of users and where the brokers are.

    Raises
    ------
    SourceError
        One of them must stay as losswatch has it.
    """
    for key in settings:
        if key in _OURS or key in _NAMED:
            raise SourceError(f"{name}: settings: {key} is set by losswatch; remove it")
    return {"bootstrap.servers": ",".join(brokers), **settings}


def consumer_settings(connection: Settings, group: str) -> Settings:
    """Return all settings of the consumer."""
    settings = {**_PREFERRED, **connection, **_OURS, "group.id": group}
    if settings.get("group.protocol") != "consumer":  # there the broker decides
        settings["partition.assignment.strategy"] = "cooperative-sticky"
    return settings


def producer_settings(connection: Settings) -> Settings:
    """Return all settings of the producer of dead letters: each arrives, once, of any size."""
    sure = {"enable.idempotence": True, "message.max.bytes": 10**9}
    return {**_QUIET, **connection, **sure}
