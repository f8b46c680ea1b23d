"""Alarms for tests, and the events that they watch."""

from __future__ import annotations

import numpy as np

from losswatch.core.alarms.settings import BudgetAlarm, DriftAlarm
from losswatch.core.alarms.span import Span
from losswatch.core.alarms.watch import Watch
from losswatch.core.cells.scored import Scored


def budget(**keys) -> BudgetAlarm:
    """Return an alarm that promises little, so that it comes soon."""
    block = keys.get("block", Span(10.0))
    promise = {} if block.timed else {"one_false_alarm_per": Span(1000.0 * block.size)}
    return BudgetAlarm(**{"name": "budget", "max_rmse": 1.5, **promise, **keys})


def drift(**keys) -> DriftAlarm:
    return DriftAlarm(
        **{
            "name": "drift",
            "warmup": Span(500.0),
            "one_false_alarm_per": Span(2000.0),
            "one_false_clear_per": Span(1000.0),
            **keys,
        }
    )


def watch_of(alarm, size: int = 1) -> Watch:
    return Watch(alarm, "", size, 1)


def scored(slot, error, w=None) -> Scored:
    error = np.asarray(error, dtype=float)
    return Scored(np.asarray(slot).astype(np.intp), error, error, w)


def feed(watch: Watch, events: Scored, clock, sizes) -> None:
    """Give events in batches of these sizes."""
    start = 0
    for size in sizes:
        part = slice(start, start + int(size))
        start += int(size)
        if len(events.take(part)):
            watch.add(events.take(part), events.error[part] ** 2, np.asarray(clock)[part])


def changes_of(watch: Watch) -> list:
    return watch.changes()


def late_changes(watch: Watch) -> str:
    """Return all of the state, to be compared bit for bit."""
    return _spelled(watch.dump())


def _spelled(tree) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{k}: {_spelled(v)}" for k, v in sorted(tree.items())) + "}"
    if isinstance(tree, np.ndarray):
        return str([float(x).hex() for x in tree])
    return repr(tree)
