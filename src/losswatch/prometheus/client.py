"""The page at ``/metrics``: the only file that imports ``prometheus_client``."""

from __future__ import annotations

import logging
import platform
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from losswatch.errors import OutOfTimeError
from losswatch.prometheus.label_texts import LabelTexts
from losswatch.prometheus.metrics import METRICS, PREFIX
from losswatch.prometheus.negotiation import format_for
from losswatch.prometheus.page import EXEMPLAR_LABEL, Page
from losswatch.prometheus.sample import Sample
from losswatch.prometheus.samples import all_samples
from losswatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.prometheus.sample import Block

__all__ = ["ConfigStatus", "Exposition", "LossCollector"]

logger = logging.getLogger(__name__)

Families = dict[str, Metric]

_PARTS = 100
"""Parts of a page after which labels are forgotten, where nobody asks for a whole one."""


@dataclass(slots=True)
class ConfigStatus:
    """What became of the last attempt to load the config."""

    successful: bool
    loaded_at: float


class Losses:
    """All that is exported of ours, as it is at the moment of a scrape.

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

    def write(self, add: Callable[[Iterable[Block]], object], drop: Callable[[], object]) -> None:
        """Have all samples added; after a failure all are dropped, but that one says so.

        Raises
        ------
        OutOfTimeError
            From ``add``.
        """
        start, success = time.perf_counter(), 1.0
        try:
            add(self._blocks())
        except OutOfTimeError:
            raise
        except Exception:  # a scrape must answer, whatever happens
            logger.exception("collecting the cost failed; this scrape is without it")
            drop()
            success = 0.0
        add([Sample("collector_success", {}, success)])
        add([Sample("scrape_duration_seconds", {}, time.perf_counter() - start)])

    def _blocks(self) -> Iterator[Block]:
        snapshot = self._read()
        labels = {"version": __version__, "python": platform.python_version()}
        yield Sample("build_info", labels, 1.0)
        if self._config is not None:
            loaded, at = float(self._config.successful), self._config.loaded_at
            yield Sample("config_last_reload_successful", {}, loaded)
            yield Sample("config_last_reload_success_timestamp_seconds", {}, at)
        yield from self._more()
        yield from all_samples(snapshot)


class LossCollector(Collector):
    """The same for a registry of your own. Never raises: a failure is a sample.

    It takes ten times as long as :class:`Exposition`.

    Parameters
    ----------
    read, config, more
        As for :class:`Exposition`.
    """

    def __init__(
        self,
        read: Callable[[], MonitorsSnapshot],
        config: ConfigStatus | None = None,
        more: Callable[[], Iterable[Sample]] = tuple,
    ) -> None:
        self._losses = Losses(read, config, more)

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples, so that names are checked and can be filtered."""
        yield from _families().values()

    def collect(self) -> Iterator[Metric]:
        """Yield the families of this moment."""
        families = _families()

        def add(blocks: Iterable[Block]) -> None:
            for block in blocks:
                for sample in block.samples():
                    _add(families[sample.family], sample)

        self._losses.write(add, lambda: families.update(_families()))
        yield from families.values()


class Exposition:
    """The page at ``/metrics``: text or OpenMetrics, as the scraper asks. Thread-safe.

    Our samples are written by :class:`Page`; those of the process, the platform
    and the garbage collector, which are behind them, by ``prometheus_client``.
    Events wait while their sums are copied and no longer.

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
        self._losses = Losses(read, config, more)
        self._texts = LabelTexts()
        self._parts_since_whole = 0
        self._lock = Lock()
        self._registry = CollectorRegistry(auto_describe=True)  # so that names can be asked for
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(
        self, accept: str, names: Collection[str] = (), deadline: float | None = None
    ) -> tuple[bytes, str]:
        """Return the page and its content type.

        Parameters
        ----------
        accept
            The request's ``Accept`` header.
        names
            If not empty, only samples of these names.
        deadline
            When it is of no use any more, as :func:`time.monotonic` tells it.

        Raises
        ------
        OutOfTimeError
            The deadline is over.
        """
        openmetrics, content_type = format_for(accept)
        encode = generate_openmetrics if openmetrics else generate_latest
        registry = self._registry.restricted_registry(names) if names else self._registry
        with self._lock:
            ours = self._ours(names, deadline, openmetrics=openmetrics)
        return b"".join([*ours, encode(registry)]), content_type

    def _ours(
        self, names: Collection[str], deadline: float | None, *, openmetrics: bool
    ) -> list[bytes]:
        if names and not any(name.startswith(PREFIX) for name in names):
            return []

        def check() -> None:
            if deadline is not None and time.monotonic() >= deadline:
                raise OutOfTimeError("the page was not written in time")

        page = Page(self._texts, openmetrics=openmetrics, names=names, check=check)
        self._losses.write(page.add, page.drop)
        self._parts_since_whole = self._parts_since_whole + 1 if names else 0
        if self._parts_since_whole % _PARTS == 0:
            self._texts.forget()
        return page.parts()


def _families() -> Families:
    return {
        name: Metric(PREFIX + name, description, kind)
        for name, (kind, description) in METRICS.items()
    }


def _add(family: Metric, sample: Sample) -> None:
    exemplar = None
    if sample.exemplar is not None:
        name, loss, at = sample.exemplar
        exemplar = Exemplar({EXEMPLAR_LABEL: name}, loss, at)
    family.add_sample(family.name + sample.suffix, sample.labels, sample.value, exemplar=exemplar)
