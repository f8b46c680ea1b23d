"""Files of older versions become those of this one, all or nothing."""

import pytest
from states import PARTS, STATE, files, fill, read

from losswatch import StateError
from losswatch.store import migrations
from losswatch.store.database import Store
from losswatch.store.layout import checksum
from losswatch.store.verify import check_rows


def rename(db):
    """Write the first part under a new name, as a later version may want it."""
    ((data,),) = db.execute("SELECT data FROM parts WHERE name = 'eta'").fetchall()
    crc = checksum("ETA/0/1", data)
    db.execute("UPDATE parts SET name = 'ETA', crc = ? WHERE name = 'eta'", (crc,))


def lose(db):
    """Do it wrongly."""
    db.execute("DELETE FROM journal WHERE seq = 3")


def fail(db):
    db.execute("DELETE FROM parts")
    db.execute("SELECT nothing")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "losswatch.db"
    fill(path).close()
    return path


def test_steps_are_taken_in_order_and_once(path, monkeypatch):
    def rename_again(db):
        data = PARTS["eta"]
        crc = checksum("eta2/0/1", data)
        assert db.execute("SELECT data FROM parts WHERE name = 'ETA'").fetchone() == (data,)
        db.execute("UPDATE parts SET name = 'eta2', crc = ? WHERE name = 'ETA'", (crc,))

    steps = [migrations.Step(check_rows, rename), migrations.Step(check_rows, rename_again)]
    monkeypatch.setattr(migrations, "STEPS", steps[:1])
    monkeypatch.setattr("losswatch.store.verify.STEPS", steps[:1])
    assert read(path)[0].keys() == {"ETA", "empty", "price"}
    assert path.read_bytes()[60:64] == bytes([0, 0, 0, 2])
    monkeypatch.setattr(migrations, "STEPS", steps)
    monkeypatch.setattr("losswatch.store.verify.STEPS", steps)
    for _ in range(2):
        parts, *rest = read(path)
        assert parts == {"empty": b"", "price": PARTS["price"], "eta2": PARTS["eta"]}
        assert rest == list(STATE[1:])


@pytest.mark.parametrize("change", [lose, fail])
def test_a_step_that_fails_leaves_the_file_of_the_old_version(path, monkeypatch, change):
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", [migrations.Step(check_rows, change)])
        patch.setattr("losswatch.store.verify.STEPS", migrations.STEPS)
        with pytest.raises(StateError):
            Store(path)
    assert read(path) == STATE


def test_a_damaged_file_of_an_old_version_is_not_migrated(path, monkeypatch):
    def refuse(_):
        raise StateError("as that version found it; restore a copy")

    step = migrations.Step(refuse, rename)
    monkeypatch.setattr(migrations, "STEPS", [step])
    monkeypatch.setattr("losswatch.store.verify.STEPS", [step])
    before = files(path)
    with pytest.raises(StateError, match="as that version found it"):
        Store(path)
    assert files(path) == before


def test_new_files_are_of_the_newest_version(tmp_path, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", [migrations.Step(check_rows, fail)])
    monkeypatch.setattr("losswatch.store.verify.STEPS", migrations.STEPS)
    assert read(tmp_path / "new.db") == ({}, [], {})
