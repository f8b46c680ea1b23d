"""What a state file holds, and how monitors come out of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from losswatch.errors import StateError
from losswatch.store.codec import decode_tree, encode_tree
from losswatch.store.entry import Entry

if TYPE_CHECKING:
    from losswatch.core.monitor import Monitor
    from losswatch.core.monitors import Monitors
    from losswatch.store.database import Store

__all__ = ["DECLARED", "found", "parts_of", "read_state"]

logger = logging.getLogger(__name__)

MONITOR = "monitor/"
"""What the part of a model begins with that holds what it saw."""

DECLARED = "declared/"
"""What the part of a model begins with that holds what the YAML says of it."""


def parts_of(monitors: Monitors) -> dict[str, bytes]:
    """Return what monitors have seen, by the names of the parts."""
    return {MONITOR + monitor.model: encode_tree(monitor.dump()) for monitor in monitors}


def read_state(store: Store, monitors: Monitors) -> int:
    """Have monitors count all that a state has; return how many commits had no snapshot.

    Raises
    ------
    StateError
        The state is damaged, or of other settings.
    """
    for name, data in store.parts().items():
        if name.startswith(MONITOR):
            _load(monitors, name.removeprefix(MONITOR), data)
    commits = 0
    for entry in map(Entry.from_bytes, store.journal()):
        monitors.take(entry.columns, entry.events, at=entry.at)
        commits += 1
    return commits


def found(monitors: Monitors, model: str) -> Monitor:
    """Return the monitor of a model that is there."""
    monitor = monitors.get(model)
    assert monitor is not None
    return monitor


def _load(monitors: Monitors, model: str, data: bytes) -> None:
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
