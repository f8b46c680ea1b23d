"""The rows of a file of state: each is checked whenever it is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from losswatch.errors import StateError
from losswatch.store.layout import checksum

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

__all__ = ["journal_after", "last_snapshot", "meta", "parts", "positions"]

_NEXT = "SELECT seq, data, crc FROM journal WHERE seq > ? ORDER BY seq LIMIT 1"
_PARTS = "SELECT name, chunk, chunks, data, crc FROM parts ORDER BY id"


def journal_after(db: sqlite3.Connection, seq: int) -> Iterator[bytes]:
    """Yield the entries after one, in order. Between them the database may be written."""
    while row := db.execute(_NEXT, (seq,)).fetchone():
        seq += 1
        _expect(row[0] == seq, f"entry {seq} of the journal is not there")
        yield _checked(f"entry {seq} of the journal", seq, *row[1:])


def last_snapshot(db: sqlite3.Connection) -> int:
    """Return the entry that the snapshot ends with."""
    return meta(db, "snapshot")


def meta(db: sqlite3.Connection, key: str) -> int:
    """Return a number that is kept about the state."""
    row = db.execute("SELECT value, crc FROM meta WHERE key = ?", (key,)).fetchone()
    _expect(row is not None and checksum(key, b"%d" % row[0]) == row[1], f"{key} is not right")
    value: int = row[0]
    return value


def parts(db: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    """Yield each part in its chunks."""
    rows = 0
    wanted = 0  # chunks of this part that are still to come
    for name, chunk, chunks, data, crc in db.execute(_PARTS):
        what = f"chunk {chunk} of part {name!r}"
        _expect(chunk == 0 or wanted > 0, f"{what} comes out of order")
        wanted = chunks - chunk - 1
        rows += 1
        yield name, _checked(what, f"{name}/{chunk}/{chunks}", data, crc)
    _expect(wanted == 0 and rows == meta(db, "parts"), "a part is not whole")


def positions(db: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Return where the sources stood."""
    found = {}
    for source, data, crc in db.execute("SELECT source, data, crc FROM positions"):
        what = f"the position of {source!r}"
        _expect(isinstance(data, str), f"{what} is not right")
        found[source] = json.loads(_checked(what, source, data.encode(), crc))
    return found


def _checked(what: str, key: object, data: object, crc: object) -> bytes:
    _expect(isinstance(data, bytes), f"{what} is not right")
    assert isinstance(data, bytes)
    _expect(checksum(key, data) == crc, f"the checksum of {what} differs")
    return data


def _expect(right: bool, otherwise: str) -> None:  # noqa: FBT001  # the question itself
    if not right:
        raise StateError(f"{otherwise}; restore a copy")
