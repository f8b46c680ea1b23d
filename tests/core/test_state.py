"""Saved costs are stable, and nothing else is taken for one."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import STREAMS, events

from losswatch import Cost, StateError

GOLDEN = "4c574301000000000001040000000000010f000000000001010000000000010700000000000104"


def saved(*stream) -> bytes:
    cost = Cost()
    for event in stream:
        cost.update(*event)
    return bytes(cost)


def sealed(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "big")


def test_bytes_are_those_of_the_first_release():
    """The format is a promise: these bytes must be read for ever."""
    golden = sealed(bytes.fromhex(GOLDEN))
    cost = Cost.from_bytes(golden)
    assert (cost.n, cost.loss, cost.mae, cost.bias, cost.weight) == (4, 15.0, 1.75, 0.25, 4.0)
    assert bytes(cost) == golden


@given(events)
def test_every_cost_comes_back(stream):
    """Bytes to cost to bytes changes nothing."""
    data = saved(*stream)
    assert bytes(Cost.from_bytes(data)) == data


@pytest.mark.parametrize("name", STREAMS)
def test_usual_and_hostile_states_are_small(name):
    """The state of any stream here is under 2 kB."""
    assert len(saved(*STREAMS[name][:3000])) < 2000


@given(st.data())
def test_one_flipped_bit_is_found(data):
    """No damaged byte passes."""
    good = bytearray(saved((1.0, 3.5), (7.0, 2.25, 0.5)))
    place = data.draw(st.integers(0, len(good) * 8 - 1))
    good[place // 8] ^= 1 << place % 8
    with pytest.raises(StateError):
        Cost.from_bytes(bytes(good))


@given(st.integers(0, 60))
def test_a_cut_is_found(length):
    """No state that ends early passes."""
    good = saved((1.0, 3.5), (7.0, 2.25, 0.5))
    with pytest.raises(StateError):
        Cost.from_bytes(good[: min(length, len(good) - 1)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not a saved cost; it must start with b'LWC'"),
        (b"PK\x03\x04 something else", "is not a saved cost"),
        (sealed(b"LWC\x02"), "has version 2; this release reads version 1: upgrade losswatch"),
        (b"LWC\x01\0\0\0\0", "is damaged: its checksum differs"),
        (sealed(b"LWC\x01"), "ends too early"),
        (sealed(bytes.fromhex(GOLDEN) + b"\0"), "has bytes that do not belong to it"),
        (sealed(b"LWC\x01" + b"\0\0\xff\xff\xff\xff"), "a number that cannot be"),
        (sealed(b"LWC\x01" + b"\xff\xff\0\0\0\x01\0"), "a number that cannot be"),
    ],
    ids=["empty", "other", "newer", "checksum", "cut", "longer", "size", "shift"],
)
def test_what_is_wrong_is_said(data, message):
    """Each refusal says what was found and what to do."""
    with pytest.raises(StateError, match=message.replace("(", r"\(")):
        Cost.from_bytes(data)


def test_only_bytes_are_read():
    """An integer would become as many zero bytes."""
    with pytest.raises(TypeError):
        Cost.from_bytes(10**12)
