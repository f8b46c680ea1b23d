"""Where workers connect, and how long they are known."""

import fcntl
import socket
import stat
import threading
import time

import pytest
from servers import wait_for
from working import EVENT, Hand

from losswatch.codec.frames import LONGEST_PATH
from losswatch.errors import SourceError
from losswatch.service.positions import merged_positions
from losswatch.sources.listener import Listener
from losswatch.sources.path_lock import PathLock
from losswatch.sources.sessions import Sessions


def test_a_socket_has_one_owner_and_a_left_one_is_replaced(path):
    """Its file is removed at the end, has its mode, and nothing else is ever removed."""
    first = Listener(path, 0o640)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with pytest.raises(SourceError, match="is used by another process; stop that one"):
        Listener(path, 0o600)
    first.close()
    assert not path.exists()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    Listener(path, 0o600).close()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(SourceError, match="another program listens there"):
            Listener(path, 0o600)
    path.unlink()
    path.write_text("precious")
    with pytest.raises(SourceError, match="is there and is no socket; remove it"):
        Listener(path, 0o600)
    assert path.read_text() == "precious"


def test_what_was_put_where_the_socket_was_stays(path):
    """While it listens, or where its lock is to be."""
    listener = Listener(path, 0o600)
    path.unlink()
    path.write_text("precious")
    listener.close()
    assert path.read_text() == "precious"
    path.unlink()
    lock = path.with_name("s.lock")
    lock.unlink()
    lock.symlink_to("elsewhere")
    with pytest.raises(SourceError, match=r"s\.lock: is a symbolic link; remove it"):
        Listener(path, 0o600)
    assert not path.with_name("elsewhere").exists()


def is_open(path) -> bool:
    """Tell whether one can connect; then it has its mode."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def test_a_socket_that_is_removed_comes_back(path, owner, caplog):
    """As cleaners of temporary folders do, its lock too; who is connected does not notice."""
    owner.source.change(owner.source.decoder, 100, 0o640)
    old = Hand(path)
    for number in (1, 2):
        for removed in path.parent.iterdir():
            removed.unlink()
        wait_for(lambda: is_open(path))
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        with pytest.raises(SourceError, match="is used by another process"):
            Listener(path, 0o600)
        Hand(path, f"{number:016x}").batch(1, EVENT)
        old.batch(number, EVENT)
        wait_for(lambda: len(owner.events) == 2 * number)  # noqa: B023  # in this round
    assert caplog.text.count("is made anew") == 2


def test_a_socket_that_is_removed_may_go_to_another_process(path, owner, caplog):
    """Then it is theirs, which is told once."""
    for removed in path.parent.iterdir():
        removed.unlink()
    other = Listener(path, 0o600)
    wait_for(lambda: "new workers cannot come" in caplog.text)
    time.sleep(2.5)
    (record,) = caplog.records
    assert "is used by another process; stop that one" in record.getMessage()
    made = path.stat().st_ino
    owner.close()
    assert path.stat().st_ino == made
    other.close()
    assert not path.exists()


def test_a_mode_that_changes_while_the_file_is_away_is_that_of_the_next(path):
    """And what stands there meanwhile keeps its own, also behind a symbolic link."""
    listener = Listener(path, 0o666)
    other = path.with_name("other")
    other.write_text("precious")
    other.chmod(0o644)
    path.unlink()
    path.symlink_to(other.name)
    listener.allow(0o600)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644
    path.unlink()
    accepting = threading.Thread(target=listener.accept, daemon=True)
    accepting.start()
    wait_for(path.exists)
    wait_for(lambda: stat.S_IMODE(path.stat().st_mode) == 0o600)  # soon after it is there
    listener.close()
    accepting.join(10)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_program_that_has_no_time_or_takes_datagrams_keeps_its_socket(path, kind):
    """No connection is made there, but it is not one that was left."""
    with socket.socket(socket.AF_UNIX, kind) as other, socket.socket(socket.AF_UNIX) as waiting:
        other.bind(str(path))
        if kind == socket.SOCK_STREAM:
            other.listen(0)
            waiting.connect(str(path))  # now a second one has no room
        with pytest.raises(SourceError, match="another program listens there"):
            Listener(path, 0o600)
        assert path.is_socket()


def test_a_lock_that_is_removed_while_it_is_taken_is_no_lock(path, monkeypatch):
    """Another process could take the one that is made anew: two would have the path."""
    beside, flock = path.with_name("s.lock"), fcntl.flock

    def late(file, how):
        if not removed:
            removed.append(beside.unlink())
        flock(file, how)

    removed = []
    with monkeypatch.context() as patch:
        patch.setattr("losswatch.sources.path_lock.fcntl.flock", late)
        first = PathLock(path)
    with pytest.raises(SourceError, match="is used by another process"):
        PathLock(path)
    first.close()


def test_a_path_that_cannot_be_one_is_told(tmp_path):
    """Too long, or in no folder."""
    with pytest.raises(SourceError, match=f"bytes; this system takes at most {LONGEST_PATH}"):
        Listener(tmp_path / ("x" * 200), 0o600)
    with pytest.raises(SourceError, match=r"No such file or directory; make the folder .*/no$"):
        Listener(tmp_path / "no" / "s", 0o600)


def test_sessions_are_forgotten_when_nothing_of_them_can_come():
    """At once by their goodbye, after an hour away, and beyond a thousand the oldest."""
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    sessions.enter("here")
    sessions.commit({"here": 1, "gone": 2, "bye": 3})
    sessions.forget("bye")
    now[0] = 3601.0
    assert sessions.position({"new": 1}) == {"sessions": {"here": 1, "new": 1}}
    sessions.commit({f"{number:04}": 1 for number in range(1500)})
    kept = sessions.position({})["sessions"]
    assert len(kept) == 1001
    assert "here" in kept
    again = Sessions(lambda: now[0])
    again.resume({"sessions": {"old": 7}}, "socket:s")
    now[0] += 3000.0
    assert again.position({}) == {"sessions": {"old": 7}}
    assert again.last("old") == 7


def test_sessions_may_return_to_an_owner_that_was_started_again():
    """For a minute none of before is one too many, though none is connected; new ones are."""
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    before = {f"{number:04}": 1 for number in range(1400)}
    sessions.resume({"sessions": before}, "socket:s")
    sessions.commit({f"new{number:04}": 1 for number in range(1100)})
    kept = sessions.position({})["sessions"]
    assert before.items() <= kept.items()
    assert len(kept) == 2400
    sessions.enter("0000")
    now[0] = 61.0
    kept = sessions.position({})["sessions"]
    assert "0000" in kept
    assert len(kept) == 1001


@pytest.mark.parametrize("position", [{}, {"sessions": [1]}, {"sessions": {"a": -1}}, {"x": {}}])
def test_a_position_of_something_else_is_refused(position):
    """The state is of another source, or damaged."""
    with pytest.raises(SourceError, match=r"socket:s: the state has .* no position of a socket"):
        Sessions().resume(position, "socket:s")


def test_positions_of_two_owners_are_merged():
    """Of a session that both know the last number is kept."""
    one, other = ({"socket:s": {"sessions": each}} for each in ({"a": 1, "b": 2}, {"a": 3}))
    assert merged_positions(one, other, "x") == {"socket:s": {"sessions": {"a": 3, "b": 2}}}
