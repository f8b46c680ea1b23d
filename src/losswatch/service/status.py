"""The samples of the sources and of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.prometheus import Sample
from losswatch.sources.base import Lagging
from losswatch.sources.workers import SocketSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from losswatch.sources.base import Source

__all__ = ["service_samples"]


def service_samples(sources: Iterable[Source], *, writable: bool) -> Iterator[Sample]:
    """Yield how far behind the sources are, and whether the state can be written."""
    sources = list(sources)
    yield Sample("state_writable", {}, float(writable))
    yield from _worker_samples([each for each in sources if isinstance(each, SocketSource)])
    for source in sources:
        if isinstance(source, Lagging):
            for (topic, partition), messages in source.lag().items():
                labels = {"topic": topic, "partition": str(partition)}
                yield Sample("kafka_lag_messages", labels, messages)
            for (topic, partition), messages in source.lost().items():
                labels = {"topic": topic, "partition": str(partition)}
                yield Sample("kafka_lost_messages", labels, messages, "_total")


def _worker_samples(sources: Sequence[SocketSource]) -> Iterator[Sample]:
    """Yield what workers did, of all sockets together."""
    tallies = [source.tally() for source in sources]
    if not tallies:
        return
    yield Sample("workers", {}, sum(tally.connected for tally in tallies))
    yield Sample("worker_events_dropped", {}, sum(tally.dropped for tally in tallies), "_total")
    for outcome in tallies[0].batches:
        count = sum(tally.batches[outcome] for tally in tallies)
        yield Sample("worker_batches", {"outcome": outcome}, count, "_total")
    if times := [tally.last_batch for tally in tallies if tally.last_batch is not None]:
        yield Sample("worker_last_batch_timestamp_seconds", {}, max(times))
