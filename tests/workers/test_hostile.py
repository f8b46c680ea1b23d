"""What is no batch, or lies, harms nobody: it is refused with its reason."""

import socket
import time

import numpy as np
import pytest
from servers import wait_for
from working import EMPTY, EVENT, Hand, Owner, number_of, taken

from losswatch.codec.columns import saved_texts
from losswatch.codec.frames import Kind, decode_number, encode_frame, encode_number
from losswatch.codec.tree import encode_tree


@pytest.fixture
def owner(path):
    owner = Owner(path)
    yield owner
    owner.close()


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
