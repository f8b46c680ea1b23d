"""Entries of the journal come back as what means the same to a monitor."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch import StateError
from losswatch.codec.tree import decode_tree, encode_tree
from losswatch.core.events import Event, EventColumns
from losswatch.store.entry import Entry

text = st.text(st.characters(exclude_categories=["Cs"]))
maybe_text = st.none() | text
number = st.floats() | st.integers(-(2**53), 2**53)


@st.composite
def columns(draw):
    n = draw(st.integers(0, 6))

    def rows(values):
        return draw(st.lists(values, min_size=n, max_size=n))

    def numbers(values):
        column = rows(values)
        as_array = None not in column and draw(st.booleans())
        return np.array(column, dtype=float) if as_array else column

    optional = st.just(()) | st.lists(maybe_text, min_size=n, max_size=n)
    first = draw(st.integers(0, 2**62))
    return EventColumns(
        model=rows(maybe_text),
        y_true=numbers(st.none() | number),
        y_pred=numbers(st.none() | number),
        w=numbers(number),
        line=draw(st.sampled_from([range(first, first + n), rows(st.integers(0, 2**62))])),
        time=draw(st.sampled_from([(), numbers(st.none() | number)])),
        segment={label: draw(optional) for label in draw(st.sets(text, max_size=2))},
        prediction_id=draw(optional),
    )


outputs = st.dictionaries(text, st.floats())
events = st.builds(
    Event,
    model=maybe_text,
    y_true=st.none() | outputs | st.floats(),
    y_pred=st.none() | outputs,
    w=st.floats(),
    line=st.integers(0),
    time=st.none() | st.floats(),
    segment=st.none() | st.dictionaries(text, maybe_text),
    prediction_id=maybe_text,
)


def back(entry: Entry) -> Entry:
    return Entry.from_bytes(bytes(entry))


def meaning(column) -> list:
    """Return what a monitor sees: NaN in an array is absent, and in a list it is a number."""
    values = column.tolist() if isinstance(column, np.ndarray) else column
    none = math.isnan if isinstance(column, np.ndarray) else lambda value: value is None
    return [None if none(value) else repr(float(value)) for value in values]


@given(columns(), st.floats(allow_nan=False))
def test_columns_come_back(sent, at):
    got = back(Entry(sent, [], at))
    assert got.at == at
    for name in ("y_true", "y_pred", "w", "time"):
        assert meaning(getattr(got.columns, name)) == meaning(getattr(sent, name))
    for name in ("model", "line", "prediction_id"):
        assert list(getattr(got.columns, name)) == list(getattr(sent, name))
    assert list(got.columns.segment) == list(sent.segment)
    for label, column in sent.segment.items():
        assert list(got.columns.segment[label]) == list(column)


@given(st.lists(events, max_size=4))
def test_events_of_several_outputs_come_back(sent):
    """Their outputs in the same order."""
    got = back(Entry(EventColumns(), sent, 0.0)).events
    assert repr(got) == repr(sent)


def test_what_is_absent_is_no_number_that_is_nan():
    sent = EventColumns(
        ["m"] * 3, [None, math.nan, 1.0], [1.0] * 3, [1.0] * 3, range(3), prediction_id=["a"] * 3
    )
    y_true = back(Entry(sent, [], 0.0)).columns.y_true
    assert y_true[0] is None
    assert math.isnan(y_true[1])


def test_a_nan_that_came_as_a_number_is_none_that_is_absent():
    """An array would say: there is no truth. But one came, and is to be refused again."""
    sent = EventColumns(["m"], [math.nan], [1.0], [1.0], [1], prediction_id=["a"])
    (y_true,) = back(Entry(sent, [], 0.0)).columns.y_true
    assert isinstance(back(Entry(sent, [], 0.0)).columns.y_true, list)
    assert math.isnan(y_true)


def test_huge_ids_come_back():
    ids = ["é" * 3_000_000, "", None, "\U0001f600" * 40_000, "a"]
    sent = EventColumns(["m"] * 5, [None] * 5, [1.0] * 5, [1.0] * 5, range(5), prediction_id=ids)
    assert back(Entry(sent, [], 0.0)).columns.prediction_id == ids


def test_an_entry_without_events_comes_back():
    got = back(Entry(EventColumns(), [], 3.5))
    assert (len(got.columns), list(got.events), got.at) == (0, [], 3.5)


NOTHING = {"text": "", "lengths": np.zeros(1, np.int8)}  # one text, of length 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("w", np.ones(2)),
        ("w", np.ones((1, 1))),
        ("w", "text"),
        ("y_true", {"numbers": np.ones(1)}),
        ("model", {"codes": np.array([3], np.int8), "values": NOTHING}),
        ("model", {"rows": 10**12, "values": NOTHING}),
        ("prediction_id", {"text": "ab", "lengths": np.array([1], np.int8)}),
        ("line", [0, 10**15]),
        ("segment", [1]),
    ],
)
def test_an_entry_that_cannot_be_is_refused(name, value):
    tree = decode_tree(bytes(Entry(EventColumns(["m"], [1.0], [1.0], [1.0], [1]), [], 0.0)))
    tree["columns"][name] = value
    with pytest.raises(StateError):
        Entry.from_bytes(encode_tree(tree))


@pytest.mark.parametrize(
    "tree", [[], {}, {"version": 2}, {"version": 1, "columns": {}}, 1, "a"], ids=repr
)
def test_another_tree_is_no_entry(tree):
    with pytest.raises(StateError):
        Entry.from_bytes(encode_tree(tree))
