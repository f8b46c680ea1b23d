"""The monitors of one process, by model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from losswatch.core.events import Event, EventColumns
    from losswatch.core.monitor import Monitor
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
            if self.setdefault(monitor) is not monitor:
                raise ValueError(f"two monitors for model {monitor.model!r}; keep one")

    def get(self, model: str) -> Monitor | None:
        """Return the monitor of a model, ``None`` if there is none."""
        return self._monitors.get(model)

    def setdefault(self, monitor: Monitor) -> Monitor:
        """Watch a model with this monitor; return the one that watches it already, if any."""
        with self._lock:
            return self._monitors.setdefault(monitor.model, monitor)

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

    def update(self, event: Event, *, at: float | None = None) -> RejectedEvent | None:
        """Add one event; return its refusal, with its line, if it was refused."""
        outputs = tuple(event.y_true) if isinstance(event.y_true, dict) else ()
        try:
            monitor = self.find(event.model, outputs)
        except RejectedEvent as rejection:
            self._count(rejection.reason)
            return rejection.at(event.line)
        try:
            monitor.update(
                event.y_true,
                event.y_pred,
                event.w,
                segment=event.segment,
                time=event.time,
                at=at,
            )
        except RejectedEvent as rejection:
            if not self._watches(monitor):
                self._count(rejection.reason)
            return rejection.at(event.line)
        self.setdefault(monitor)
        return None

    def update_many(self, events: EventColumns, *, at: float | None = None) -> list[RejectedEvent]:
        """Add events; return the refusals, each with the line of its event as index."""
        rejected: list[RejectedEvent] = []
        for model, columns in events.by_model():
            rejected += self._update_model(model, columns, at)
        return rejected

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

    def _update_model(
        self, model: str | None, events: EventColumns, at: float | None
    ) -> list[RejectedEvent]:
        try:
            monitor = self.find(model)
            rejected = monitor.update_many(
                events.y_true,
                events.y_pred,
                events.weights(),
                segment=events.segment,
                time=events.time or None,
                at=at,
            )
        except RejectedEvent as rejection:  # no monitor, or one with outputs: none fits
            self.reject(rejection.reason, len(events), model=model)
            return [rejection.at(line) for line in events.line]
        if len(rejected) < len(events):
            self.setdefault(monitor)
        elif not self._watches(monitor):
            for refused in rejected:
                self._count(refused.reason)
        return [refused.at(events.line[refused.index or 0]) for refused in rejected]

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

    def _made(self, model: str, outputs: tuple[str, ...]) -> Monitor:
        if self._make is None:
            known = ", ".join(sorted(self._monitors)) or "none"
            detail = f"no monitor for model {model!r:.60}; declared: {known:.200}"
            raise RejectedEvent(Reason.UNKNOWN_MODEL, detail)
        return self._make(model, outputs)
