"""The side of a monitor that tells of alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Lock

    from losswatch.core.alarms.latch import Change
    from losswatch.core.alarms.watch import Watch
    from losswatch.core.books import Books
    from losswatch.core.cells.scored import Indexes

__all__ = ["AlarmChange", "Alarmed"]


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """An alarm went on (``raised``) or off.

    ``time`` is in seconds since 1970; ``events`` is how many events of the
    model or the segment there were by then, and ``since_change`` how many of
    them seem to have come after the error grew.
    """

    model: str
    alarm: str
    severity: str
    raised: bool
    time: float
    events: int
    output: str
    segment: Mapping[str, str]
    since_change: int | None


class Alarmed:
    """Tells of alarms, and turns them off. Thread-safe; for a monitor to inherit."""

    model: str
    _lock: Lock
    _books: Books
    _drain: Callable[[], None]

    def alarm_changes(self) -> list[AlarmChange]:
        """Return what alarms did since this was asked last, in the order of time.

        Examples
        --------
        >>> from losswatch import BudgetAlarm, Monitor
        >>> monitor = Monitor("eta", alarms=[BudgetAlarm(name="budget", max_rmse=2.0)])
        >>> monitor.update_many([10.0] * 5000, [11.0] * 4000 + [15.0] * 1000)
        []
        >>> [(change.alarm, change.raised, change.events) for change in monitor.alarm_changes()]
        [('budget', True, 4069)]
        """
        with self._lock:
            self._drain()
            self._books.fold()
            changes = [self._told(*each) for each in self._books.alarms.changes()]
        return sorted(changes, key=lambda change: change.time)

    def acknowledge(self, alarm: str, segment: Mapping[str, str] | None = None) -> int:
        """Turn an alarm off and let it begin anew; return in how many places it was on.

        What a drift alarm learnt stays. If the error is still too large the
        alarm comes again.

        Parameters
        ----------
        alarm
            Its name.
        segment
            All labels of a segment; if not given, wherever it is on.

        Raises
        ------
        KeyError
            There is no such alarm or segment.
        """
        with self._lock:
            self._drain()
            self._books.fold()
            slots = self._slots_of(alarm, segment)
            return self._books.alarms.reset(alarm, self._books.now, slots)

    def block_advice(self) -> list[tuple[str, float, int]]:
        """Return for each alarm how many events its blocks have, and should have at least.

        As far as that is known: it is measured over 5,000 events, and there is
        none for alarms of single segments. With shorter blocks false alarms
        come more often than promised.
        """
        with self._lock:
            self._drain()
            self._books.fold()
            return list(self._books.alarms.advice())

    def check_alarm(self, alarm: str, segment: Mapping[str, str] | None = None) -> None:
        """Raise ``KeyError`` if :meth:`acknowledge` would."""
        with self._lock:
            self._drain()
            self._books.fold()
            self._slots_of(alarm, segment)

    def _slots_of(self, alarm: str, segment: Mapping[str, str] | None) -> Indexes | None:
        names = self._books.alarms.names
        if alarm not in names:
            raise KeyError(f"no alarm {alarm!r:.60} of {self.model}; there are {names or 'none'}")
        return None if segment is None else np.array([self._books.slot_of(segment)])

    def _told(self, watch: Watch, change: Change) -> AlarmChange:
        per_segment, registry = watch.alarm.per_segment, self._books.registry
        segment = registry.names(np.array([change.stream]))[0] if per_segment and registry else {}
        return AlarmChange(
            model=self.model,
            alarm=watch.alarm.name,
            severity=change.severity,
            raised=change.raised,
            time=change.time,
            events=change.events,
            output=watch.output,
            segment=dict(segment),
            since_change=change.since_change,
        )
