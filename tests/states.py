"""A state that all tests of files know, and what a file holds."""

from pathlib import Path

from losswatch.store.database import Store

PARTS = {"eta": b"\x01" * 3000, "empty": b"", "price": b"xyz" * 3000}
ENTRIES = [b"second" * 900, b"third", b"4" * 500]
POSITIONS = {"file": {"offset": 3}, "kafka": {"offsets": [1, 2], "topic": "é"}}
STATE = (PARTS, ENTRIES, POSITIONS)


def fill(path: Path) -> Store:
    """Make that state, and leave it open: its last entries are in the log only."""
    store = Store(path)
    store.append(b"first" * 2000, {**POSITIONS, "file": {"offset": 1}})
    store.snapshot(PARTS)
    for entry in ENTRIES:
        store.append(entry, {"file": {"offset": 3}})
    return store


def held(store: Store) -> tuple:
    return store.parts(), list(store.journal()), store.positions()


def read(path: Path) -> tuple:
    with Store(path) as store:
        return held(store)


def files(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file and of its log."""
    log = path.with_name(path.name + "-wal")
    return {file.name: file.read_bytes() for file in (path, log) if file.exists()}
