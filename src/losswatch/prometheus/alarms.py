"""The samples of alarms and of what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.prometheus.sample import Block, Labels, Rows, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from losswatch.core.alarms.settings import Alarm
    from losswatch.core.alarms.watch import WatchReading
    from losswatch.core.snapshot import Snapshot

__all__ = ["alarm_samples"]

_PROMISES = {
    False: "alarm_promised_events_per_false_alarm",
    True: "alarm_promised_seconds_per_false_alarm",
}


def alarm_samples(monitor: Snapshot, model: Labels) -> Iterator[Block]:
    """Yield all samples of the alarms of a monitor."""
    alarms = monitor.alarms
    for output in monitor.outputs:
        labels = model | ({"output": output} if output else {})
        if alarms.objective_mse is not None:
            yield Sample("objective_mse", labels, alarms.objective_mse)
        measured = {
            "mse_lower_bound": alarms.lower_bound,
            "loss_autocorrelation_events": alarms.correlation,
        }
        for name, values in measured.items():
            value = values.get(output)
            if value is not None and value == value:  # noqa: PLR0124  # not NaN
                yield Sample(name, labels, value)
    told = {}
    for watch in alarms.watches:
        told[watch.alarm.name] = watch.alarm
        yield from _watch_samples(watch, monitor.segments, model)
    for alarm in told.values():
        yield from _promises(alarm, model | {"alarm": alarm.name})


def _promises(alarm: Alarm, labels: Labels) -> Iterator[Sample]:
    more = {"kind": alarm.kind, "guarantee": alarm.guarantee}
    yield Sample("alarm_info", labels | more, 1.0)
    if alarm.promise is not None:
        yield Sample(_PROMISES[alarm.promise.timed], labels, alarm.promise.size)


def _watch_samples(
    watch: WatchReading, segments: tuple[Mapping[str, str], ...], model: Labels
) -> Iterator[Block]:
    """Yield what an alarm shows: of the whole or of each segment, at each severity."""
    own = model | {"alarm": watch.alarm.name}
    own |= {"output": watch.output} if watch.output else {}
    places = segments[1:] if watch.alarm.per_segment else ({},)
    each = tuple([own | {"severity": severity} for severity in watch.alarm.severities])
    yield Rows("alarm_active", each, places, lambda: watch.active.astype(np.int64))
    yield Rows("alarms", each, places, lambda: watch.raised, "_total")
    if watch.alarm.promise is not None:
        yield Rows("alarm_evidence_ratio", each, places, lambda: watch.evidence)
    for row in np.flatnonzero(watch.active[:, 0]).tolist():
        labels = {**own, **places[row]}
        yield Sample("alarm_since_timestamp_seconds", labels, watch.since[row])
        yield Sample("alarm_change_events_ago", labels, watch.since_change[row])
    if watch.warms_up:
        yield Rows("alarm_warmup_remaining_blocks", (own,), places, lambda: watch.waiting)
