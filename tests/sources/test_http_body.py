"""Bodies are cut into the texts of their events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.sources.body import UnreadableBodyError, split_body

BODIES = {
    "nothing": (b"", []),
    "only space": (b" \r\n\t\n", []),
    "only a byte order mark": (b"\xef\xbb\xbf", []),
    "much space": (b" " * 1000, []),
    "one line": (b'{"a":1}', [b'{"a":1}']),
    "lines": (b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
    "lines of Windows": (b'{"a":1}\r\n{"a":2}\r\n', [b'{"a":1}\r', b'{"a":2}\r']),
    "an empty line": (b'{"a":1}\n\n{"a":2}', [b'{"a":1}', b"", b'{"a":2}']),
    "a bad first line": (b'nope\n{"a":2}', [b"nope", b'{"a":2}']),
    "one object on many lines": (b'{\n "a": 1\n}\n', [b'{\n "a": 1\n}\n']),
    "an empty array": (b" [ ] ", []),
    "an array": (b'\n[{"a":1}, 5,\n{"a":\n2}]\n', [b'{"a":1}', b"5", b'{"a":\n2}']),
    "an array after a mark": (b"\xef\xbb\xbf[1]", [b"1"]),
    "an array with NaN": (b'[{"a":NaN},-Infinity , [1,{}], "],"]',
                          [b'{"a":NaN}', b"-Infinity", b"[1,{}]", b'"],"']),
    "an array with a long number": (b"[" + b"9" * 5000 + b",NaN]", [b"9" * 5000, b"NaN"]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "texts"), BODIES.values(), ids=BODIES)
def test_texts(body, texts):
    """Each line is a text, or each element of an array, or a single value over many lines."""
    assert split_body(body) == texts


BAD = {
    "cut": (b'[{"a":1},', "Expecting value: line 1, column 10"),
    "cut in an element": (b'[{"a":1', "line 1, column 8"),
    "no comma": (b"[1 2]", "a comma or ] must be here: line 1, column 4"),
    "a comma too many": (b"[NaN,]", "line 1, column 6"),
    "more after it": (b"[NaN]\n[2]", "something follows the array: line 2, column 1"),
    "only opened": (b"[", "line 1, column 2"),
    "too deep": (b"[" * 200_000, "nested too deep|cannot be read"),
    "no UTF-8": (b'["\xff", NaN]', "byte 3 of the body is no UTF-8"),
}


@pytest.mark.parametrize(("body", "message"), BAD.values(), ids=BAD)
def test_what_begins_as_an_array_and_is_none(body, message):
    """It is refused as a whole: nobody can tell where its events are."""
    with pytest.raises(UnreadableBodyError, match=message.replace("[", r"\[").replace("]", r"\]")):
        split_body(body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=8), st.sampled_from([None, 1]), st.booleans())
def test_elements_are_what_was_put_in(values, indent, ascii_only):
    """Whatever Python writes as an array comes apart at the right places."""
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    texts = split_body(body)
    assert json.dumps(list(map(json.loads, texts))) == json.dumps(json.loads(body))
