"""A log that is damaged where no loss of power can have ended it is refused."""

import random
from pathlib import Path

import pytest
from states import files

from losswatch import StateError
from losswatch.store.database import Store

ENTRIES = [bytes([number]) * 9000 for number in range(6)]


def crashed(path: Path, entries: list[bytes]) -> tuple[bytes, list[int]]:
    """Append entries, one position each; return the log and its size after each."""
    sizes = []
    store = Store(path)
    for number, entry in enumerate(entries):
        store.append(entry, {"a": {"entries": number + 1}})
        sizes.append(path.with_name("losswatch.db-wal").stat().st_size)
    left = files(path)
    store.close()
    for name, data in left.items():
        (path.parent / name).write_bytes(data)
    return left["losswatch.db-wal"], sizes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "losswatch.db"


def entries_read(path: Path) -> list[bytes]:
    with Store(path) as store:
        entries = list(store.journal())
        assert store.positions().get("a", {"entries": 0}) == {"entries": len(entries)}
        return entries


def test_a_changed_byte_is_refused_but_in_the_last_transaction(path):
    """The last one may be half written, if power went before it was acknowledged."""
    log, sizes = crashed(path, ENTRIES)
    left = files(path)
    dice = random.Random(7)
    for place in [*range(32), *(dice.randrange(len(log)) for _ in range(100))]:
        bad = bytearray(log)
        bad[place] ^= 1 << dice.randrange(8)
        changed = {**left, "losswatch.db-wal": bytes(bad)}
        for name, data in changed.items():
            (path.parent / name).write_bytes(data)
        if place >= sizes[-2]:
            assert entries_read(path) == ENTRIES[:-1]
        else:
            with pytest.raises(StateError, match=r"losswatch\.db-wal is damaged in frame"):
                Store(path)
            assert files(path) == changed


def test_a_log_that_ends_early_holds_whole_transactions(path):
    """As a loss of power leaves it, at any place."""
    log, sizes = crashed(path, ENTRIES)
    left = files(path)
    for size in range(0, len(log), 1999):
        path.write_bytes(left["losswatch.db"])
        path.with_name("losswatch.db-wal").write_bytes(log[:size])
        assert entries_read(path) == ENTRIES[: sum(end <= size for end in sizes)]


def test_frames_of_an_older_log_behind_the_end_are_no_damage(path):
    """SQLite begins the log anew when all of it is in the file, and does not cut it."""
    entries = [bytes([number % 256]) * 9000 for number in range(300)]
    _, sizes = crashed(path, entries)
    assert sizes[-1] == sizes[-30]
    assert entries_read(path) == entries
