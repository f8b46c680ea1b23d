"""Keeps the state: what is counted was made safe first, and is there again after a restart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from losswatch.service.saved import DECLARED, found, parts_of, read_state
from losswatch.store.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from losswatch.core.monitors import Monitors
    from losswatch.service.round import Round
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
        self._declared = {DECLARED + model: text.encode() for model, text in declared.items()}
        self._snapshot_bytes = 0

    def restore(self, scratch: Monitors) -> dict[str, Position]:
        """Take over what was counted before; return where the sources stood.

        Parameters
        ----------
        scratch
            Monitors like those that count, to count the journal again: what
            Prometheus counts must begin at 0.
        """
        if self._store is None:
            return {}
        parts = self._store.parts()
        commits = read_state(self._store, scratch)
        for monitor in self.monitors:
            monitor.load(found(scratch, monitor.model).dump())
        logger.info(
            "the state has %d events; %d commits came after the last snapshot",
            self.monitors.snapshot().events,
            commits,
        )
        if commits or self._declared.items() - parts.items():
            self.snapshot()
        return self._store.positions()

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

    def rest(self) -> None:
        """Forget what is over, and take a snapshot if it is time."""
        now = self._clock()
        for monitor in self.monitors:
            monitor.sweep(now)
        most = max(_JOURNAL_BYTES, self._snapshot_bytes)
        if self._store is not None and self._store.journal_bytes > most:
            self.snapshot()

    def snapshot(self) -> None:
        """Replace the journal by the state of all monitors."""
        if self._store is None:
            return
        parts = self._declared | parts_of(self.monitors)
        self._store.snapshot(parts)
        self._snapshot_bytes = sum(map(len, parts.values()))

    def close(self) -> None:
        """Let go of the state; what was counted is in it already."""
        if self._store is not None:
            self._store.close()
