"""The cost for Prometheus: a scrape-time collector on a registry of its own.

The only file that imports ``prometheus_client``. A gauge is never our state:
each scrape reads one consistent snapshot and forgets it.
"""

from __future__ import annotations

import logging
import platform
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from losswatch.core.monitor import LIFETIME
from losswatch.errors import Reason
from losswatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from losswatch.core.cost import Cost
    from losswatch.core.histogram import HistogramSnapshot
    from losswatch.core.monitor import Snapshot
    from losswatch.core.monitors import MonitorsSnapshot

__all__ = ["METRICS", "ConfigStatus", "Exposition", "LossCollector"]

logger = logging.getLogger(__name__)

PREFIX = "losswatch_"

METRICS = {
    "l2_loss": ("histogram", "L2 loss of accepted events, in the target's unit squared."),
    "weighted_loss": ("counter", "Sum of w * loss of accepted events."),
    "weight": ("counter", "Sum of the weights of accepted events."),
    "mse": ("gauge", "Mean squared error in the window. Do not average: divide rates of l2_loss."),
    "rmse": (
        "gauge",
        "Root mean squared error in the window, in the target's unit. Do not average.",
    ),
    "mae": ("gauge", "Mean absolute error in the window, in the target's unit. Do not average."),
    "bias": ("gauge", "Mean of y_true - y_pred in the window: above 0, predictions are too low."),
    "events": ("gauge", "Events in the window."),
    "rejected_events": (
        "counter",
        "Events refused, by reason; model is empty where it is not known.",
    ),
    "last_event_timestamp_seconds": ("gauge", "When the last accepted event arrived."),
    "build_info": ("gauge", "Always 1; the version is in the labels."),
    "config_last_reload_successful": (
        "gauge",
        "Whether the last attempt to load the config worked.",
    ),
    "config_last_reload_success_timestamp_seconds": ("gauge", "When the config was last loaded."),
    "scrape_duration_seconds": ("gauge", "How long collecting the cost took in this scrape."),
    "collector_success": ("gauge", "Whether collecting the cost worked in this scrape."),
}
"""Every metric: name without prefix, type, and help."""

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
    """

    def __init__(
        self, read: Callable[[], MonitorsSnapshot], config: ConfigStatus | None = None
    ) -> None:
        self._read = read
        self._config = config

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
        for reason in Reason:
            _add_rejected(families, reason, snapshot.rejected.get(reason, 0))
        for monitor in snapshot.monitors:
            _add_monitor(families, monitor)


class Exposition:
    """The page at ``/metrics``: text or OpenMetrics, as the scraper asks.

    The registry is its own; process, platform and garbage collector metrics of
    ``prometheus_client`` are on it too.
    """

    def __init__(
        self, read: Callable[[], MonitorsSnapshot], config: ConfigStatus | None = None
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(LossCollector(read, config))
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


def _families() -> Families:
    return {
        name: Metric(PREFIX + name, description, kind)
        for name, (kind, description) in METRICS.items()
    }


def _add_monitor(families: Families, monitor: Snapshot) -> None:
    for reason in Reason:
        _add_rejected(families, reason, monitor.rejected.get(reason, 0), model=monitor.model)
    if monitor.last_event is not None:
        _add(families, "last_event_timestamp_seconds", monitor.last_event, model=monitor.model)
    for output, snapshot in monitor.outputs.items():
        labels = {"model": monitor.model} | ({"output": output} if output else {})
        _add_histogram(families, snapshot.losses, labels)
        _add_counter(families, "weighted_loss", snapshot.cost.loss, labels)
        _add_counter(families, "weight", snapshot.cost.weight, labels)
        _add(families, "events", float(snapshot.cost.n), **labels, window=LIFETIME)
        _add_cost(families, snapshot.cost, labels)
    if len(monitor.outputs) > 1:
        _add_cost(families, monitor.pooled, {"model": monitor.model})


def _add_cost(families: Families, cost: Cost, labels: dict[str, str]) -> None:
    """Add the gauges of a window. Without events there is no error: no sample, not 0."""
    if cost.n > 0:
        for name in ("mse", "rmse", "mae", "bias"):
            _add(families, name, getattr(cost, name), **labels, window=LIFETIME)


def _add_histogram(families: Families, losses: HistogramSnapshot, labels: dict[str, str]) -> None:
    name = PREFIX + "l2_loss"
    family = families["l2_loss"]
    for bound, count in zip(
        (*losses.bounds, float("inf")), (*losses.counts, losses.count), strict=True
    ):
        family.add_sample(f"{name}_bucket", labels | {"le": floatToGoString(bound)}, count)
    family.add_sample(f"{name}_count", labels, losses.count)
    family.add_sample(f"{name}_sum", labels, _finite(losses.sum))


def _add_counter(families: Families, name: str, value: float, labels: dict[str, str]) -> None:
    families[name].add_sample(f"{PREFIX}{name}_total", labels, _finite(value))


def _add_rejected(families: Families, reason: Reason, count: int, model: str = "") -> None:
    _add_counter(families, "rejected_events", count, {"model": model, "reason": reason.value})


def _add(families: Families, name: str, value: float, **labels: str) -> None:
    families[name].add_sample(PREFIX + name, labels, value)


def _finite(total: float) -> float:
    """Hold a sum at the largest float: one infinity would make every rate NaN for ever."""
    return min(total, sys.float_info.max)
