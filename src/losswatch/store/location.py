"""Where state is to be kept, as the YAML says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.store.database import Store
from losswatch.store.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MEMORY", "open_store"]

MEMORY = ":memory:"


def open_store(location: str | Path) -> Store | MemoryStore:
    """Open the file of that name, or what keeps nothing if it is ``:memory:``.

    Raises
    ------
    StateError
        The file is no state, damaged, newer than this release, or in use.
    StoreError
        It cannot be read and written.
    """
    return MemoryStore() if str(location) == MEMORY else Store(location)
