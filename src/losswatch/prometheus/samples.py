"""The samples of a monitor: which metric, which labels, which value."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from losswatch.core.ledger import LIFETIME
from losswatch.errors import Reason
from losswatch.prometheus.alarms import alarm_samples
from losswatch.prometheus.joined import join_samples
from losswatch.prometheus.sample import Block, Histograms, Labels, Rows, Sample, bounds_of, finite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.core.snapshot import Snapshot
    from losswatch.prometheus.sample import Numbers

__all__ = ["all_samples"]

_NUMBERS = ("mse", "rmse", "mae", "bias", "error_variance")
"""What every window tells, all outputs together or each alone."""


def all_samples(snapshot: MonitorsSnapshot) -> Iterator[Block]:
    """Yield all samples of all monitors; numbers of segments are read when they are written."""
    yield from _rejected_samples(snapshot.rejected)
    for monitor in snapshot.monitors:
        yield from _monitor_samples(monitor)


def _monitor_samples(monitor: Snapshot) -> Iterator[Block]:
    model = {"model": monitor.model}
    yield from _rejected_samples(monitor.rejected, monitor.model)
    if monitor.last_event is not None:
        yield Sample("last_event_timestamp_seconds", model, monitor.last_event)
    if monitor.overflowed is not None:
        known = sum("segment" not in labels for labels in monitor.segments[1:])
        yield Sample("segments", model, known)
        yield Sample("segments_overflowed", model, monitor.overflowed, "_total")
    for window, late in monitor.late.items():
        yield Sample("late_events", model | {"window": window}, late, "_total")
    if monitor.join.is_used:
        yield from join_samples(monitor.join, model)
    yield from alarm_samples(monitor, model)
    for output in monitor.outputs:
        labels = model | ({"output": output} if output else {})
        yield from _counter_samples(monitor, output, labels)
        yield from _gauge_samples(monitor, output, labels)
    if len(monitor.outputs) > 1:
        for window in monitor.windows:
            pooled = partial(_pooled, monitor, window)
            yield from _window_samples(monitor, pooled, model | {"window": window}, {})


def _rejected_samples(rejected: Mapping[Reason, int], model: str = "") -> Iterator[Sample]:
    """Yield how many events were refused for each reason, those for which none was too."""
    for reason in Reason:
        labels = {"model": model, "reason": reason.value}
        yield Sample("rejected_events", labels, rejected.get(reason, 0), "_total")


def _counter_samples(monitor: Snapshot, output: str, labels: Labels) -> Iterator[Block]:
    ledger, rows = monitor.outputs[output], monitor.counted_rows
    part = slice(rows.start, rows.stop)
    segments = monitor.segments[part]
    yield Histograms(
        "l2_loss",
        labels,
        segments,
        bounds_of(ledger.bounds),
        ledger.counts[part],
        lambda: ledger.plain.loss[part],
        partial(ledger.exemplars_of, rows),
    )
    numbers: dict[str, Callable[[], Floats]] = {
        "weighted_loss": lambda: finite(ledger.counted.loss[part]),
        "weight": lambda: finite(ledger.counted.weight[part]),
    }
    for name, values in numbers.items():
        yield Rows(name, (labels,), segments, values, "_total")


def _gauge_samples(monitor: Snapshot, output: str, labels: Labels) -> Iterator[Block]:
    ledger = monitor.outputs[output]
    lifetime = ledger.readings[LIFETIME]
    ever: dict[str, Callable[[], Numbers]] = {
        "lifetime_events": lambda: lifetime.n,
        "lifetime_rmse": lambda: lifetime.rmse,
    }
    yield from _gauges(monitor, labels, ever)
    for window in ledger.readings:
        reading = partial(ledger.readings.__getitem__, window)
        more: dict[str, Callable[[], Numbers]] = {
            "r2": partial(_number, reading, "r2"),
            "dummy_ratio": partial(ledger.dummy_ratio, window),
            "events": partial(_number, reading, "n"),
        }
        yield from _window_samples(monitor, reading, labels | {"window": window}, more)


def _window_samples(
    monitor: Snapshot,
    read: Callable[[], Reading],
    labels: Labels,
    more: Mapping[str, Callable[[], Numbers]],
) -> Iterator[Block]:
    """Yield the gauges of a window. Without events there is no error: no sample, not 0."""
    numbers = {name: partial(_number, read, name) for name in _NUMBERS}
    yield from _gauges(monitor, labels, {**numbers, **more})


def _gauges(
    monitor: Snapshot, labels: Labels, numbers: Mapping[str, Callable[[], Numbers]]
) -> Iterator[Block]:
    """Yield columns of numbers, a row for each segment."""
    for name, values in numbers.items():
        yield Rows(name, (labels,), monitor.segments, values)


def _number(read: Callable[[], Reading], name: str) -> Numbers:
    numbers: Numbers = getattr(read(), name)
    return numbers


def _pooled(monitor: Snapshot, window: str) -> Reading:
    return monitor.readings[window]
