"""The ledgers of a model's outputs, and the events that wait to be entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.book import AlarmBook, AlarmSettings
from losswatch.core.cells.grouping import AT_ONCE
from losswatch.core.cells.scored import Scored
from losswatch.core.ledger import Ledger
from losswatch.core.registry import Registry
from losswatch.core.saved_books import SavedBooks
from losswatch.core.window import check_windows, longest, needs_time
from losswatch.core.windows.batch import Entered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from losswatch.core.alarms.book import AlarmsReading
    from losswatch.core.cells.products import Floats
    from losswatch.core.ledger import LedgerSnapshot
    from losswatch.core.segments import Segments

__all__ = ["FULL", "Books"]

_NUMBERS = 6
"""What is kept of an event until it is entered: error, y_true, w, slot, time and clock."""

FULL = 8192 * _NUMBERS
"""Numbers that may wait."""


class Books(SavedBooks):
    """The costs of all outputs of a model, in all windows and segments. Not thread-safe.

    Events wait in ``pending``, by output, until there are enough to enter them
    together: that takes a third of what each would take alone.

    Parameters
    ----------
    outputs
        Their names.
    windows
        As they are written.
    segments
        How events are split, ``None`` if they are not.
    buckets
        Bounds of the histograms.
    alarms
        What is watched for.
    exemplars
        Whether ids of costly events are remembered.

    Raises
    ------
    ValueError
        The buckets, windows or segments cannot be used.
    """

    def __init__(  # noqa: PLR0913  # all that books are told
        self,
        outputs: tuple[str, ...],
        windows: Iterable[object],
        segments: Segments | None,
        buckets: tuple[float, ...],
        alarms: AlarmSettings | None = None,
        *,
        exemplars: bool = False,
    ) -> None:
        try:
            self._windows = check_windows(windows, 1 if segments is None else segments.limit)
        except ValueError as error:  # which says of a window what is wrong, and not where it stood
            raise ValueError(f"windows: {error}") from None
        self._segments = segments
        self._buckets = buckets
        self.exemplars = exemplars
        self._keep = longest(self._windows)
        self.needs_time = needs_time(self._windows)
        self.registry = None if segments is None else Registry(segments, self._keep)
        self.now = 0.0
        self._arrived = 0.0  # the latest clock of an event; ``now`` may be ahead, by reading
        self.pending: dict[str, list[float]] = {output: [] for output in outputs}
        self._ledgers = self._new_ledgers(self.registry)
        self._watched = AlarmSettings() if alarms is None else alarms
        self.alarms = self._new_alarms(self.registry)

    def keep(self, seconds: float) -> None:
        """Keep segments so long at least after their last event: it may be revised."""
        if self.registry is not None and seconds > self._keep:
            self._keep = seconds
            self.registry.keep(seconds)

    def place(self, labels: Mapping[str, str | None] | None, now: float) -> float:
        """Return the slot of the labels of an event that comes now.

        Segments that are idle now make room first, so that it depends on events
        alone which ones there are, and not on who looked when.

        Raises
        ------
        RejectedEvent
            A label's value cannot be used (``invalid_segment``).
        """
        if self.registry is None:
            return 0.0
        if now >= self.registry.next_check:
            self.fold(now)
        return self.registry.place(labels)

    def arrive(self, at: float) -> float:
        """Note that something came; return what the clock shows.

        It does not depend on when somebody read: after a restart the same
        events come at the same times.
        """
        self._arrived = max(self._arrived, at)
        self.now = max(self.now, at)
        return self._arrived

    def fold(self, now: float | None = None) -> None:
        """Enter what waits; then let the segments go that are idle at a time, if it is given."""
        for output, pending in self.pending.items():
            if pending:
                rows = np.array(pending).reshape(-1, _NUMBERS)
                pending.clear()
                error, y_true, w, slot, time, clock = np.ascontiguousarray(rows.T)
                weights = None if (w == 1.0).all() else w
                events = Scored(slot.astype(np.intp), error, y_true, weights)
                self._enter(output, events, time, clock)
        if now is not None:
            self._retire(now)

    def enter(
        self, output: str, events: Scored, time: Floats, at: float | Floats | None
    ) -> Entered:
        """Enter events that came at once, or each in its turn; without ``at`` at its own time.

        What waits is entered before. Returns where they are, so that they can
        be revised.
        """
        self.fold()
        if at is not None:
            clock = np.maximum(np.full(time.size, at), self._arrived)
            at = float(clock[-1])
            self.arrive(at)
        else:
            clock = np.maximum(np.maximum.accumulate(time), self.now)
            self.now = float(clock[-1])
        entered = self._enter(output, events, time, clock)
        self._retire(self.now if at is None else at)
        return entered

    def remember(self, output: str, entered: Entered, ids: Sequence[str]) -> None:
        """Remember the ids of events that :meth:`enter` entered, the costly ones of each bucket."""
        self._ledgers[output].remember(entered, ids)

    def revise(self, output: str, old: Entered, new: Entered) -> None:
        """Take events out again, each once, and put in what they should have been.

        In all windows, in the segments and in the total, as if they had come
        so at first: ``new`` may have other values of ``y_true``, errors and
        times, and must have the places and weights of ``old``. What was
        counted as having arrived stays so. Events of a segment that was
        retired since are left as they are.
        """
        self.fold()
        if self.registry is not None and len(new):
            self.registry.touch(new.events.slot, new.time)
        for start in range(0, len(old), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            self._ledgers[output].revise(old.take(part), new.take(part))

    def remove(self, output: str, old: Entered) -> None:
        """Take events out, each once, as if they had not come; what was counted stays so."""
        self.fold()
        for start in range(0, len(old), AT_ONCE):
            self._ledgers[output].remove(old.take(slice(start, start + AT_ONCE)))

    def read(self, now: float) -> tuple[tuple[Mapping[str, str], ...], dict[str, LedgerSnapshot]]:
        """Return the labels of all rows, and for each output what they hold at a time.

        Segments that are idle then are not shown.
        """
        self.fold()
        self.now = max(self.now, now)
        slots = np.zeros(1, dtype=np.intp)
        names: tuple[Mapping[str, str], ...] = ({},)
        if self.registry is not None:
            slots = self.registry.shown(self.now)
            names = self.registry.names(slots)
        for ledger in self._ledgers.values():
            ledger.advance(self.now)
        return names, {output: ledger.read(slots) for output, ledger in self._ledgers.items()}

    def slot_of(self, labels: Mapping[str, str]) -> int:
        """Return the slot of a segment, or of all events if there are no labels.

        Raises
        ------
        KeyError
            There is no such segment now.
        """
        slot = 0 if self.registry is None and not labels else None
        if self.registry is not None:
            slot = self.registry.find(labels)
        if slot is None:
            raise KeyError(f"no segment {dict(labels)!r:.200}; give all its labels, as text")
        return slot

    def read_alarms(self) -> AlarmsReading:
        """Return what alarms show of the same rows, at the time that was read last."""
        slots = np.zeros(1, dtype=np.intp)
        if self.registry is not None:
            slots = self.registry.shown(self.now)
        return self.alarms.read(self.now, slots)

    def _new_ledgers(self, registry: Registry | None) -> dict[str, Ledger]:
        size, most = (1, 1) if registry is None else (registry.size, registry.most)
        kind = {"pooled": registry is not None, "exemplars": self.exemplars}
        return {
            output: Ledger(self._windows, self._buckets, size, most, **kind)
            for output in self.pending
        }

    def _alike(self) -> Books:
        """Return new books of the same kind."""
        return Books(
            tuple(self._ledgers), self._windows, self._segments, self._buckets, self._watched
        )

    def _new_alarms(self, registry: Registry | None) -> AlarmBook:
        return AlarmBook(
            self._watched, tuple(self.pending), 1 if registry is None else registry.size
        )

    def _enter(self, output: str, events: Scored, time: Floats, clock: Floats) -> Entered:
        ledger = self._ledgers[output]
        if self.registry is not None:
            self.registry.touch(events.slot, np.maximum(time, clock))
            if self.registry.size > ledger.size:
                ledger.grow(2 * self.registry.size)
        parts = []
        for start in range(0, len(events), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            parts.append(ledger.add(events.take(part), time[part], clock[part]))
        if self.registry is not None and self.registry.size > self.alarms.size:
            self.alarms.grow(2 * self.registry.size)
        self.alarms.add(output, events, clock)
        return Entered.join(parts)

    def _retire(self, now: float) -> None:
        """Let the segments go that were idle for too long; nothing may be waiting."""
        if self.registry is not None:
            retired = self.registry.retire(now)
            for ledger in self._ledgers.values() if retired.size else ():
                ledger.clear(retired)
            if retired.size:
                self.alarms.clear(retired[retired < self.alarms.size])
