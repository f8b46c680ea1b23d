"""The owner's side: each batch counts once, and what is no batch harms nothing."""

import json
import socket
import stat
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import wait_for
from working import SESSION, Hand, Owner

from losswatch.codec.columns import saved_texts
from losswatch.codec.events import saved_columns
from losswatch.codec.frames import LONGEST_PATH, Kind, decode_number, encode_frame, encode_number
from losswatch.codec.tree import encode_tree
from losswatch.core.events import EventColumns
from losswatch.errors import SourceError
from losswatch.service.positions import merged_positions
from losswatch.sources.listener import Listener
from losswatch.sources.sessions import Sessions

EVENT = (10.0, 12.0)


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A path that is short, whatever the folder of the test is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path.joinpath("s").relative_to(tmp_path)


@pytest.fixture(autouse=True)
def _no_hand_is_left():
    yield
    while Hand.opened:
        Hand.opened.pop().close()


@pytest.fixture
def owner(path):
    owner = Owner(path)
    yield owner
    owner.close()


def number_of(frame) -> int:
    assert frame.kind == Kind.ACK
    return decode_number(frame.body)[0]


def taken(owner: Owner, events: int) -> None:
    """Commit until so many events have come."""
    wait_for(lambda: owner.take() is not None and len(owner.events) >= events)
    assert len(owner.events) == events


def test_a_batch_is_acknowledged_when_it_is_committed(owner, path):
    """Not before, and with what it holds."""
    hand = Hand(path)
    assert decode_number(hand.welcome.body)[0] == 0
    hand.batch(1, EVENT, (3.0, 1.0, 0.5, (("city", "rome"), ("tier", "x")), time.time(), None))
    assert hand.has_nothing()
    taken(owner, 2)
    assert number_of(hand.read()) == 1
    rows = [("eta", 10.0, 12.0, 1.0, "oslo"), ("eta", 3.0, 1.0, 0.5, "rome")]
    assert owner.events == rows
    assert owner.position == {"sessions": {SESSION: 1}}
    hand.close()


def test_a_batch_that_comes_again_counts_once(owner, path):
    """On another connection, before and after the commit; and to the next owner."""
    first, second = Hand(path), Hand(path)
    for hand in (first, second):
        hand.batch(1, EVENT)
        arrives(hand)
    taken(owner, 1)
    assert number_of(second.read()) == 1  # of two that wait, the later connection is told
    third = Hand(path)
    assert decode_number(third.welcome.body)[0] == 1
    third.batch(1, EVENT)
    wait_for(lambda: owner.take() == 0 and owner.source.tally().batches["repeated"] == 1)
    assert number_of(third.read()) == 1
    owner.close()
    next_owner = Owner(path, owner.position)
    fourth = Hand(path)
    fourth.batch(1, EVENT)
    fourth.send(Kind.BYE)
    wait_for(lambda: next_owner.take() == 0 and next_owner.source.tally().batches["repeated"])
    assert not next_owner.events
    for each in (first, second, third, fourth):
        each.close()
    next_owner.close()


def test_what_is_not_committed_is_not_acknowledged(owner, path):
    """A commit that fails is tried again by the writer, and the worker waits."""
    hand = Hand(path)
    hand.batch(1, EVENT)
    wait_for(lambda: owner.take(commit=False))
    assert owner.source.failed("the disk is full")
    assert hand.has_nothing()
    assert owner.source.next_batch().position is None
    hand.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["send", "again", "commit", "restart"]), max_size=25))
def test_any_order_of_sending_and_ends_counts_each_batch_once(tmp_path_factory, steps):
    """Sent again and again, between commits and owners that end: each number once."""
    path = tmp_path_factory.mktemp("s") / "s"
    counted, sent = [], 0
    owner, hand = Owner(path), None
    try:
        for step in [*steps, "restart", "again", "commit"]:
            if step == "restart":
                counted += owner.events
                owner.close()
                if hand is not None:
                    hand.close()
                owner, hand = Owner(path, owner.position), None
                safe = (owner.position or {"sessions": {}})["sessions"].get(SESSION, 0)
                sent = min(sent, safe + 1)
            elif step == "commit":
                owner.take()
            elif sent or step == "send":
                hand = hand or Hand(path)
                # The next one goes out when the last was acknowledged.
                done = owner.source.sessions.last(SESSION) >= sent
                sent += step == "send" and done
                if sent:
                    hand.batch(sent, (float(sent), 0.0))
                    arrives(hand)
        counted += owner.events
    finally:
        owner.close()
    assert [event[1] for event in counted] == [float(n + 1) for n in range(len(counted))]


def arrives(hand: Hand) -> None:
    """Wait until the owner has read what was sent: a frame that it refuses tells so."""
    hand.send(Kind.BATCH, encode_number(10**9) + b"")
    while hand.read().kind != Kind.SPOILT:
        pass


