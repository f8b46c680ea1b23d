"""Fields stand where the user says, in JSON and in CSV."""

from __future__ import annotations

import pytest

from losswatch.errors import Reason
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder

PLACES = {"y_true": "p.t", "y_pred": "p.d.e", "w": "meta.w", "model": "meta.m"}


def found_in(batch: Batch) -> list[tuple[object, ...]]:
    columns = batch.columns
    rows = zip(columns.model, columns.y_true, columns.y_pred, columns.w, columns.line, strict=True)
    return [*rows, *(event[:5] for event in batch.events), *map(tuple, batch.refused)]


NO_PRED = Refusal(
    8,
    Reason.MISSING_FIELD,
    "y_pred is missing; must be a number: a record with only y_true needs a prediction_id",
)
NEITHER = Refusal(
    8,
    Reason.MISSING_FIELD,
    "y_true and y_pred are missing; must be numbers: a record with only one of them needs a"
    " prediction_id",
)
NO_OBJECT = Refusal(8, Reason.WRONG_TYPE, "[1] is found where an object with 't' must be")

NESTED = {
    "just the needed": (b'{"p": {"t": 1, "d": {"e": 2}}}', (None, 1.0, 2.0, 1.0, 8)),
    "others beside": (b'{"a": 0, "p": {"b": [], "t": 1, "d": {"e": 2}}}', (None, 1.0, 2.0, 1.0, 8)),
    "optional object empty": (
        b'{"p": {"t": 1, "d": {"e": 2}}, "meta": {}}',
        (None, 1.0, 2.0, 1.0, 8),
    ),
    "optional object null": (
        b'{"p": {"t": 1, "d": {"e": 2}}, "meta": null}',
        (None, 1.0, 2.0, 1.0, 8),
    ),
    "all": (
        b'{"p": {"t": 1, "d": {"e": 2}}, "meta": {"w": 3, "m": "x"}}',
        ("x", 1.0, 2.0, 3.0, 8),
    ),
    "several outputs": (
        b'{"p": {"t": {"a": 1}, "d": {"e": {"a": 2}}}, "meta": {"w": 3}}',
        (None, {"a": 1.0}, {"a": 2.0}, 3.0, 8),
    ),
    "half missing": (b'{"p": {"t": 1}}', NO_PRED),
    "null on the way": (b'{"p": null}', NEITHER),
    "list on the way": (b'{"p": [1]}', NO_OBJECT),
    "dots in the keys": (b'{"p.t": 1, "p.d.e": 2}', NEITHER),
}


@pytest.mark.parametrize(("line", "expected"), NESTED.values(), ids=NESTED)
def test_place_is_a_path_of_keys_in_json(line, expected):
    """In JSON a place with dots is a path of keys; what is optional may be absent at any level."""
    good = b'{"p": {"t": 10, "d": {"e": 8}}}'
    batch = NdjsonDecoder(Fields(PLACES), None, 1000).decode([good, line, good], 7)
    expected = [(None, 10.0, 8.0, 1.0, 7), tuple(expected), (None, 10.0, 8.0, 1.0, 9)]
    assert sorted(map(repr, found_in(batch))) == sorted(map(repr, expected))


@pytest.mark.parametrize("line", [b'{"t": 1, "p": 2}', b'{"meta": {}, "t": 1, "p": 2}'])
def test_absent_optional_object_is_decoded_the_fast_way(line):
    """An event without the objects that hold w and model is one of the columns, as most are."""
    places = {"w": "meta.w", "model": "meta.m", "y_pred": "p", "y_true": "t"}
    batch = NdjsonDecoder(Fields(places), None, 1000).decode([line], 1)
    assert (batch.columns.y_true, batch.columns.y_pred, batch.columns.w) == ([1.0], [2.0], [1.0])
    assert batch.events == []


def test_optional_and_needed_fields_may_share_an_object():
    """In one object the fields may be named in any order, optional ones first."""
    places = {"model": "a.m", "w": "a.w", "y_pred": "a.p", "y_true": "a.t"}
    line = b'{"a": {"t": 1, "p": 2}}'
    batch = NdjsonDecoder(Fields(places), None, 1000).decode([line], 1)
    assert found_in(batch) == [(None, 1.0, 2.0, 1.0, 1)]


