"""The samples of the sources and of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.prometheus import Sample
from losswatch.sources.base import Lagging

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from losswatch.sources.base import Source

__all__ = ["service_samples"]


def service_samples(sources: Iterable[Source], *, writable: bool) -> Iterator[Sample]:
    """Yield how far behind the sources are, and whether the state can be written."""
    yield Sample("state_writable", {}, float(writable))
    for source in sources:
        if isinstance(source, Lagging):
            for (topic, partition), messages in source.lag().items():
                labels = {"topic": topic, "partition": str(partition)}
                yield Sample("kafka_lag_messages", labels, messages)
            for (topic, partition), messages in source.lost().items():
                labels = {"topic": topic, "partition": str(partition)}
                yield Sample("kafka_lost_messages", labels, messages, "_total")
