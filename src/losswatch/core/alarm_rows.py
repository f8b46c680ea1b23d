"""The alarms of each model, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from losswatch.core.alarms.watch import WatchReading
    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.core.snapshot import Snapshot

__all__ = ["alarm_rows"]


def alarm_rows(
    snapshot: MonitorsSnapshot, models: Collection[str] | None = None
) -> list[dict[str, object]]:
    """Return the alarms as plain data; what does not exist is ``None``.

    Parameters
    ----------
    snapshot
        What was read.
    models
        Only these, ``None`` for all.

    Examples
    --------
    >>> from losswatch import BudgetAlarm, Monitor
    >>> from losswatch.core.monitors import Monitors
    >>> monitor = Monitor("eta", alarms=[BudgetAlarm(name="budget", max_rmse=2.0)])
    >>> monitor.update_many([10.0] * 100, [99.0] * 100)
    []
    >>> (alarm,) = alarm_rows(Monitors([monitor]).snapshot())
    >>> alarm["alarm"], alarm["active"], alarm["severity"], alarm["promise"]
    ('budget', True, 'warning', {'events': 1000000.0})
    """
    return [
        row
        for monitor in snapshot.monitors
        if models is None or monitor.model in models
        for row in _rows(monitor)
    ]


def _rows(monitor: Snapshot) -> Iterator[dict[str, object]]:
    for watch in monitor.alarms.watches:
        places = monitor.segments[1:] if watch.alarm.per_segment else ({},)
        for row, segment in enumerate(places):
            yield {
                "model": monitor.model,
                **({"output": watch.output} if watch.output else {}),
                "segment": dict(segment),
                **_row(watch, row),
            }


def _row(watch: WatchReading, row: int) -> dict[str, object]:
    active = watch.active[row].tolist()
    on = [name for name, is_on in zip(watch.alarm.severities, active, strict=True) if is_on]
    is_promise = watch.alarm.promise is not None
    return {
        "alarm": watch.alarm.name,
        "kind": watch.alarm.kind,
        "active": bool(on),
        "severity": on[-1] if on else None,
        "since": float(watch.since[row]) if on else None,
        "events_since_change": int(watch.since_change[row]) if on else None,
        "evidence": float(watch.evidence[row].max()) if is_promise else None,
        "warmup_remaining_blocks": int(watch.waiting[row]),
        "events": int(watch.seen[row]),
        "guarantee": watch.alarm.guarantee,
        "promise": _promise(watch),
    }


def _promise(watch: WatchReading) -> Mapping[str, float] | None:
    promise = watch.alarm.promise
    return None if promise is None else {"seconds" if promise.timed else "events": promise.size}
