"""The states of several machines as one."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from losswatch.core.monitors import Monitors
from losswatch.errors import StateError
from losswatch.service.positions import merged_positions
from losswatch.service.saved import declarations, parts_of, read_state
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
        has counted the same messages or the same file, or is a copy of another.
    """

    def __init__(self) -> None:
        self.monitors = Monitors()
        self._declared: dict[str, str] = {}
        self._positions: dict[str, Position] = {}
        self._files: set[tuple[int, int]] = set()

    def add(self, path: Path) -> None:
        """Add the state of a file."""
        if not path.exists():
            raise StateError(f"{path}: no such file")
        self._check_new(path)
        with Store(path) as store:
            saved = read_state(store)
            positions = store.positions()
        self._check_declared(path, saved.declared)
        self._positions = merged_positions(self._positions, positions, str(path))
        self._declared |= saved.declared
        for monitor in saved.monitors:
            mine = self.monitors.setdefault(monitor)
            for note in mine.merge(monitor) if mine is not monitor else ():
                logger.warning("%s: %s: %s", path, monitor.model, note)

    def write(self, path: Path) -> None:
        """Write all as one state to a new file."""
        if path.exists():
            raise StateError(f"{path}: is there already; name a new file")
        store = Store(path)
        try:
            store.append(b"", self._positions)
            store.snapshot(declarations(self._declared) | parts_of(self.monitors))
        finally:
            store.close()

    def _check_new(self, path: Path) -> None:
        """Refuse a file that was added before, under whatever name."""
        status = path.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in self._files:
            raise StateError(f"{path}: was given twice; its events would count twice")
        self._files.add(identity)

    def _check_declared(self, path: Path, declared: Mapping[str, str]) -> None:
        """Refuse a model that another state declares otherwise."""
        for model, text in declared.items():
            known = self._declared.get(model, text)
            if known != text:
                mine, theirs = json.loads(known), json.loads(text)
                keys = [key for key in theirs if theirs[key] != mine.get(key)]
                raise StateError(
                    f"{path}: declares {', '.join(keys)} of {model!r} otherwise than the states"
                    " before it; run each once with the same YAML"
                )
