"""The owner's side: each batch counts once, and what is no batch harms nothing."""

import json
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import wait_for
from working import EMPTY, EVENT, SESSION, Hand, Owner, arrives, number_of, taken

from losswatch.codec.frames import Kind, decode_number, encode_number
from losswatch.codec.tree import encode_tree


@pytest.fixture
def owner(path):
    owner = Owner(path)
    yield owner
    owner.close()


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