BAD = {
    "another protocol": (b"GET /metrics HTTP/1.1\r\n\r\n", "is no frame; only workers"),
    "cut short": (encode_frame(Kind.HELLO, b"{}")[:-1], "a frame is cut short"),
    "too large": (b"LWW\x01\x01\xff\xff\xff\xff\0\0\0\0", "at most 65536 are taken"),
    "damaged": (encode_frame(Kind.HELLO, b"{}")[:-1] + b"!", "damaged: its checksum differs"),
    "another version": (b"LWW\x02\x01\0\0\0\0\0\0\0\0", "speaks version 2, and losswatch"),
    "no greeting": (encode_frame(Kind.BATCH, encode_number(1)), "kind 3 does not belong here"),
    "no JSON": (encode_frame(Kind.HELLO, b"{"), "a greeting cannot be read"),
    "deep JSON": (encode_frame(Kind.HELLO, b"[" * 60_000), "recursion"),
    "no session": (encode_frame(Kind.HELLO, b"{}"), "session"),
    "bad session": (encode_frame(Kind.HELLO, b'{"session": "x"}'), "must be 16 digits of hex"),
}


def test_a_batch_beyond_the_largest_is_refused(owner, path):
    """One that the header promises, without waiting for it; who has a session may send more."""
    hand = Hand(path)
    hand.send(Kind.BATCH, encode_number(1) + bytes(100_000))
    assert hand.read().kind == Kind.SPOILT
    hand.socket.sendall(b"LWW\x01\x03\xff\xff\xff\xff\0\0\0\0")
    assert b"at most 16777216 are taken" in hand.read().body
    assert owner.take() == 0


@pytest.mark.parametrize(("sent", "told"), BAD.values(), ids=BAD)
def test_what_is_no_frame_is_refused_with_its_reason(owner, path, sent, told, caplog):
    """The connection ends, the reason is told and logged, and others go on."""
    good, bad = Hand(path), Hand(path, session=None)
    bad.socket.sendall(sent)
    bad.socket.shutdown(socket.SHUT_WR)
    frame = bad.read()
    assert frame.kind == Kind.REFUSED
    assert told in frame.body.decode()
    assert bad.ends()
    assert told in caplog.text
    assert owner.source.tally().batches["refused"] == 1
    good.batch(1, EVENT)
    taken(owner, 1)
    for each in (good, bad):
        each.close()


EMPTY = {
    "model": "eta",
    "dropped": 0,
    "refused": [],
    "lines": "",
    "columns": saved_columns(EventColumns()),
}


def three_rows(text: object) -> dict:
    """Return columns of which two rows are right, and the last has what is said for its label."""
    numbers = dict.fromkeys(("y_true", "y_pred", "w", "time"), np.ones(3))
    city = {"codes": np.array([0, 0, 1]), "values": {"lengths": np.array([-1, 1]), "text": text}}
    model = {"rows": 3, "values": saved_texts(["eta"])}
    rows = {"line": [0, 3], "model": model, "segment": [["city", city]]}
    return {"prediction_id": saved_texts([]), **numbers, **rows}


SPOILT = {
    "nothing": b"",
    "no tree": b"x" * 40,
    "a list": encode_tree([1]),
    "no columns": encode_tree({"model": "eta"}),
    "columns that lie": encode_tree(
        {
            "model": None,
            "dropped": 0,
            "refused": [],
            "lines": "",
            "columns": {"line": [0, 10**15], "segment": [], "y_true": [], "y_pred": []},
        }
    ),
    "a model that is none": encode_tree(EMPTY | {"model": ["eta"]}),
    "drops without end": encode_tree(EMPTY | {"dropped": 10**400}),
    "fewer than no drops": encode_tree(EMPTY | {"dropped": -1}),
    "refusals of no number": encode_tree(EMPTY | {"refused": [["wrong_type", "7", "x"]]}),
    "labels that are no text": encode_tree(EMPTY | {"columns": three_rows([["oslo"]])}),
    "labels that are bytes": encode_tree(EMPTY | {"columns": three_rows(b"o")}),
    "lines without end": encode_tree(EMPTY | {"lines": "\n" * 70_000}),
}


@pytest.mark.parametrize("body", SPOILT.values(), ids=SPOILT)
def test_a_batch_that_cannot_be_read_is_refused_by_its_number(owner, path, body):
    """Its worker is told, so that it goes on with the next one."""
    hand = Hand(path)
    hand.send(Kind.BATCH, encode_number(1) + body)
    frame = hand.read()
    assert frame.kind == Kind.SPOILT
    assert decode_number(frame.body)[1].startswith(b"the batch cannot be read: ")
    hand.batch(2, EVENT)
    taken(owner, 1)
    assert number_of(hand.read()) == 2
    hand.close()


def test_what_workers_refused_is_bounded(owner, path):
    """Whatever a batch says, it makes no more refusals than memory has room for."""
    hand = Hand(path)
    told = [["wrong_type", 2, "x" * 1000], *[["wrong_type", 60_000, "y"]] * 50]
    hand.send(Kind.BATCH, encode_number(1) + encode_tree(EMPTY | {"refused": told}))
    wait_for(lambda: owner.take() == 0 and owner.refused)
    assert len(owner.refused) == 100_000
    assert len(owner.refused[0].detail) == 200
    hand.close()


