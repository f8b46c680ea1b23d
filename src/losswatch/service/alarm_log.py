"""Alarms in the log."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from losswatch.service.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from losswatch.core.alarmed import AlarmChange
    from losswatch.core.monitor import Monitor

__all__ = ["AlarmLog", "told"]

logger = logging.getLogger(__name__)


class AlarmLog:
    """Logs each alarm that goes on or off, and once for each what block it should have."""

    def __init__(self, monitors: Iterable[Monitor]) -> None:
        self._monitors = monitors
        self._advised: dict[tuple[str, str], int] = {}

    def tick(self) -> None:
        """Log what is new."""
        for monitor in self._monitors:
            for change in monitor.alarm_changes():
                logger.warning("%s", told(change))
            self._advise(monitor)

    def _advise(self, monitor: Monitor) -> None:
        """Say where blocks are too short for how long errors remember each other."""
        for alarm, block, advice in monitor.block_advice():
            if advice > max(block, self._advised.get((monitor.model, alarm), 0)):
                self._advised[monitor.model, alarm] = advice
                logger.warning(
                    "alarm %s of %s has blocks of %.3g events; its errors remember each other so"
                    " long that it should have %d, or false alarms come more often than promised;"
                    " unless there was a fault in the last 5,000 events, which looks the same",
                    alarm,
                    printable(monitor.model),
                    block,
                    advice,
                )


def told(change: AlarmChange) -> str:
    """Return a change as a line."""
    where = " ".join(f"{name}={value}" for name, value in change.segment.items())
    parts = [change.model, change.output, where]
    what = printable(" ".join(part for part in parts if part))
    when = dt.datetime.fromtimestamp(change.time, dt.UTC).isoformat(timespec="seconds")
    if not change.raised:
        return f"alarm {change.alarm} ({change.severity}) of {what} is over at {when}"
    since = f", {change.since_change:,} after the error grew" if change.since_change else ""
    return (
        f"alarm {change.alarm} ({change.severity}) of {what} at {when}, after"
        f" {change.events:,} events{since}"
    )
