"""A file that is not right is refused, in words, and left as it is."""

import random
import sqlite3
from pathlib import Path

import pytest
from states import STATE, files, fill, held, read

from losswatch.errors import StateError
from losswatch.store.database import Store

GOLDEN = Path(__file__).parents[1] / "golden" / "state-v1.db"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "losswatch.db"


@pytest.fixture
def crashed(path):
    """A file and its log, as a process leaves them that is killed."""
    store = fill(path)
    left = files(path)
    store.close()
    put(path, left)
    return left


def put(path: Path, left: dict[str, bytes]) -> None:
    for old in path.parent.iterdir():
        old.unlink()
    for name, data in left.items():
        (path.parent / name).write_bytes(data)


def refused(path: Path) -> str:
    """Open a file that must be refused, and must not change; return why."""
    before = files(path)
    with pytest.raises(StateError) as error:
        Store(path)
    assert files(path) == before
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


def test_the_state_of_the_first_release_is_read_for_ever(path):
    path.write_bytes(GOLDEN.read_bytes())
    assert read(path) == STATE


def test_what_a_killed_process_left_is_read(path, crashed):
    assert len(crashed) == 2
    with Store(path) as store:
        assert held(store) == STATE
        assert {file.name for file in path.parent.iterdir()} == crashed.keys()


def test_pages_that_nobody_reads_are_checked_too(path):
    """Those that are free will be written again."""
    fill(path).close()
    data = bytearray(path.read_bytes())
    data[39] += 1  # how many are free
    path.write_bytes(data)
    assert "reelist: size is 1 but should be 2; restore a copy" in refused(path)


@pytest.mark.parametrize("data", [b"", b"y_true,y_pred\n1,2\n", b"SQLite format 3\0"], ids=repr)
@pytest.mark.parametrize("log", [None, b"", b"anything"], ids=repr)
def test_another_file_is_refused(path, data, log):
    path.write_bytes(data)
    if log is not None:
        path.with_name("losswatch.db-wal").write_bytes(log)
    assert "is no state of losswatch, or a damaged one: name another file" in refused(path)


def test_the_database_of_another_application_is_refused(path):
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode = WAL; CREATE TABLE journal (seq);")
    assert "another application (application_id 0); name another file" in refused(path)
    db.close()


@pytest.mark.parametrize(
    ("version", "words"), [(2, "upgrade losswatch"), (0, "restore a copy"), (2**32 - 1, "upgrade")]
)
def test_another_version_is_refused(path, crashed, version, words):
    data = bytearray(crashed["losswatch.db"])
    data[60:64] = version.to_bytes(4, "big")
    path.write_bytes(data)
    reason = refused(path)
    assert f"has version {version}; this release reads versions 1 to 1: " in reason
    assert words in reason


def test_other_tables_are_refused(path):
    fill(path).close()
    db = sqlite3.connect(path)
    db.execute("CREATE TRIGGER spy AFTER INSERT ON journal BEGIN DELETE FROM parts; END")
    db.close()
    assert "is damaged: its tables are not those of losswatch" in refused(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE journal SET data = x'00' WHERE seq = 3", "the checksum of entry 3 of the journal"),
        ("UPDATE journal SET data = 'third' WHERE seq = 3", "entry 3 of the journal is not right"),
        ("DELETE FROM journal WHERE seq = 3", "entry 3 of the journal is not there"),
        ("UPDATE journal SET seq = 9 WHERE seq = 4", "entry 4 of the journal is not there"),
        ("UPDATE parts SET data = x'00' WHERE name = 'eta'", "checksum of chunk 0 of part 'eta'"),
        ("UPDATE parts SET name = 'other' WHERE name = 'eta'", "the checksum of chunk 0 of part"),
        ("UPDATE parts SET chunks = 2 WHERE name = 'price'", "the checksum of chunk 0"),
        ("DELETE FROM parts WHERE name = 'empty'", "a part is not whole"),
        ("UPDATE positions SET data = '{}'", "the checksum of the position of"),
        ("UPDATE positions SET data = x'7b7d'", "is not right"),
        ("UPDATE meta SET value = 0", "parts is not right"),
        ("DELETE FROM meta", "parts is not right"),
    ],
)
def test_a_row_that_is_not_right_is_named(path, change, words):
    """Also where the pages are: a file that another program wrote."""
    fill(path).close()
    db = sqlite3.connect(path)
    db.execute(change)
    db.commit()
    db.close()
    reason = refused(path)
    assert "is damaged: " in reason
    assert words in reason
    assert "restore a copy" in reason


@pytest.mark.usefixtures("crashed")
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
def test_a_file_that_was_cut_is_refused(path, closed):
    if closed:
        Store(path).close()
    left = files(path)
    for size in range(0, len(left["losswatch.db"]), 1000):
        put(path, {**left, "losswatch.db": left["losswatch.db"][:size]})
        refused(path)


@pytest.mark.usefixtures("crashed")
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
def test_a_changed_byte_of_any_page_is_refused_or_matters_not(path, closed):
    """What is loaded is what was stored, exactly, or nothing is."""
    if closed:
        Store(path).close()
    left = files(path)
    size, refusals = len(left["losswatch.db"]), 0
    dice = random.Random(5)
    places = [page + dice.randrange(4096) for page in range(0, size, 4096) for _ in range(40)]
    for place in [*range(100), *places]:
        bad = bytearray(left["losswatch.db"])
        bad[place] ^= dice.randrange(1, 256)
        changed = {**left, "losswatch.db": bytes(bad)}
        put(path, changed)
        try:
            assert read(path) == STATE
        except StateError:
            refusals += 1
            assert files(path) == changed
    assert refusals > 100
