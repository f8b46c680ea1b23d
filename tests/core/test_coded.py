"""Columns that keep each distinct value once are, in all they do, the lists that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.core.coded import Coded
from losswatch.core.events import EventColumns
from losswatch.core.registry import Registry
from losswatch.core.segments import Segments

VALUES = st.lists(st.sampled_from(["a", "b", "c", "d", "", None]), min_size=1, max_size=6)
LABELS = ("city", "tier", "size")


@st.composite
def coded(draw, size: int | None = None) -> Coded:
    """Values may be there twice, or without a row."""
    values = draw(VALUES)
    count = draw(st.integers(0, 30)) if size is None else size
    codes = st.lists(st.integers(0, len(values) - 1), min_size=count, max_size=count)
    return Coded(np.array(draw(codes), dtype=np.intp), values)


@given(coded())
def test_it_reads_like_a_list(column):
    """Its length, its items, slices and values."""
    wanted = [column.values[code] for code in column.codes.tolist()]
    assert list(column) == column.tolist() == wanted
    assert len(column) == len(wanted)
    assert list(column[1:5]) == wanted[1:5]
    assert [column[place] for place in range(len(column))] == wanted
    assert sorted(map(str, column.distinct())) == sorted(map(str, set(wanted)))
    assert list(Coded.of(wanted)) == wanted


def test_a_constant_takes_no_memory():
    """One value for any number of rows."""
    column = Coded.constant("a", 1 << 40)
    assert (len(column), column[1 << 39], column.distinct()) == (1 << 40, "a", ["a"])


@given(coded())
def test_groups_are_in_the_order_of_their_first_rows(column):
    """Each value that occurs once, with all its rows in order."""
    rows = column.tolist()
    wanted = [(v, [i for i, x in enumerate(rows) if x == v]) for v in dict.fromkeys(rows)]
    assert [(value, which.tolist()) for value, which in column.groups()] == wanted


@given(coded())
def test_events_are_split_by_model_as_those_of_lists(column):
    """The same models in the same order, each with its events."""
    size = len(column)
    numbers = np.arange(float(size))
    rest = {"y_true": numbers, "y_pred": numbers, "line": range(size), "w": np.ones(size)}
    parts = {}
    for kind, model in (("list", column.tolist()), ("coded", column)):
        events = EventColumns(model=model, segment={"city": model}, **rest)
        split = list(events.by_model()) if size else []
        parts[kind] = [
            (m, list(e.line), list(e.y_true), list(e.model), list(e.segment["city"]))
            for m, e in split
        ]
    assert parts["coded"] == parts["list"]


@pytest.mark.parametrize(
    ("w", "wanted"),
    [(np.ones(3), None), (np.broadcast_to(1.0, 3), None), (np.array([1.0, 2.0, 1.0]), [1, 2, 1])],
)
def test_weights_of_1_are_none(w, wanted):
    """Of an array too, and of one number for all."""
    found = EventColumns(w=w, line=range(3)).weights()
    assert (None if found is None else list(found)) == wanted
    assert list(EventColumns(w=np.broadcast_to(2.0, 3), line=range(3)).weights()) == [2, 2, 2]


@given(st.data(), st.integers(1, 3), st.integers(1, 5), st.booleans())
def test_segments_get_the_slots_that_lists_give_them(data, labels, limit, declared):
    """Also beyond the limit, without a label, with one that cannot be used, and over batches."""
    names = LABELS[:labels]
    first = tuple([dict.fromkeys(names, "b")] if declared else [])
    segments = Segments(names, limit=limit, declared=first)
    ours, theirs = Registry(segments, 0.0), Registry(segments, 0.0)
    for _ in range(data.draw(st.integers(1, 3))):
        size = data.draw(st.integers(0, 12))
        columns = {name: data.draw(coded(size)) for name in names}
        keep = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
        found_keep, wanted_keep = keep.copy(), keep.copy()
        found, refused = ours.places(columns, found_keep)
        lists = {name: column.tolist() for name, column in columns.items()}
        wanted, known = theirs.places(lists, wanted_keep)
        assert found_keep.tolist() == wanted_keep.tolist()
        assert found[found_keep].tolist() == wanted[wanted_keep].tolist()
        told = sorted((r.index, r.reason, r.detail) for r in refused)
        assert told == [(r.index, r.reason, r.detail) for r in known]
        assert ours.overflowed == theirs.overflowed
        assert ours.names(np.arange(ours.size)) == theirs.names(np.arange(theirs.size))


def test_many_combinations_are_told_apart():
    """Also where there are too many to count them in one array."""
    size = 400
    values = [f"v{n}" for n in range(size)]
    columns = {name: Coded(np.arange(size), values) for name in LABELS[:2]}
    registry = Registry(Segments(LABELS[:2], limit=1000), 0.0)
    slots, refused = registry.places(columns, np.ones(size, dtype=bool))
    assert (slots.tolist(), refused) == (list(range(3, size + 3)), [])


@given(st.lists(coded(), min_size=1, max_size=4))
def test_columns_after_one_another_are_their_lists(columns):
    """Joining keeps every row in its place."""
    assert list(Coded.join(columns)) == [value for column in columns for value in column]


@given(st.lists(st.tuples(coded(5), st.booleans()), min_size=2, max_size=4))
def test_batches_of_columns_are_joined_row_by_row(parts):
    """Those of arrays stay arrays, where all are; what an array lacks is NaN, a list ``None``."""
    batches = [
        EventColumns(
            model=column,
            y_true=np.arange(5.0) if as_arrays else [0.0, 1.0, 2.0, 3.0, 4.0],
            y_pred=np.full(5, np.nan) if as_arrays else [None] * 5,
            w=np.ones(5) if as_arrays else [1.0] * 5,
            line=range(5),
            segment={"city": column} if as_arrays else {},
            prediction_id=["a"] * 5,
        )
        for column, as_arrays in parts
    ]
    joined = EventColumns.join(batches)
    assert list(joined.model) == [value for column, _ in parts for value in column]
    assert list(joined.y_true) == [0.0, 1.0, 2.0, 3.0, 4.0] * len(parts)
    assert isinstance(joined.y_pred, np.ndarray) == all(flag for _, flag in parts)
    absent = [value is None or value != value for value in joined.y_pred]  # noqa: PLR0124
    assert all(absent)
    if any(flag for _, flag in parts):
        cities = [v for column, flag in parts for v in (column if flag else [None] * 5)]
        assert list(joined.segment["city"]) == cities
