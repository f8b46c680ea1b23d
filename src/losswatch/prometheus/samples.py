"""The samples of a monitor: which metric, which labels, which value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.ledger import LIFETIME
from losswatch.errors import Reason
from losswatch.prometheus.alarms import alarm_samples
from losswatch.prometheus.joined import join_samples
from losswatch.prometheus.sample import Labels, Sample, finite, histogram_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.snapshot import Snapshot

__all__ = ["monitor_samples", "rejected_samples"]

_NUMBERS = ("mse", "rmse", "mae", "bias", "error_variance")
"""What every window tells, all outputs together or each alone."""


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
    if monitor.join.is_used:
        yield from join_samples(monitor.join, model, spell)
    yield from alarm_samples(monitor, model)
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
    weighted, weights = ledger.counted.loss.tolist(), ledger.counted.weight.tolist()
    for row in monitor.counted_rows:
        segment = {**labels, **monitor.segments[row]}
        losses = ledger.histogram(row)
        counts = (*losses.counts, losses.count)
        bounds = [*map(spell, losses.bounds), "+Inf"]
        yield from histogram_samples("l2_loss", segment, bounds, counts, losses.sum)
        yield Sample("weighted_loss", segment, finite(weighted[row]), "_total")
        yield Sample("weight", segment, finite(weights[row]), "_total")


def _gauge_samples(monitor: Snapshot, output: str, labels: Labels) -> Iterator[Sample]:
    ledger = monitor.outputs[output]
    lifetime = ledger.readings[LIFETIME]
    ever = {"lifetime_events": lifetime.n.astype(np.float64), "lifetime_rmse": lifetime.rmse}
    yield from _gauges(monitor, labels, ever)
    for window, reading in ledger.readings.items():
        events = reading.n.astype(np.float64)
        more = {"r2": reading.r2, "dummy_ratio": ledger.dummy_ratio(window), "events": events}
        yield from _window_samples(monitor, reading, labels | {"window": window}, more)


def _window_samples(
    monitor: Snapshot, reading: Reading, labels: Labels, more: Mapping[str, Floats]
) -> Iterator[Sample]:
    """Yield the gauges of a window. Without events there is no error: no sample, not 0."""
    yield from _gauges(
        monitor, labels, {name: getattr(reading, name) for name in _NUMBERS} | dict(more)
    )


def _gauges(monitor: Snapshot, labels: Labels, numbers: Mapping[str, Floats]) -> Iterator[Sample]:
    """Yield columns of numbers, a row for each segment."""
    rows = [{**labels, **segment} for segment in monitor.segments]
    for name, column in numbers.items():
        for row, value in zip(rows, column.tolist(), strict=True):
            if value == value:  # noqa: PLR0124  # not NaN
                yield Sample(name, row, value)
