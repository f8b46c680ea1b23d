"""Every tool that has a running MSE, behind one shape: feed a stream, read the MSE."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import prometheus_client
from river import metrics

from losswatch import Cost, Monitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.streams import Stream

    Feed = Callable[[Stream, int], float]

__all__ = ["Tool", "all_tools"]

# whylogs sends usage statistics to its maker unless this is set before its import.
os.environ["WHYLOGS_NO_ANALYTICS"] = "True"


@dataclass(frozen=True, slots=True)
class Tool:
    """A way to get the MSE of a stream.

    Parameters
    ----------
    feed
        Feeds a stream, takes some of its first events out again, and reads.
    forgets
        It can take events out; otherwise ``feed`` is only asked to take out none.
    column
        It takes the whole column at once and not event after event.
    needs
        The package without which it cannot run.
    """

    name: str
    feed: Feed
    forgets: bool = False
    column: bool = False
    ours: bool = False
    needs: str = "losswatch"

    @property
    def installed(self) -> bool:
        """Whether it can run here."""
        return find_spec(self.needs) is not None


def all_tools() -> list[Tool]:
    """Return ours and the peers: first by the event, then by the column."""
    by_event = [
        Tool("losswatch `Cost.update`", _feed_cost, forgets=True, ours=True),
        Tool("losswatch `Monitor.update`", _feed_monitor, ours=True),
        Tool("plain loop, `s += e * e`", _feed_floats, forgets=True),
        Tool("river `MSE.update`", _feed_river, forgets=True),
        Tool("prometheus `Summary.observe`", _feed_summary, forgets=True),
        Tool("prometheus `Histogram.observe`", _feed_histogram, forgets=True),
        Tool("whylogs `add`, one event", _feed_whylogs, needs="whylogs"),
    ]
    by_column = [
        Tool("losswatch `Cost.update_many`", _feed_columns, forgets=True, column=True, ours=True),
        Tool("NumPy `((y - p) ** 2).mean()`", _feed_numpy, column=True),
        Tool("scikit-learn `mean_squared_error`", _feed_sklearn, column=True, needs="sklearn"),
        Tool("whylogs `add`, whole column", _feed_whylogs_column, column=True, needs="whylogs"),
        Tool("torchmetrics, float32", _feed_torchmetrics, column=True, needs="torchmetrics"),
    ]
    return by_event + by_column


def _pairs(stream: Stream, first: int | None = None) -> Iterable[tuple[float, float]]:
    return zip(stream.truth[:first], stream.predicted[:first], strict=True)


def _update(metric: Any, stream: Stream, forget: int = 0) -> None:
    update = metric.update
    for y_true, y_pred in _pairs(stream):
        update(y_true, y_pred)
    for y_true, y_pred in _pairs(stream, forget):
        metric.revert(y_true, y_pred)


def _feed_cost(stream: Stream, forget: int) -> float:
    cost = Cost()
    _update(cost, stream, forget)
    return cost.mse


def _feed_monitor(stream: Stream, _: int) -> float:
    monitor = Monitor("eta")
    _update(monitor, stream)
    return monitor.snapshot().pooled.mse


def _feed_columns(stream: Stream, forget: int) -> float:
    cost = Cost()
    cost.update_many(*stream.columns)
    for y_true, y_pred in _pairs(stream, forget):
        cost.revert(y_true, y_pred)
    return cost.mse


def _feed_floats(stream: Stream, forget: int) -> float:
    total, n = 0.0, 0
    for y_true, y_pred in _pairs(stream):
        error = y_true - y_pred
        total += error * error
        n += 1
    for y_true, y_pred in _pairs(stream, forget):
        total -= (y_true - y_pred) ** 2
        n -= 1
    return total / n


def _feed_river(stream: Stream, forget: int) -> float:
    metric = metrics.MSE()
    _update(metric, stream, forget)
    return float(metric.get())


def _feed_summary(stream: Stream, forget: int) -> float:
    return _observe(prometheus_client.Summary, stream, forget)


def _feed_histogram(stream: Stream, forget: int) -> float:
    return _observe(prometheus_client.Histogram, stream, forget)


def _observe(kind: Any, stream: Stream, forget: int) -> float:
    """Return Δsum / Δcount since some events: what ``rate`` makes of two scrapes."""
    metric = kind("loss", "Squared error.", registry=prometheus_client.CollectorRegistry())
    observe = metric.observe
    before = (0.0, 0.0)
    for index, (y_true, y_pred) in enumerate(_pairs(stream)):
        if index == forget:
            before = _scrape(metric)
        error = y_true - y_pred
        observe(error * error)
    total, count = _scrape(metric)
    return (total - before[0]) / (count - before[1])


def _scrape(metric: Any) -> tuple[float, float]:
    samples = {
        sample.name: sample.value for family in metric.collect() for sample in family.samples
    }
    return samples["loss_sum"], samples["loss_count"]


def _feed_whylogs(stream: Stream, _: int) -> float:
    from whylogs.core.model_performance_metrics import regression_metrics

    metric = regression_metrics.RegressionMetrics()
    add = metric.add
    for y_true, y_pred in _pairs(stream):
        add([y_pred], [y_true])
    return float(metric.mean_squared_error())


def _feed_whylogs_column(stream: Stream, _: int) -> float:
    from whylogs.core.model_performance_metrics import regression_metrics

    metric = regression_metrics.RegressionMetrics()
    metric.add(stream.predicted, stream.truth)
    return float(metric.mean_squared_error())


def _feed_numpy(stream: Stream, _: int) -> float:
    y_true, y_pred = stream.columns
    return float(((y_true - y_pred) ** 2).mean())


def _feed_sklearn(stream: Stream, _: int) -> float:
    from sklearn import metrics as sklearn_metrics

    return float(sklearn_metrics.mean_squared_error(*stream.columns))


def _feed_torchmetrics(stream: Stream, _: int) -> float:
    import torch
    import torchmetrics

    y_true, y_pred = (torch.tensor(column, dtype=torch.float32) for column in stream.columns)
    metric = torchmetrics.MeanSquaredError()
    metric.update(y_pred, y_true)
    return float(metric.compute())
