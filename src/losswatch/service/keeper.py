"""Keeps the state: what is counted was made safe first, and is there again after a restart."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from losswatch.errors import StateError
from losswatch.store.codec import decode_tree, encode_tree
from losswatch.store.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.core.monitor import Monitor
    from losswatch.core.monitors import Monitors
    from losswatch.service.round import Round
    from losswatch.sources.base import Outcome, Position
    from losswatch.store.database import Store

__all__ = ["Keeper"]

logger = logging.getLogger(__name__)

_PART = "monitor/"
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

    Raises
    ------
    StateError
        From :meth:`restore`: the state cannot be used.
    StoreError
        From :meth:`take`: the round could not be written. Nothing was counted.
    """

    def __init__(self, monitors: Monitors, store: Store | None, clock: Callable[[], float]) -> None:
        self.monitors = monitors
        self._store = store
        self._clock = clock
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
        for name, data in self._store.parts().items():
            _load(scratch, name, data)
        commits = 0
        for entry in map(Entry.from_bytes, self._store.journal()):
            scratch.take(entry.columns, entry.events, at=entry.at)
            commits += 1
        for monitor in self.monitors:
            monitor.load(_found(scratch, monitor.model).dump())
        logger.info(
            "the state has %d events; %d commits came after the last snapshot",
            self.monitors.snapshot().events,
            commits,
        )
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
        parts = {_PART + m.model: encode_tree(m.dump()) for m in self.monitors}
        self._store.snapshot(parts)
        self._snapshot_bytes = sum(map(len, parts.values()))

    def close(self) -> None:
        """Let go of the state; what was counted is in it already."""
        if self._store is not None:
            self._store.close()


def _load(monitors: Monitors, name: str, data: bytes) -> None:
    """Give a part of the state to the monitor that it is of."""
    model = name.removeprefix(_PART)
    monitor = monitors.get(model)
    if monitor is None:
        logger.warning(
            "the state has the model %r, which no monitor watches; it stays there", model
        )
        return
    tree = decode_tree(data)
    if not isinstance(tree, dict):
        raise StateError(f"the state of {model!r} is no table; restore a copy")
    for note in monitor.load(tree):
        logger.warning("the state of %s: %s", model, note)


def _found(monitors: Monitors, model: str) -> Monitor:
    monitor = monitors.get(model)
    assert monitor is not None
    return monitor
