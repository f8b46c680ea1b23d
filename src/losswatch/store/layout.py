"""What a file of state looks like: its marks, its tables, and how it comes to be."""

from __future__ import annotations

import os
import sqlite3
import zlib
from contextlib import closing, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["APPLICATION_ID", "PAGE_SIZE", "checksum", "create", "schema_of"]

APPLICATION_ID = int.from_bytes(b"LWst", "big")
PAGE_SIZE = 4096

# No indexes: a damaged one could hide a row, and no table is long.
_TABLES = """
CREATE TABLE journal (seq INTEGER PRIMARY KEY, data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE parts (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, chunk INTEGER NOT NULL, chunks INTEGER NOT NULL,
    data BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE positions (
    source TEXT PRIMARY KEY, data TEXT NOT NULL, crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE meta (
    key TEXT PRIMARY KEY, value INTEGER NOT NULL, crc INTEGER NOT NULL
) WITHOUT ROWID;
"""


def checksum(key: object, data: bytes | memoryview) -> int:
    """Return the CRC-32 of a row and its key, so that rows cannot change places."""
    return zlib.crc32(data, zlib.crc32(str(key).encode()))


def schema_of(db: sqlite3.Connection) -> list[tuple[str, ...]]:
    """Return the tables of a database, as they were written."""
    return db.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
    ).fetchall()


def create(path: Path, version: int) -> None:
    """Make a file of empty state, whole or not at all, unless another process was faster.

    Raises
    ------
    OSError
        It cannot be made.
    """
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    new.unlink(missing_ok=True)  # of one with this number that was killed
    new.touch()  # says better than SQLite why it cannot be
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            fill(db, version)
            db.execute("PRAGMA journal_mode = WAL")
        _place(new, path)
    finally:
        new.unlink(missing_ok=True)
    _sync_folder(path.parent)


def fill(db: sqlite3.Connection, version: int) -> None:
    """Make the tables and the marks in the header."""
    db.executescript(
        f"PRAGMA page_size = {PAGE_SIZE}; BEGIN; PRAGMA application_id = {APPLICATION_ID};"
        f"PRAGMA user_version = {version}; {_TABLES}"
    )
    for key in ("parts", "snapshot"):
        db.execute("INSERT INTO meta VALUES (?, 0, ?)", (key, checksum(key, b"0")))
    db.execute("COMMIT")


def _place(new: Path, path: Path) -> None:
    """Give a file its name; never in the place of another."""
    with suppress(FileExistsError):
        try:
            os.link(new, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if not path.exists():
                new.rename(path)


def _sync_folder(folder: Path) -> None:
    """Have the name survive a loss of power, where the system can."""
    with suppress(OSError):  # Windows opens no folders, and needs not
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
