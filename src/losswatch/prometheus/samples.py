"""The samples of a monitor: which metric, which labels, which value."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losswatch.core.ledger import LIFETIME
from losswatch.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.histogram import HistogramSnapshot
    from losswatch.core.snapshot import Snapshot

__all__ = ["Sample", "monitor_samples", "rejected_samples"]

Labels = dict[str, str]

_NUMBERS = ("mse", "rmse", "mae", "bias", "error_variance")
"""What every window tells, all outputs together or each alone."""


class Sample(NamedTuple):
    """One sample; ``suffix`` is what follows the name of the family."""

    family: str
    labels: Labels
    value: float
    suffix: str = ""


def monitor_samples(monitor: Snapshot, spell: Callable[[float], str]) -> Iterator[Sample]:
    """Yield all samples of a monitor; ``spell`` writes the bound of a bucket."""
    model = {"model": monitor.model}
    yield from rejected_samples(monitor.rejected, monitor.model)
    if monitor.last_event is not None:
        yield Sample("last_event_timestamp_seconds", model, monitor.last_event)
    if monitor.overflowed is not None:
        known = sum("segment" not in labels for labels in monitor.segments[1:])
        yield Sample("segments", model, known)
        yield Sample("segments_overflowed", model, monitor.overflowed, "_total")
    for window, late in monitor.late.items():
        yield Sample("late_events", model | {"window": window}, late, "_total")
    for output in monitor.outputs:
        labels = model | ({"output": output} if output else {})
        yield from _counter_samples(monitor, output, labels, spell)
        yield from _gauge_samples(monitor, output, labels)
    if len(monitor.outputs) > 1:
        for window, reading in monitor.readings.items():
            yield from _window_samples(monitor, reading, model | {"window": window}, {})


def rejected_samples(rejected: Mapping[Reason, int], model: str = "") -> Iterator[Sample]:
    """Yield how many events were refused for each reason, those for which none was too."""
    for reason in Reason:
        labels = {"model": model, "reason": reason.value}
        yield Sample("rejected_events", labels, rejected.get(reason, 0), "_total")


def _counter_samples(
    monitor: Snapshot, output: str, labels: Labels, spell: Callable[[float], str]
) -> Iterator[Sample]:
    ledger = monitor.outputs[output]
    lifetime = ledger.readings[LIFETIME]
    weighted, weights = lifetime.loss.tolist(), lifetime.weight.tolist()
    for row in monitor.counted_rows:
        segment = {**labels, **monitor.segments[row]}
        yield from _histogram_samples(ledger.histogram(row), segment, spell)
        yield Sample("weighted_loss", segment, _finite(weighted[row]), "_total")
        yield Sample("weight", segment, _finite(weights[row]), "_total")


def _gauge_samples(monitor: Snapshot, output: str, labels: Labels) -> Iterator[Sample]:
    ledger = monitor.outputs[output]
    for window, reading in ledger.readings.items():
        events = reading.n.astype(np.float64)
        more = {"r2": reading.r2, "dummy_ratio": ledger.dummy_ratio(window), "events": events}
        yield from _window_samples(monitor, reading, labels | {"window": window}, more)


def _window_samples(
    monitor: Snapshot, reading: Reading, labels: Labels, more: Mapping[str, Floats]
) -> Iterator[Sample]:
    """Yield the gauges of a window. Without events there is no error: no sample, not 0."""
    rows = [{**labels, **segment} for segment in monitor.segments]
    numbers = {name: getattr(reading, name) for name in _NUMBERS} | dict(more)
    for name, column in numbers.items():
        for row, value in zip(rows, column.tolist(), strict=True):
            if value == value:  # noqa: PLR0124  # not NaN
                yield Sample(name, row, value)


def _histogram_samples(
    losses: HistogramSnapshot, labels: Labels, spell: Callable[[float], str]
) -> Iterator[Sample]:
    bounds = [*map(spell, losses.bounds), "+Inf"]
    for bound, count in zip(bounds, (*losses.counts, losses.count), strict=True):
        yield Sample("l2_loss", labels | {"le": bound}, count, "_bucket")
    yield Sample("l2_loss", labels, losses.count, "_count")
    yield Sample("l2_loss", labels, _finite(losses.sum), "_sum")


def _finite(total: float) -> float:
    """Hold a sum at the largest float: one infinity would make every rate NaN for ever."""
    return min(total, sys.float_info.max)
