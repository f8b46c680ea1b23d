"""The monitors of one process, by model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.events import EventColumns
from losswatch.core.join.desk import Taken
from losswatch.core.monitor import Monitor
from losswatch.core.taking import score_columns, score_events
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from losswatch.core.events import Event
    from losswatch.core.snapshot import Snapshot

__all__ = ["Monitors", "MonitorsSnapshot"]

UNNAMED = "default"
"""The model of events that name none, where models need not be declared."""


@dataclass(frozen=True, slots=True)
class MonitorsSnapshot:
    """One reading of every monitor, and what was refused without a known model."""

    monitors: tuple[Snapshot, ...]
    rejected: Mapping[Reason, int]

    @property
    def events(self) -> int:
        """How many events count, over all models and outputs."""
        return sum(monitor.pooled.n for monitor in self.monitors)

    @property
    def all_rejected(self) -> Counter[Reason]:
        """How many events were refused, by reason, over all models."""
        total = Counter(self.rejected)
        for monitor in self.monitors:
            total.update(monitor.rejected)
        return total


class Monitors:
    """Sends each event to the monitor of its model. Thread-safe, unless it makes monitors.

    Nothing here raises for a bad event: it is counted by its reason, with its
    model if that is known, and returned.

    Parameters
    ----------
    monitors
        Those known from the start.
    make
        Makes the monitor of a model not seen before, given its name and its
        outputs. Without it such an event is refused (``unknown_model``), which
        keeps the number of models bounded.

    Raises
    ------
    ValueError
        Two monitors watch the same model.
    TypeError
        One of them is no monitor.
    """

    def __init__(
        self,
        monitors: Iterable[Monitor] = (),
        *,
        make: Callable[[str, tuple[str, ...]], Monitor] | None = None,
    ) -> None:
        self._make = make
        self._lock = Lock()
        self._rejected: Counter[Reason] = Counter()
        self._monitors: dict[str, Monitor] = {}
        for monitor in monitors:
            if not isinstance(monitor, Monitor):
                raise TypeError(f"{monitor!r:.60} is no monitor; make one: losswatch.Monitor(...)")
            if self.setdefault(monitor) is not monitor:
                raise ValueError(f"two monitors for model {monitor.model!r}; keep one")

    def get(self, model: str) -> Monitor | None:
        """Return the monitor of a model, ``None`` if there is none."""
        return self._monitors.get(model)

    def setdefault(self, monitor: Monitor) -> Monitor:
        """Watch a model with this monitor; return the one that watches it already, if any."""
        with self._lock:
            return self._monitors.setdefault(monitor.model, monitor)

    def replace(self, monitors: Iterable[Monitor]) -> None:
        """Watch these from now on, all at once; what was refused stays counted."""
        watched = {monitor.model: monitor for monitor in monitors}
        with self._lock:
            self._monitors = watched

    def __iter__(self) -> Iterator[Monitor]:
        """Return the monitors of this moment."""
        with self._lock:
            return iter(list(self._monitors.values()))

    def find(self, model: str | None, outputs: tuple[str, ...] = ()) -> Monitor:
        """Return the monitor of a model; an event without one belongs to the only monitor.

        One that is made here is watched only from :meth:`setdefault` on.

        Raises
        ------
        RejectedEvent
            No monitor watches it. Nothing was counted.
        """
        with self._lock:
            if model is None:
                model = self._only_model()
            return self._monitors.get(model) or self._made(model, outputs)

    def take(
        self,
        columns: EventColumns | None = None,
        events: Sequence[Event] = (),
        *,
        at: float | None = None,
    ) -> Taken:
        """Add events; return what became of them, told by their lines.

        Parameters
        ----------
        columns
            Those of one output.
        events
            Those of several outputs.
        at
            When all of them arrived.
        """
        taken = Taken()
        for model, part in columns.by_model() if columns is not None and len(columns) else ():
            taken.add(self._take_columns(model, part, at), part.line)
        if events:
            whole = EventColumns.of(events)
            for model, part in replace(whole, line=range(len(events))).by_model():
                some = [events[place] for place in part.line]
                taken.add(self._take_events(model, part, some, at), [e.line for e in some])
        return taken

    def reject(self, reason: Reason, count: int = 1, *, model: str | None = None) -> None:
        """Count refused events, with their model if it is watched.

        Like an event that names no model, they belong to the only monitor.
        """
        with self._lock:
            if model is None and self._make is None and len(self._monitors) == 1:
                model = self._only_model()
            monitor = None if model is None else self._monitors.get(model)
            if monitor is None:
                self._rejected[reason] += count
                return
        monitor.reject(reason, count)

    def acknowledge(self, model: str, alarm: str, segment: Mapping[str, str] | None = None) -> int:
        """Turn an alarm off; see :meth:`Monitor.acknowledge`.

        Raises
        ------
        KeyError
            There is no such model, alarm or segment.
        """
        return self._known(model).acknowledge(alarm, segment)

    def check_alarm(self, model: str, alarm: str, segment: Mapping[str, str] | None = None) -> None:
        """Raise ``KeyError`` if :meth:`acknowledge` would."""
        self._known(model).check_alarm(alarm, segment)

    def snapshot(self, now: float | None = None) -> MonitorsSnapshot:
        """Return one reading of all; each monitor's is consistent in itself.

        Parameters
        ----------
        now
            The time to read at; see :meth:`Monitor.snapshot`.
        """
        with self._lock:
            monitors, rejected = list(self._monitors.values()), dict(self._rejected)
        return MonitorsSnapshot(tuple(monitor.snapshot(now) for monitor in monitors), rejected)

    def _take_columns(self, model: str | None, events: EventColumns, at: float | None) -> Taken:
        """Add events of one model."""
        try:
            monitor = self.find(model)
            if monitor.outputs:
                raise RejectedEvent(Reason.WRONG_TYPE, _needs_outputs(monitor))
            taken = score_columns(monitor, events, at)
        except RejectedEvent as rejection:  # no monitor, or one with outputs: none fits
            self.reject(rejection.reason, len(events), model=model)
            return Taken([rejection.at(index) for index in range(len(events))])
        self._watch(monitor, taken, len(events))
        return taken

    def _take_events(
        self, model: str | None, columns: EventColumns, events: Sequence[Event], at: float | None
    ) -> Taken:
        """Add events of one model, given both ways; the first that counts decides its outputs."""
        taken, start = Taken(), 0
        while start < len(events):
            try:
                monitor = self.find(model, _outputs_of(events[start]))
            except RejectedEvent as rejection:
                self.reject(rejection.reason, len(events), model=model)
                return Taken([rejection.at(index) for index in range(len(events))])
            end = len(events) if self._watches(monitor) else start + 1
            part = score_events(monitor, columns.take(np.arange(start, end)), events[start:end], at)
            self._watch(monitor, part, end - start)
            taken.add(part, range(start, end))
            start = end
        return taken

    def _watch(self, monitor: Monitor, taken: Taken, count: int) -> None:
        """Watch a model from its first event that counts."""
        if len(taken.rejected) < count:
            self.setdefault(monitor)
        elif not self._watches(monitor):
            for refused in taken.rejected:
                self._count(refused.reason)

    def _watches(self, monitor: Monitor) -> bool:
        """Tell whether a monitor is one of these: one just made may not be yet."""
        return self._monitors.get(monitor.model) is monitor

    def _count(self, reason: Reason) -> None:
        with self._lock:
            self._rejected[reason] += 1

    def _only_model(self) -> str:
        if self._make is not None:
            return UNNAMED
        if len(self._monitors) == 1:
            return next(iter(self._monitors))
        detail = f"the event names no model and {len(self._monitors)} monitors are declared"
        raise RejectedEvent(Reason.MISSING_FIELD, detail)

    def _known(self, model: str) -> Monitor:
        monitor = self._monitors.get(model)
        if monitor is None:
            known = ", ".join(sorted(self._monitors)) or "none"
            raise KeyError(f"no model {model!r:.60}; there are {known:.200}")
        return monitor

    def _made(self, model: str, outputs: tuple[str, ...]) -> Monitor:
        if self._make is None:
            known = ", ".join(sorted(self._monitors)) or "none"
            detail = f"no monitor for model {model!r:.60}; declared: {known:.200}"
            raise RejectedEvent(Reason.UNKNOWN_MODEL, detail)
        return self._make(model, outputs)


def _outputs_of(event: Event) -> tuple[str, ...]:
    """Return the outputs that an event names."""
    value = event.y_pred if event.y_true is None else event.y_true
    return tuple(value) if isinstance(value, dict) else ()


def _needs_outputs(monitor: Monitor) -> str:
    outputs = ", ".join(monitor.outputs)
    return f"{monitor.model} has the outputs {outputs}; y_true and y_pred must be objects with them"
