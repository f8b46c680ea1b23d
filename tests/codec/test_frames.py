"""Frames: whole or refused."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.codec.frames import (
    LARGEST_FRAME,
    BadFrameError,
    Frame,
    Kind,
    decode_number,
    encode_frame,
    encode_number,
    read_frame,
)

KINDS = st.sampled_from(list(Kind))


@given(st.lists(st.tuples(KINDS, st.binary(max_size=300)), max_size=5))
def test_frames_come_back_in_their_order(frames):
    """Any number of them, and then the end."""
    stream = io.BytesIO(b"".join(encode_frame(*frame) for frame in frames))
    assert [read_frame(stream.read) for _ in frames] == [Frame(*frame) for frame in frames]
    assert read_frame(stream.read) is None


@given(KINDS, st.binary(max_size=60), st.data())
def test_any_changed_byte_is_seen(kind, body, data):
    """A frame that is not as it was sent is none, and nothing else is raised."""
    frame = bytearray(encode_frame(kind, body))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadFrameError):
        read_frame(io.BytesIO(frame).read)


@given(KINDS, st.binary(max_size=60), st.data())
def test_any_cut_is_seen(kind, body, data):
    """Where a frame ends too early it is refused."""
    frame = encode_frame(kind, body)
    end = data.draw(st.integers(1, len(frame) - 1))
    with pytest.raises(BadFrameError):
        read_frame(io.BytesIO(frame[:end]).read)


def test_refusals_are_read_in_every_version():
    """The frame that says which version is wanted must be readable."""
    frame = bytearray(encode_frame(Kind.REFUSED, b""))
    frame[3] = 9
    with pytest.raises(BadFrameError, match="checksum"):  # and not: version
        read_frame(io.BytesIO(frame).read)


def test_sizes_and_numbers_have_bounds():
    """What is too large is not sent, and a number that is not there is not read."""
    with pytest.raises(ValueError, match="at most 16777216 can be sent"):
        encode_frame(Kind.BATCH, bytes(LARGEST_FRAME + 1))
    with pytest.raises(BadFrameError, match="has no number"):
        decode_number(b"1234567")
    assert decode_number(encode_number(2**63) + b"x") == (2**63, b"x")
