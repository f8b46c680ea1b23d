"""The ledgers of a model's outputs, and the events that wait to be entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.grouping import AT_ONCE
from losswatch.core.cells.scored import Scored
from losswatch.core.ledger import Ledger
from losswatch.core.segments import Registry, Segments
from losswatch.core.window import check_windows, longest, needs_time
from losswatch.core.windows.batch import Batch

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
    ) -> None:
        kinds = check_windows(windows, 1 if segments is None else segments.limit)
        self.needs_time = needs_time(kinds)
        self.registry = None if segments is None else Registry(segments, longest(kinds))
        self.now = 0.0
        self.pending: dict[str, list[float]] = {output: [] for output in outputs}
        size, most = (1, 1) if self.registry is None else (self.registry.size, self.registry.most)
        pooled = segments is not None
        self._ledgers = {
            output: Ledger(kinds, buckets, size, most, pooled=pooled) for output in outputs
        }

    def fold(self) -> None:
        """Enter what waits."""
        for output, pending in self.pending.items():
            if pending:
                rows = np.array(pending).reshape(-1, _NUMBERS)
                pending.clear()
                error, y_true, w, slot, time, clock = np.ascontiguousarray(rows.T)
                weights = None if (w == 1.0).all() else w
                events = Scored(slot.astype(np.intp), error, y_true, weights)
                self._enter(output, events, time, clock)
        self._retire()

    def enter(self, output: str, events: Scored, time: Floats, at: float | None) -> None:
        """Enter events that came at once or, without ``at``, each at its own time.

        Nothing may be waiting.
        """
        if at is not None:
            clock = np.full(time.size, max(self.now, at))
        else:
            clock = np.maximum(np.maximum.accumulate(time), self.now)
        self.now = float(clock[-1])
        self._enter(output, events, time, clock)
        self._retire()

    def read(self, now: float) -> tuple[tuple[Mapping[str, str], ...], dict[str, LedgerSnapshot]]:
        """Return the labels of all rows, and for each output what they hold at a time."""
        self.fold()
        self.now = max(self.now, now)
        self._retire()
        slots = np.zeros(1, dtype=np.intp)
        names: tuple[Mapping[str, str], ...] = (_NO_LABELS,)
        if self.registry is not None:
            slots = self.registry.occupied
            names = self.registry.names(slots)
        for ledger in self._ledgers.values():
            ledger.advance(self.now)
        return names, {output: ledger.read(slots) for output, ledger in self._ledgers.items()}

    def _enter(self, output: str, events: Scored, time: Floats, clock: Floats) -> None:
        ledger = self._ledgers[output]
        if self.registry is not None:
            self.registry.touch(events.slot, np.maximum(time, clock))
            if self.registry.size > ledger.size:
                ledger.grow(2 * self.registry.size)
        for start in range(0, len(events), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            ledger.add(Batch(events.take(part), time[part], clock[part]))

    def _retire(self) -> None:
        """Let the segments go that were idle for too long; nothing may be waiting."""
        if self.registry is not None:
            retired = self.registry.retire(self.now)
            for ledger in self._ledgers.values() if retired.size else ():
                ledger.clear(retired)


_NO_LABELS: Mapping[str, str] = {}