def test_place_is_a_name_in_csv():
    """In CSV a place with dots is the name of a column."""
    lines = [b"meta.m,p.d.e,other,p.t,meta.w", b"x,2,?,1,3"]
    batch = CsvDecoder(Fields(PLACES), None, 1000).decode(lines, 1)
    assert found_in(batch) == [("x", 1.0, 2.0, 3.0, 2)]


def test_field_without_a_place_stands_under_its_own_name():
    """A field that is not mapped stands under its own name, beside those that are."""
    line = b'{"actual": 1, "y_pred": 2, "w": 3, "y_true": "not this"}'
    batch = NdjsonDecoder(Fields({"y_true": "actual"}), None, 1000).decode([line], 1)
    assert found_in(batch) == [(None, 1.0, 2.0, 3.0, 1)]


@pytest.mark.parametrize("key", ["actual minutes", "wahr größe", "🎯", "y-true", "0"])
def test_key_may_be_any_text(key):
    """A key with blanks, of any script or with signs is found."""
    line = f'{{"{key}": 1, "y_pred": 2}}'.encode()
    batch = NdjsonDecoder(Fields({"y_true": key}), None, 1000).decode([line], 1)
    assert found_in(batch) == [(None, 1.0, 2.0, 1.0, 1)]


TAKEN = {"y_true": "time", "y_pred": "w"}


@pytest.mark.parametrize(
    ("decoder", "lines"),
    [
        (NdjsonDecoder, [b'{"time": 10, "w": -2, "model": "m"}', b'{"time": 11, "w": -3}']),
        (CsvDecoder, [b"time,w,model", b"10,-2,m", b"11,-3,"]),
    ],
)
@pytest.mark.parametrize("more", [[], [b"oops"]], ids=["together", "singly"])
def test_optional_field_gives_its_place_to_another(decoder, lines, more):
    """What stands where time or w would is read as the other field alone."""
    batch = decoder(Fields(TAKEN), None, 1000).decode([*lines, *more], 1)
    events = [row for row in found_in(batch) if not isinstance(row[1], Reason)]
    last = len(lines)
    wanted = [("m", 10.0, -2.0, 1.0, last - 1), (None, 11.0, -3.0, 1.0, last)]
    assert events[: len(wanted)] == wanted
    assert list(batch.columns.time) == []


def test_optional_field_may_stand_elsewhere_then():
    """A field that gave its place up is read where the user says."""
    line = b'{"w": 10, "y_pred": 12, "weight": 3}'
    fields = Fields({"y_true": "w", "w": "weight"})
    batch = NdjsonDecoder(fields, None, 1000).decode([line], 1)
    assert found_in(batch) == [(None, 10.0, 12.0, 3.0, 1)]


def test_optional_field_gives_way_to_what_is_inside_it():
    """In JSON an object named model holds other fields; in CSV its dot is part of a name."""
    places = {"y_true": "model.actual"}
    line = b'{"model": {"actual": 1}, "y_pred": 2}'
    batch = NdjsonDecoder(Fields(places), "eta", 1000).decode([line], 1)
    assert found_in(batch) == [("eta", 1.0, 2.0, 1.0, 1)]
    lines = [b"model,model.actual,y_pred", b"x,1,2"]
    batch = CsvDecoder(Fields(places), "eta", 1000).decode(lines, 1)
    assert found_in(batch) == [("x", 1.0, 2.0, 1.0, 2)]


def test_several_outputs_where_optional_fields_gave_way():
    """The thorough way knows, too, that a field has no place."""
    line = b'{"time": {"a": 1}, "w": {"a": 3}}'
    batch = NdjsonDecoder(Fields(TAKEN), None, 1000).decode([line], 1)
    assert found_in(batch) == [(None, {"a": 1.0}, {"a": 3.0}, 1.0, 1)]
