"""What was appended is there when the file is opened again, once and in order."""

import os
import sqlite3
import stat
import subprocess
import sys

import pytest
from states import ENTRIES, PARTS, POSITIONS, STATE, files, fill, held, read

from losswatch.errors import StateError, StoreError
from losswatch.store import database
from losswatch.store.database import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "losswatch.db"


def names(folder) -> list[str]:
    return [file.name for file in folder.iterdir()]


def opened_by_another(path) -> str:
    """Open the file in another process; return what that one complains of."""
    code = f"from losswatch.store.database import Store; Store({str(path)!r}).close()"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_a_new_file_holds_nothing(path):
    assert read(path) == ({}, [], {})
    assert names(path.parent) == ["losswatch.db"]


def test_state_comes_back(path):
    store = fill(path)
    assert held(store) == STATE
    store.close()
    assert read(path) == STATE
    assert names(path.parent) == ["losswatch.db"]


def test_the_header_of_the_file_tells_whose_it_is_from_the_beginning(path):
    with Store(path):
        header = path.read_bytes()[:100]
    assert header[68:72] == b"LWst"
    assert header[60:64] == bytes([0, 0, 0, 1])


def test_writes_wait_for_the_disk_and_lock_the_file(path):
    with Store(path) as store:
        for setting, value in {"synchronous": 2, "journal_mode": "wal"}.items():
            assert store._db.execute(f"PRAGMA {setting}").fetchone() == (value,)
        assert store._db.execute("PRAGMA locking_mode").fetchone() == ("exclusive",)


def test_the_last_position_of_each_source_counts(path):
    with Store(path) as store:
        store.append(b"1", {"a": {"offset": 1}, "b": {"offset": 1}})
        store.append(b"", {"a": {"offset": 2}})
    assert read(path) == ({}, [b"1"], {"a": {"offset": 2}, "b": {"offset": 1}})


def test_a_snapshot_replaces_its_parts_alone_and_empties_the_journal(path):
    store = fill(path)
    assert store.journal_bytes == sum(map(len, ENTRIES))
    store.snapshot({"eta": b"new"})
    assert store.journal_bytes == 0
    assert (path.parent / "losswatch.db-wal").stat().st_size == 0
    store.append(b"after", {})
    store.close()
    assert read(path) == ({**PARTS, "eta": b"new"}, [b"after"], POSITIONS)
    with Store(path) as store:
        assert store.journal_bytes == 5


def test_parts_larger_than_a_chunk_are_whole(path, monkeypatch):
    monkeypatch.setattr(database, "CHUNK", 10)
    parts = {f"{size}": bytes(range(size)) for size in (0, 1, 9, 10, 11, 100)}
    with Store(path) as store:
        store.snapshot(parts)
        store.snapshot({"11": b"shorter"})
    assert read(path)[0] == {**parts, "11": b"shorter"}


def test_the_room_of_the_journal_is_used_again(path):
    with Store(path) as store:
        for _ in range(5):
            for _ in range(20):
                store.append(os.urandom(50_000), {})
            store.snapshot({"m": os.urandom(100_000)})
        assert path.stat().st_size < 2_500_000


def test_the_journal_may_be_written_while_it_is_read(path):
    with Store(path) as store:
        store.append(b"1", {})
        store.append(b"2", {})
        entries = store.journal()
        assert next(entries) == b"1"
        store.append(b"3", {})
        assert list(entries) == [b"2", b"3"]
        entries = store.journal()
        next(entries)
        store.snapshot({})
        assert (path.parent / "losswatch.db-wal").stat().st_size == 0


def test_a_position_that_is_no_json_changes_nothing(path):
    with Store(path) as store:
        with pytest.raises(TypeError):
            store.append(b"1", {"a": {"offset": object()}})
        store.append(b"2", {})
    assert read(path) == ({}, [b"2"], {})


def test_closing_twice_is_safe_and_writing_after_it_fails(path):
    store = Store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match=r"losswatch\.db: cannot be written: .*closed database"):
        store.append(b"1", {})


@pytest.mark.parametrize("written", [False, True])
def test_one_process_has_the_file_at_a_time(path, written):
    """Nor does the other one change it, or what is in the log."""
    with Store(path) as store:
        if written:
            store.append(b"1", {})
        # Not files(path): this process would let go of its lock by reading the file.
        for _ in range(2):
            assert "losswatch.db: is used by another process; stop that one" in opened_by_another(
                path
            )
        store.append(b"2", {})
    assert opened_by_another(path) == ""
    assert read(path)[1] == [b"1", b"2"][not written :]


def test_one_store_of_a_process_has_the_file_and_keeps_its_lock(path):
    """To open and close the file would let go of the lock, on POSIX."""
    link = path.with_name("link.db")
    link.symlink_to(path)
    with Store(path):
        for name in (path, link):
            with pytest.raises(StateError, match="open in this process already"):
                Store(name)
        code = f"from losswatch.store.database import Store; Store({str(path)!r})"
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert "is used by another process" in result.stderr


@pytest.mark.parametrize("name", ["a b%20?mode=memory#x.db", "é.db", "file:x.db"])
def test_any_name_will_do(tmp_path, name):
    fill(tmp_path / name).close()
    assert names(tmp_path) == [name]
    assert read(tmp_path / name) == STATE


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        StoreError,
        match=r"no/losswatch\.db: cannot be made: No such file or directory; make the folder .*no$",
    ):
        Store(tmp_path / "no" / "losswatch.db")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        Store(tmp_path)


def test_a_file_that_may_not_be_written_is_refused_at_once(path):
    fill(path).close()
    path.chmod(stat.S_IRUSR)
    if os.access(path, os.W_OK):
        pytest.skip("root may write everything")
    with pytest.raises(StoreError, match="readonly database"):
        Store(path)


def test_a_log_without_its_file_is_not_taken_for_nothing(path):
    """SQLite would put the old log into the new file."""
    store = fill(path)
    log = files(path)["losswatch.db-wal"]
    store.close()
    path.unlink()
    path.with_name("losswatch.db-wal").write_bytes(log)
    with pytest.raises(StateError, match=r"is not there, but its log losswatch\.db-wal is"):
        Store(path)
    assert names(path.parent) == ["losswatch.db-wal"]


def test_who_makes_the_file_later_does_not_replace_it(path):
    """Two processes that start together both find no file."""
    fill(path).close()
    database._create(path)
    assert read(path) == STATE


def test_another_program_can_read_the_file_when_it_is_closed(path):
    fill(path).close()
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM journal").fetchone() == (3,)
    db.close()
