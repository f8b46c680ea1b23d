"""A full disk loses nothing: what does not fit is refused, and fits when there is room."""

import shutil
import subprocess
from contextlib import contextmanager

import pytest
from states import held

from losswatch.errors import StoreError
from losswatch.store.database import Store

SIZE = 2_000_000


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if not mount or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("a file system is mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill_up(store: Store) -> int:
    """Append until the disk is full, and then some; return how many entries fit."""
    for number in range(1000):
        try:
            store.append(b"%4d" % number * 5000, {"a": {"offset": number}})
        except StoreError:
            with pytest.raises(StoreError, match=r"cannot be written: .*; nothing of it was kept"):
                store.append(b"%4d" % number * 5000, {"a": {"offset": number}})
            return number
    raise AssertionError("the disk was never full")


def check(store: Store, count: int, size: int = 5000) -> None:
    entries = [b"%4d" % number * size for number in range(count)]
    assert held(store)[1:] == (entries, {"a": {"offset": count - 1}})


def test_a_full_disk_is_survived(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(SIZE // 2))
    store = Store(small_disk / "losswatch.db")
    count = fill_up(store)
    assert count > 5
    check(store, count)
    with pytest.raises(StoreError, match="full"):
        store.snapshot({"m": bytes(SIZE // 2)})
    assert store.parts() == {}
    ballast.unlink()
    store.append(b"%4d" % count * 5000, {"a": {"offset": count}})
    check(store, count + 1)
    store.close()
    with Store(small_disk / "losswatch.db") as store:
        check(store, count + 1)


def test_a_process_killed_on_a_full_disk_loses_nothing(small_disk):
    """The log and the file as they are then, on another disk."""
    store = Store(small_disk / "losswatch.db")
    count = fill_up(store)
    copy = small_disk.parent / "copy"
    shutil.copytree(small_disk, copy)
    store.close()
    with Store(copy / "losswatch.db") as store:
        check(store, count)


@contextmanager
def files_limited_to(size: int):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_limit_of_the_system_is_survived(tmp_path):
    """Without root: the system refuses to let the log grow."""
    store = Store(tmp_path / "losswatch.db")
    with files_limited_to(500_000):
        count = fill_up(store)
        check(store, count)
    assert (tmp_path / "losswatch.db-wal").stat().st_size >= 400_000
    store.append(b"%4d" % count * 5000, {"a": {"offset": count}})
    check(store, count + 1)
    store.close()
    with Store(tmp_path / "losswatch.db") as store:
        check(store, count + 1)


def test_a_database_that_may_not_grow_is_survived(tmp_path):
    """SQLite's own limit, on systems without the others."""
    with Store(tmp_path / "losswatch.db") as store:
        store._db.execute("PRAGMA max_page_count = 60").fetchall()
        count = fill_up(store)
        check(store, count)
        store.snapshot({})
        store.append(b"   0" * 5000, {"a": {"offset": 0}})
        check(store, 1)
