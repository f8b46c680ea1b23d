"""State in one SQLite file: a journal, snapshots of monitors, positions of sources."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from losswatch.errors import StateError, StoreError
from losswatch.store import rows
from losswatch.store.header import version_of, wal_of
from losswatch.store.layout import checksum, create
from losswatch.store.migrations import migrate, newest
from losswatch.store.verify import check_rows, opening, uri_of, verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

__all__ = ["Store"]

CHUNK = 1 << 23
"""SQLite takes no blob above 1 GB; of these, few are in memory at once."""

_ADD_PART = "INSERT INTO parts (name, chunk, chunks, data, crc) VALUES (?, ?, ?, ?, ?)"
_ADD_POSITION = "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)"

_open: WeakValueDictionary[tuple[int, int], Store] = WeakValueDictionary()
"""Those of this process: to open and close one of these files would let go of its lock."""


class Store:
    """Keeps state in a file. What was written is there after ``kill -9`` and loss of power.

    One process has it at a time. Several threads may use it one after the
    other, a forked child must not: not even :meth:`close` it.

    Parameters
    ----------
    path
        The file; made if it is not there. It is verified before it is opened,
        about 1 s for 1 GB, and left as it is if anything is wrong with it.

    Raises
    ------
    StateError
        It is no state, damaged, newer than this release, or in use.
    StoreError
        It cannot be read and written.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with Store(folder / "losswatch.db") as store:
    ...     store.append(b"an entry", {"events.ndjson": {"offset": 81}})
    >>> with Store(folder / "losswatch.db") as store:
    ...     list(store.journal()), store.positions()
    ([b'an entry'], {'events.ndjson': {'offset': 81}})
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).resolve()
        if not self.path.exists():
            _create(self.path)
        if _identity(self.path) in _open:
            raise StateError(f"{self.path}: is open in this process already; close that one first")
        version = version_of(self.path, newest())
        verify(self.path, version)
        with opening(self.path):
            self._db = _connect(self.path, version)
            self._snapshot = rows.last_snapshot(self._db)
            (last, size) = self._db.execute(
                "SELECT max(seq), total(length(data)) FROM journal"
            ).fetchone()
        self._last: int = last or self._snapshot
        self._journal_bytes = int(size)
        _open[_identity(self.path)] = self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def journal_bytes(self) -> int:
        """The size of all entries after the last snapshot."""
        return self._journal_bytes

    def parts(self) -> dict[str, bytes]:
        """Return the parts of the last snapshots, by name."""
        chunks: dict[str, list[bytes]] = {}
        with opening(self.path):
            for name, chunk in rows.parts(self._db):
                chunks.setdefault(name, []).append(chunk)
        return {name: b"".join(chunks.pop(name)) for name in list(chunks)}

    def journal(self) -> Iterator[bytes]:
        """Yield the entries after the last snapshot, in order."""
        with opening(self.path):
            yield from rows.journal_after(self._db, self._snapshot)

    def positions(self) -> dict[str, dict[str, Any]]:
        """Return the last position of each source."""
        with opening(self.path):
            return rows.positions(self._db)

    def append(self, entry: bytes, positions: Mapping[str, dict[str, Any]]) -> None:
        """Write an entry and the positions after it, both or nothing, for good.

        One wait for the disk. The entry may be empty; then there are only positions.

        Raises
        ------
        StoreError
            It cannot be written: the state is as before, and a later one may fit.
        """
        seq = self._last + 1
        texts = {source: json.dumps(position) for source, position in positions.items()}
        with self._transaction() as db:
            if entry:
                row = (seq, entry, checksum(seq, entry))
                db.execute("INSERT INTO journal VALUES (?, ?, ?)", row)
            for source, text in texts.items():
                db.execute(_ADD_POSITION, (source, text, checksum(source, text.encode())))
        if entry:
            self._last = seq
            self._journal_bytes += len(entry)

    def snapshot(self, parts: Mapping[str, bytes]) -> None:
        """Replace these parts, and empty the journal that they hold; other parts stay.

        Needs room for the parts twice while it lasts.

        Raises
        ------
        StoreError
            It cannot be written: parts and journal are as before.
        """
        with self._transaction() as db:
            for name, data in parts.items():
                db.execute("DELETE FROM parts WHERE name = ?", (name,))
                db.executemany(_ADD_PART, _chunks(name, data))
            db.execute("DELETE FROM journal")
            (count,) = db.execute("SELECT count(*) FROM parts").fetchone()
            for key, value in (("snapshot", self._last), ("parts", count)):
                crc = checksum(key, b"%d" % value)
                db.execute("UPDATE meta SET value = ?, crc = ? WHERE key = ?", (value, crc, key))
        self._snapshot = self._last
        self._journal_bytes = 0
        with suppress(sqlite3.Error):  # it is safe in the log too, which is emptied another time
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Put all into the one file, and let others have it. Safe to call twice."""
        with suppress(sqlite3.Error):  # what is in the log is safe there
            self._db.close()
        for identity in [key for key, store in _open.items() if store is self]:
            del _open[identity]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._roll_back()
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise StoreError(
                f"{self.path}: cannot be written: {error}; nothing of it was kept: make room on the"
                " disk, or see who may write there"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # tried again before the next one
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _chunks(name: str, data: bytes) -> Iterator[tuple[str, int, int, memoryview, int]]:
    starts = range(0, max(len(data), 1), CHUNK)
    for number, start in enumerate(starts):
        chunk = memoryview(data)[start : start + CHUNK]
        yield name, number, len(starts), chunk, checksum(f"{name}/{number}/{len(starts)}", chunk)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _create(path: Path) -> None:
    log = wal_of(path)
    if log.exists() and log.stat().st_size:
        raise StateError(
            f"{path}: is not there, but its log {log.name} is; restore both, or delete the log to"
            " start from nothing"
        )
    try:
        create(path, newest())
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        remedy = "" if path.parent.is_dir() else f"; make the folder {path.parent}"
        raise StoreError(f"{path}: cannot be made: {reason}{remedy}") from None


def _connect(path: Path, version: int) -> sqlite3.Connection:
    """Open a file that was verified, for this process alone, and bring it to the newest version."""
    db = sqlite3.connect(
        uri_of(path, "mode=rw"), timeout=0, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        _take(db)
        # Reading made it, and it stays otherwise. Nobody else can use it now.
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        if version < newest():
            _migrate(db, version)
    except BaseException:
        db.close()
        raise
    return db


def _take(db: sqlite3.Connection) -> None:
    for setting in (
        "trusted_schema = OFF",
        "locking_mode = EXCLUSIVE",
        "synchronous = FULL",
        "fullfsync = ON",  # on macOS a plain fsync stops at the cache of the disk
        "checkpoint_fullfsync = ON",
        "journal_mode = WAL",
    ):
        db.execute(f"PRAGMA {setting}").fetchall()
    db.execute("BEGIN EXCLUSIVE")
    db.execute("COMMIT")


def _migrate(db: sqlite3.Connection, version: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    migrate(db, version)
    check_rows(db)
    db.execute("COMMIT")
