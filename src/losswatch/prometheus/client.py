"""The collector and the page at ``/metrics``: the only file that imports ``prometheus_client``."""

from __future__ import annotations

import logging
import platform
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from losswatch.prometheus.metrics import METRICS, PREFIX
from losswatch.prometheus.samples import monitor_samples, rejected_samples
from losswatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.prometheus.sample import Sample

__all__ = ["ConfigStatus", "Exposition", "LossCollector"]

logger = logging.getLogger(__name__)

Families = dict[str, Metric]


@dataclass(slots=True)
class ConfigStatus:
    """What became of the last attempt to load the config."""

    successful: bool
    loaded_at: float


class LossCollector(Collector):
    """Turns a snapshot into metric families. Never raises: a failure is a sample.

    Parameters
    ----------
    read
        Returns the snapshot to export.
    config
        Exported if given; may change between scrapes.
    more
        Returns further samples: of the sources and the state.
    """

    def __init__(
        self,
        read: Callable[[], MonitorsSnapshot],
        config: ConfigStatus | None = None,
        more: Callable[[], Iterable[Sample]] = tuple,
    ) -> None:
        self._read = read
        self._config = config
        self._more = more

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples, so that names are checked and can be filtered."""
        yield from _families().values()

    def collect(self) -> Iterator[Metric]:
        """Yield the families of this moment."""
        start = time.perf_counter()
        families = _families()
        try:
            self._fill(families)
        except Exception:  # a scrape must answer, whatever happens
            logger.exception("collecting the cost failed; this scrape is without it")
            families = _families()
            success = 0.0
        else:
            success = 1.0
        _add(families, "collector_success", success)
        _add(families, "scrape_duration_seconds", time.perf_counter() - start)
        yield from families.values()

    def _fill(self, families: Families) -> None:
        snapshot = self._read()
        _add(
            families,
            "build_info",
            1.0,
            version=__version__,
            python=platform.python_version(),
        )
        if self._config is not None:
            _add(families, "config_last_reload_successful", float(self._config.successful))
            _add(families, "config_last_reload_success_timestamp_seconds", self._config.loaded_at)
        for family, labels, value, suffix in (*self._more(), *_samples(snapshot)):
            families[family].add_sample(PREFIX + family + suffix, labels, value)


class Exposition:
    """The page at ``/metrics``: text or OpenMetrics, as the scraper asks.

    The registry is its own; process, platform and garbage collector metrics of
    ``prometheus_client`` are on it too.
    """

    def __init__(
        self,
        read: Callable[[], MonitorsSnapshot],
        config: ConfigStatus | None = None,
        more: Callable[[], Iterable[Sample]] = tuple,
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(LossCollector(read, config, more))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(self, accept: str, names: list[str]) -> tuple[bytes, str]:
        """Return the page and its content type.

        Parameters
        ----------
        accept
            The request's ``Accept`` header.
        names
            If not empty, only samples of these names.
        """
        encode, content_type = _encoder_for(accept)
        registry = self._registry.restricted_registry(names) if names else self._registry
        return encode(registry), content_type


def _encoder_for(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """Return the encoder that the header asks for; plain text if it makes no sense."""
    try:
        encoder: tuple[Callable[[Collector], bytes], str] = choose_encoder(accept)
    except Exception:  # noqa: BLE001  # the client trips over a version that is no number
        encoder = choose_encoder("")
    return encoder


def _samples(snapshot: MonitorsSnapshot) -> Iterator[Sample]:
    yield from rejected_samples(snapshot.rejected)
    for monitor in snapshot.monitors:
        yield from monitor_samples(monitor, floatToGoString)


def _families() -> Families:
    return {
        name: Metric(PREFIX + name, description, kind)
        for name, (kind, description) in METRICS.items()
    }


def _add(families: Families, name: str, value: float, **labels: str) -> None:
    families[name].add_sample(PREFIX + name, labels, value)
