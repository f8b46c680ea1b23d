"""Trees come back as they were, and nothing else is taken for one."""

import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from losswatch import StateError
from losswatch.codec.tree import decode_tree, encode_tree

dtypes = st.sampled_from(["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f8"]).map(np.dtype)
arrays = npst.arrays(dtypes, npst.array_shapes(max_dims=2, min_side=0, max_side=4))
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | arrays
    | st.integers(-(10**400), 10**400)
)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner)
)

SMALL = {
    "a": [1, -(2**70), 0.5, None, True, "é"],
    "b": np.arange(3, dtype=np.int16),
    "c": np.ones((2, 1)),
    "d": b"",
}


def same(one, other) -> bool:
    """Tell whether two trees are equal to the last bit, and of the same types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    return one == other


def sealed(body: bytes) -> bytes:
    return b"LWT\x01" + zlib.crc32(body).to_bytes(4, "little") + body


@given(trees)
def test_every_tree_comes_back(tree):
    assert same(decode_tree(encode_tree(tree)), tree)


@given(trees)
def test_equal_trees_have_equal_bytes(tree):
    """Also after a round trip, and whatever the order in which a dict was filled."""
    assert encode_tree(decode_tree(encode_tree(tree))) == encode_tree(tree)
    if isinstance(tree, dict):
        assert encode_tree(dict(reversed(tree.items()))) == encode_tree(tree)


def test_bytes_are_those_of_the_first_release():
    """The format is a promise: these bytes must be read for ever."""
    golden = bytes.fromhex(
        "4c575401c91edea87b0400000000000000730100000000000000615b0600000000000000690100000000"
        "000000016909000000000000000000000000000000c02e000000000000e03f6e74730200000000000000"
        "c3a973010000000000000062616201030000000000000000000100020073010000000000000063616602"
        "02000000000000000100000000000000000000000000f03f000000000000f03f73010000000000000064"
        "620000000000000000"
    )
    assert same(decode_tree(golden), SMALL)
    assert encode_tree(SMALL) == golden


@pytest.mark.parametrize("order", [">i4", ">f8", "<u2"])
def test_arrays_of_any_order_and_stride_are_saved(order):
    array = np.arange(24, dtype=order).reshape(4, 6)[::2, ::-3]
    back = decode_tree(encode_tree({"a": array}))["a"]
    assert (back == array).all()
    assert back.dtype.isnative
    back[0, 0] = 7  # its own memory


@pytest.mark.parametrize("place", range(len(encode_tree(SMALL))))
def test_one_changed_byte_is_found(place):
    for change in (1, 0x80, 0xFF):
        bad = bytearray(encode_tree(SMALL))
        bad[place] ^= change
        with pytest.raises(StateError):
            decode_tree(bytes(bad))


@pytest.mark.parametrize("size", range(len(encode_tree(SMALL))))
def test_a_cut_is_found(size):
    with pytest.raises(StateError):
        decode_tree(encode_tree(SMALL)[:size])


def test_what_is_too_long_is_found():
    with pytest.raises(StateError, match="checksum"):
        decode_tree(encode_tree(SMALL) + b"\0")
    with pytest.raises(StateError, match="bytes that do not belong to it"):
        decode_tree(sealed(b"nn"))


@given(trees, st.data())
def test_lies_with_a_right_checksum_raise_nothing_else(tree, data):
    """Whatever is changed, a tree comes out, or the one error."""
    body = bytearray(encode_tree(tree)[8:])
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(StateError):
        decode_tree(sealed(bytes(body)))


@pytest.mark.parametrize(
    "body",
    [
        b"a" + b"f\x01" + (2**60).to_bytes(8, "little"),
        b"a" + b"f\x02" + (2**62).to_bytes(8, "little") + (0).to_bytes(8, "little"),
        b"[" + (2**63).to_bytes(8, "little"),
        b"{" + (2**63).to_bytes(8, "little"),
        b"s" + (2**63).to_bytes(8, "little"),
        b"[\x01\0\0\0\0\0\0\0" * 100_000,
        b"a?\x01\x01\0\0\0\0\0\0\0\x02",
        b"",
    ],
    ids=["array", "empty array", "list", "dict", "text", "nesting", "boolean", "nothing"],
)
def test_lies_about_sizes_cost_nothing(body):
    with pytest.raises(StateError):
        decode_tree(sealed(body))


@pytest.mark.parametrize(
    "tree",
    [{1: 2}, (1,), {1}, np.float32([1]), np.zeros((1, 1, 1)), np.array("a"), np.array([None]), 1j],
    ids=repr,
)
def test_what_a_state_cannot_hold_is_named(tree):
    with pytest.raises(TypeError, match="a state"):
        encode_tree([tree])


def test_deep_trees_are_refused_when_they_are_written():
    tree = []
    for _ in range(70):
        tree = [tree]
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        encode_tree(tree)


def test_a_later_version_asks_for_an_upgrade():
    with pytest.raises(StateError, match=r"version 2; .* reads version 1: upgrade losswatch"):
        decode_tree(b"LWT\x02" + encode_tree(SMALL)[4:])
