"""Read all of a file of state before anything may change it."""

from __future__ import annotations

import sqlite3
from collections import deque
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from losswatch.errors import StateError, StoreError
from losswatch.store import rows
from losswatch.store.header import wal_of
from losswatch.store.layout import fill, schema_of
from losswatch.store.log import check_log
from losswatch.store.migrations import STEPS, newest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["check_rows", "opening", "uri_of", "verify"]

_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_OF_THE_SYSTEM = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


def uri_of(path: Path, options: str) -> str:
    """Return what SQLite calls a file; no sign of its name is taken for an option."""
    return f"{path.absolute().as_uri()}?{options}"


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Say in our words what is wrong with a file.

    Raises
    ------
    StateError
        It is damaged, or another process uses it.
    StoreError
        The system does not let us read or write it.
    """
    try:
        yield
    except StateError as error:
        raise StateError(f"{path}: is damaged: {error}") from None
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _IN_USE:
            raise StateError(
                f"{path}: is used by another process; stop that one, or name another file"
            ) from None
        if code in _OF_THE_SYSTEM:
            raise StoreError(f"{path}: cannot be read and written: {error}") from None
        raise StateError(f"{path}: is damaged: {error}; restore a copy") from None
    except (
        AttributeError,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:  # a row of other types than ours
        raise StateError(f"{path}: is damaged: {error!r}; restore a copy") from None


def verify(path: Path, version: int) -> None:
    """Check every page and every row, and change nothing, not even the log beside the file.

    About 1 s for 1 GB that the system has in memory.

    Raises
    ------
    StateError
        Something is not as it was written, or another process uses the file.
    StoreError
        It cannot be read.
    """
    # Without a log nobody uses the file, and SQLite need not make one to read it.
    how = "mode=ro" if wal_of(path).exists() else "mode=ro&immutable=1"
    with (
        opening(path),
        closing(sqlite3.connect(uri_of(path, how), timeout=0, uri=True)) as db,
    ):
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("BEGIN")
        schema_of(db)  # from here on nobody writes
        check_log(wal_of(path))
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StateError(f"{found.splitlines()[-1]}; restore a copy")
        check = STEPS[version - 1].check if version < newest() else check_rows
        check(db)


def check_rows(db: sqlite3.Connection) -> None:
    """Check tables and rows of the newest version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        fill(fresh, newest())
        if schema_of(db) != schema_of(fresh):
            raise StateError("its tables are not those of losswatch; restore a copy")
    rows.positions(db)
    deque(rows.parts(db), maxlen=0)
    deque(rows.journal_after(db, rows.last_snapshot(db)), maxlen=0)
