"""The states of several machines as one."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from losswatch.config.load import parse_monitor
from losswatch.core.monitors import Monitors
from losswatch.errors import StateError
from losswatch.service.build import make_monitor
from losswatch.service.positions import merged_positions
from losswatch.service.saved import DECLARED, parts_of, read_state
from losswatch.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from losswatch.sources.base import Position

__all__ = ["Merge"]

logger = logging.getLogger(__name__)


class Merge:
    """Adds up states, exactly: as if one machine had seen all their events.

    What several have seen of one event, by its id, counts once; predictions
    and truths that wait on different machines are joined. Files are only read.

    Raises
    ------
    StateError
        A state cannot be read, declares a model otherwise than another, or
        has counted the same messages or the same file.
    """

    def __init__(self) -> None:
        self.monitors = Monitors()
        self._declared: dict[str, str] = {}
        self._positions: dict[str, Position] = {}

    def add(self, path: Path) -> None:
        """Add the state of a file."""
        if not path.exists():
            raise StateError(f"{path}: no such file")
        store = Store(path)
        try:
            declared = _declared_in(store)
            monitors = self._made(path, declared)
            read_state(store, monitors)
            self._positions = merged_positions(self._positions, store.positions(), str(path))
        finally:
            store.close()
        self._declared |= declared
        for monitor in monitors:
            mine = self.monitors.setdefault(monitor)
            for note in mine.merge(monitor) if mine is not monitor else ():
                logger.warning("%s: %s: %s", path, monitor.model, note)

    def write(self, path: Path) -> None:
        """Write all as one state to a new file."""
        if path.exists():
            raise StateError(f"{path}: is there already; name a new file")
        store = Store(path)
        try:
            texts = {DECLARED + model: text.encode() for model, text in self._declared.items()}
            store.append(b"", self._positions)
            store.snapshot(texts | parts_of(self.monitors))
        finally:
            store.close()

    def _made(self, path: Path, declared: Mapping[str, str]) -> Monitors:
        """Return monitors for the models of a state."""
        for model, text in declared.items():
            known = self._declared.get(model, text)
            if known != text:
                keys = [k for k, v in json.loads(text).items() if json.loads(known).get(k) != v]
                raise StateError(
                    f"{path}: declares {', '.join(keys)} of {model!r} otherwise than the first"
                    " state; run each once with the same YAML"
                )
        return Monitors(make_monitor(parse_monitor(json.loads(t))) for t in declared.values())


def _declared_in(store: Store) -> dict[str, str]:
    return {
        name.removeprefix(DECLARED): data.decode()
        for name, data in store.parts().items()
        if name.startswith(DECLARED)
    }
