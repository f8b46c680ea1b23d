"""Keeps the state: what is counted was made safe first, and is there again after a restart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from losswatch.core.events import EventColumns
from losswatch.core.monitors import Monitors
from losswatch.errors import StateError, StoreError
from losswatch.service.lineage import LINEAGE, begun, of_sources
from losswatch.service.saved import declarations, parts_of, read_state, saved_monitor
from losswatch.store.entry import Acknowledged, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from losswatch.core.monitor import Monitor
    from losswatch.service.round import Round
    from losswatch.service.saved import SavedState
    from losswatch.sources.base import Outcome, Position
    from losswatch.store.database import Store

__all__ = ["Keeper"]

logger = logging.getLogger(__name__)

_JOURNAL_BYTES = 64 << 20
"""A journal of this size is replaced by a snapshot; a restart reads it in a few seconds."""


class Keeper:
    """Counts rounds, each once, whatever happens to the process.

    A round is written to the journal and synced before it is counted; the
    journal is counted again after a restart, by the same code and with the
    same times, so that the cost is the same bit for bit. When the journal is
    large, a snapshot of all monitors takes its place.

    Parameters
    ----------
    monitors
        Those that count.
    store
        Where the state is kept; without it nowhere.
    clock
        Tells when a round arrived, in seconds since 1970.
    declared
        What the YAML says of each model, kept with the state: it tells what
        the state is of.

    Raises
    ------
    StateError
        From :meth:`restore`: the state cannot be used.
    StoreError
        From :meth:`take`: the round could not be written. Nothing was counted.
    """

    def __init__(
        self,
        monitors: Monitors,
        store: Store | None,
        clock: Callable[[], float],
        declared: Mapping[str, str],
    ) -> None:
        self.monitors = monitors
        self._store = store
        self._clock = clock
        self._declared = declarations(declared)
        self._most_bytes = _JOURNAL_BYTES

    def restore(self) -> dict[str, Position]:
        """Take over what was counted before; return where the sources stood.

        What Prometheus counts begins at 0. A model that the YAML does not name
        any more stays in the state.
        """
        if self._store is None:
            return {}
        saved = read_state(self._store, self._clock)
        others = [each for each in saved.monitors if not self._take_over(each)]
        logger.info(
            "the state has %d events; %d commits came after the last snapshot",
            self.monitors.snapshot().events,
            saved.commits,
        )
        self._begin(saved, parts_of(Monitors(others)))
        positions = self._store.positions()
        if LINEAGE not in positions:
            self._note_birth()
        return of_sources(positions)

    def _note_birth(self) -> None:
        assert self._store is not None
        try:
            self._store.append(b"", begun())
        except StoreError as error:  # the disk is full: it is told once there is room
            logger.warning("the state has no name yet: %s; the next start gives it one", error)

    def _begin(self, saved: SavedState, others: Mapping[str, bytes]) -> None:
        """Write down what the YAML says now: the journal that follows is counted by it."""
        assert self._store is not None
        changed = self._declared.items() - self._store.parts().items()
        if changed:
            self._write_snapshot(others)
        elif saved.commits:
            try:
                self._write_snapshot(others)
            except StoreError as error:  # the disk is full: the old journal still says it all
                logger.warning("no snapshot of the state: %s; the journal goes on", error)

    def _take_over(self, saved: Monitor) -> bool:
        """Have the monitor of that model go on where this one was; tell whether there is one."""
        monitor = self.monitors.get(saved.model)
        if monitor is None:
            logger.warning(
                "the state has the model %r, which no monitor watches; it stays there", saved.model
            )
            return False
        self._hand_over(saved, monitor)
        return True

    def _hand_over(self, saved: Monitor, monitor: Monitor) -> None:
        """Have a new monitor go on where another one of its model was."""
        try:
            notes = monitor.load(saved.dump())
        except StateError as error:
            where = "" if self._store is None else f"{self._store.path}: "
            raise StateError(f"{where}model {saved.model!r}: {error}") from None
        for note in notes:
            logger.warning("the state of %s: %s", saved.model, note)

    def change(self, monitors: Sequence[Monitor], declared: Mapping[str, str]) -> None:
        """Go on with other monitors, as a restart would; all of it or nothing.

        A monitor that counts already goes on itself. What is new takes over
        from who watched its model, now or when the state last had it.

        Raises
        ------
        StateError
            The state does not fit a new monitor.
        StoreError
            It could not be written.
        """
        new = [monitor for monitor in monitors if monitor is not self.monitors.get(monitor.model)]
        for monitor in new:
            if (before := self._known(monitor.model)) is not None:
                self._hand_over(before, monitor)
        kept = {monitor.model for monitor in monitors}
        gone = [monitor for monitor in self.monitors if monitor.model not in kept]
        texts = declarations(declared)
        if self._store is not None and (new or gone or texts != self._declared):
            # The journal was counted by the monitors of before: with the new ones it begins anew.
            self._store.snapshot({**texts, **parts_of(Monitors([*monitors, *gone]))})
        self._declared = texts
        self.monitors.replace(monitors)

    def _known(self, model: str) -> Monitor | None:
        """Return who watches a model, or what the state has of it."""
        monitor = self.monitors.get(model)
        if monitor is None and self._store is not None:
            monitor = saved_monitor(self._store, model, self._clock)
        return monitor

    def positions(self) -> dict[str, Position]:
        """Return where the sources stand, as far as the state knows."""
        return {} if self._store is None else of_sources(self._store.positions())

    def take(self, batches: Round) -> list[Outcome]:
        """Make a round safe, then count it; return what became of each batch."""
        at = self._clock()
        if self._store is not None:
            entry = Entry(batches.columns, batches.events, at)
            data = b"" if batches.is_empty else bytes(entry)
            if data or batches.positions:
                self._store.append(data, batches.positions)
        taken = self.monitors.take(batches.columns, batches.events, at=at)
        return batches.outcomes(taken)

    def acknowledge(self, model: str, alarm: str, segment: Mapping[str, str] | None) -> int:
        """Turn an alarm off, once that is safe; see :meth:`Monitors.acknowledge`.

        Raises
        ------
        KeyError
            There is no such model, alarm or segment.
        StoreError
            It could not be written; nothing is changed.
        """
        self.monitors.check_alarm(model, alarm, segment)
        if self._store is not None:
            told = [Acknowledged(model, alarm, segment)]
            self._store.append(bytes(Entry(EventColumns(), [], self._clock(), told)), {})
        return self.monitors.acknowledge(model, alarm, segment)

    def probe(self) -> None:
        """Write something that counts for nothing: see whether there is room again.

        Raises
        ------
        StoreError
            There is none.
        """
        if self._store is not None:
            self._store.append(bytes(Entry(EventColumns(), [], self._clock())), {})

    def rest(self) -> None:
        """Forget what is over, and take a snapshot if it is time."""
        now = self._clock()
        for monitor in self.monitors:
            monitor.sweep(now)
        if self._store is not None and self._store.journal_bytes > self._most_bytes:
            # If this fails, it is tried again when the journal has grown by half.
            self._most_bytes = self._store.journal_bytes * 3 // 2
            self.snapshot()

    def snapshot(self) -> None:
        """Replace the journal by the state of all monitors."""
        if self._store is not None:
            self._write_snapshot({})

    def _write_snapshot(self, others: Mapping[str, bytes]) -> None:
        assert self._store is not None
        parts = {**self._declared, **parts_of(self.monitors), **others}
        self._store.snapshot(parts)
        self._most_bytes = max(_JOURNAL_BYTES, sum(map(len, parts.values())))

    def close(self) -> None:
        """Let go of the state; what was counted is in it already."""
        if self._store is not None:
            self._store.close()
