"""The ledgers of a model's outputs, and the events that wait to be entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.grouping import AT_ONCE
from losswatch.core.cells.scored import Scored
from losswatch.core.ledger import Ledger
from losswatch.core.segments import Registry, Segments
from losswatch.core.window import check_windows, longest, needs_time
from losswatch.core.windows.batch import Entered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from losswatch.core.cells.products import Floats
    from losswatch.core.ledger import LedgerSnapshot

__all__ = ["FULL", "Books"]

_NUMBERS = 6
"""What is kept of an event until it is entered: error, y_true, w, slot, time and clock."""

FULL = 8192 * _NUMBERS
"""Numbers that may wait."""


class Books:
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
    keep
        Seconds that a segment is kept at least after its last event, so that
        the event can be revised.

    Raises
    ------
    ValueError
        The buckets, windows or segments cannot be used.
    """

    def __init__(
        self,
        outputs: tuple[str, ...],
        windows: Iterable[object],
        segments: Segments | None,
        buckets: tuple[float, ...],
        keep: float = 0.0,
    ) -> None:
        kinds = check_windows(windows, 1 if segments is None else segments.limit)
        keep = max(keep, longest(kinds))
        self.needs_time = needs_time(kinds)
        self.registry = None if segments is None else Registry(segments, keep)
        self.now = 0.0
        self.pending: dict[str, list[float]] = {output: [] for output in outputs}
        size, most = (1, 1) if self.registry is None else (self.registry.size, self.registry.most)
        pooled = segments is not None
        self._ledgers = {
            output: Ledger(kinds, buckets, size, most, pooled=pooled) for output in outputs
        }

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

    def enter(self, output: str, events: Scored, time: Floats, at: float | None) -> Entered:
        """Enter events that came at once or, without ``at``, each at its own time.

        What waits is entered before. Returns where they are, so that they can
        be revised.
        """
        self.fold()
        if at is not None:
            clock = np.full(time.size, max(self.now, at))
        else:
            clock = np.maximum(np.maximum.accumulate(time), self.now)
        self.now = float(clock[-1])
        entered = self._enter(output, events, time, clock)
        self._retire(self.now if at is None else at)
        return entered

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

    def read(self, now: float) -> tuple[tuple[Mapping[str, str], ...], dict[str, LedgerSnapshot]]:
        """Return the labels of all rows, and for each output what they hold at a time.

        Segments that are idle then are not shown.
        """
        self.fold()
        self.now = max(self.now, now)
        slots = np.zeros(1, dtype=np.intp)
        names: tuple[Mapping[str, str], ...] = (_NO_LABELS,)
        if self.registry is not None:
            slots = self.registry.shown(self.now)
            names = self.registry.names(slots)
        for ledger in self._ledgers.values():
            ledger.advance(self.now)
        return names, {output: ledger.read(slots) for output, ledger in self._ledgers.items()}

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
        return Entered.join(parts)

    def _retire(self, now: float) -> None:
        """Let the segments go that were idle for too long; nothing may be waiting."""
        if self.registry is not None:
            retired = self.registry.retire(now)
            for ledger in self._ledgers.values() if retired.size else ():
                ledger.clear(retired)


_NO_LABELS: Mapping[str, str] = {}