def test_events_that_are_wrong_are_refused_by_their_reason(owner, path):
    """What a worker did not check is checked here; the others count."""
    now = time.time()
    hand = Hand(path)
    hand.batch(
        1,
        EVENT,
        (float("inf"), 1.0),
        (1.0, None),
        (1.0, 1.0, 1.0, (("city", "a\nb"),), now, None),
        (1.0, 1.0, 1.0, (), -5.0, None),
        (1.0, None, 1.0, (), now, "x" * 300),
    )
    taken(owner, 1)
    assert [(refusal.line, refusal.reason) for refusal in owner.refused] == [
        (2, "not_finite"),
        (3, "missing_field"),
        (4, "invalid_segment"),
        (5, "invalid_time"),
        (6, "invalid_id"),
    ]
    hand.close()


def test_a_full_queue_makes_workers_wait(path):
    """A batch beyond it is taken when there is room, and none is lost."""
    owner = Owner(path, queue=2)
    hands = [Hand(path, f"{number:016x}") for number in range(4)]
    for hand in hands:
        hand.batch(1, EVENT, EVENT)
    time.sleep(0.3)
    assert owner.take() == 2
    wait_for(lambda: owner.take() is not None and len(owner.events) == 8)
    for hand in hands:
        assert number_of(hand.read()) == 1
        hand.close()
    owner.close()


@pytest.mark.usefixtures("owner")
def test_a_worker_that_does_not_read_is_left(path):
    """An answer that has no room is never lost in silence: the worker would wait for it."""
    hand = Hand(path)
    with pytest.raises(OSError, match=r"Broken pipe|reset by peer"):
        for number in range(5000):
            hand.send(Kind.BATCH, encode_number(number) + b"junk")


def test_batches_without_events_have_a_limit_too(path):
    """A worker that does not wait to be acknowledged cannot fill the memory with them."""
    owner = Owner(path, queue=3)
    hands = [Hand(path, f"{number:016x}") for number in range(6)]
    for hand in hands:
        hand.send(Kind.BATCH, encode_number(1) + encode_tree(EMPTY))
    time.sleep(0.3)
    owner.take()
    assert len(owner.position["sessions"]) == 3
    wait_for(lambda: owner.take() == 0 and len(owner.position["sessions"]) == 6)
    for hand in hands:
        hand.close()
    owner.close()


class Held:
    """Reads batches; the first one when it is told to."""

    def __init__(self, decoder) -> None:
        self.decoder, self.begun, self.gate = decoder, threading.Event(), threading.Event()

    def decode(self, body):
        if not self.begun.is_set():
            self.begun.set()
            assert self.gate.wait(10)
        return self.decoder.decode(body)


def test_a_batch_is_known_after_the_goodbye_while_another_connection_has_it(owner, path):
    """Sent again on a new connection, counted, and parted: then the old one's is read."""
    held = owner.source.decoder = Held(owner.source.decoder)
    old = Hand(path)
    old.batch(1, EVENT)
    assert held.begun.wait(10)
    new = Hand(path)
    new.batch(1, EVENT)
    new.send(Kind.BYE)
    taken(owner, 1)
    wait_for(lambda: owner.source.tally().connected == 1)
    owner.take()
    old.close()
    held.gate.set()
    wait_for(lambda: owner.take() == 0 and owner.source.tally().batches["repeated"] == 1)
    wait_for(lambda: owner.take() == 0 and owner.source.sessions.last(SESSION) == 0)
    assert len(owner.events) == 1
    new.close()


def test_the_end_of_an_owner_ends_those_who_wait(path):
    """Nobody is left in a thread that waits for room."""
    owner = Owner(path, queue=1)
    hands = [Hand(path, f"{number:016x}") for number in range(3)]
    for hand in hands:
        hand.batch(1, EVENT)
    time.sleep(0.2)
    owner.close()
    for hand in hands:
        assert hand.read() is None
        hand.close()
    wait_for(lambda: not [t for t in threading.enumerate() if t.name == "losswatch-peer"])


def test_an_owner_goes_on_listening_when_there_is_no_thread(owner, path, monkeypatch):
    """The connection is refused with the reason, and the next one is taken."""
    start, failed = threading.Thread.start, []

    def start_later(thread):
        if thread.name == "losswatch-peer" and not failed:
            failed.append(thread)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_later)
    refused = Hand(path, session=None)
    frame = refused.read()
    assert (frame.kind, frame.body[:18]) == (Kind.REFUSED, b"there is no thread")
    assert refused.ends()
    hand = Hand(path)
    hand.batch(1, EVENT)
    taken(owner, 1)
    for each in (refused, hand):
        each.close()


def test_a_page_is_asked_for_without_a_session(owner, path):
    """Before it can be made the reason is told."""
    ask = json.dumps({"accept": "text/plain", "names": ["a"]}).encode()
    hand = Hand(path, session=None)
    hand.send(Kind.PAGE, ask)
    assert b"not ready yet" in hand.read().body
    owner.source.page = lambda accept, names: (f"{accept} {names}".encode(), "text/x")
    again = Hand(path, session=None)
    again.send(Kind.PAGE, ask)
    assert again.read().body == b"text/x\ntext/plain ['a']"
    for each in (hand, again):
        each.close()


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
