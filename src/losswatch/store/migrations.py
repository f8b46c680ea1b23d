"""How files of older versions become those of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

__all__ = ["STEPS", "Step", "migrate", "newest"]


class Step(NamedTuple):
    """From one version to the next."""

    check: Callable[[sqlite3.Connection], None]  # as that version verified its rows
    change: Callable[[sqlite3.Connection], None]


STEPS: list[Step] = []
"""The first leads from version 1 to 2. Files of every version are read for ever."""


def newest() -> int:
    """Return the version that this release writes."""
    return 1 + len(STEPS)


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring a database to the newest version; the caller holds the transaction."""
    for step in STEPS[version - 1 :]:
        step.change(db)
    db.execute(f"PRAGMA user_version = {newest()}")
