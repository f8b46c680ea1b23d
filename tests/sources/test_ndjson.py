"""Lines of JSON: what is refused and why, and that good lines never suffer for bad ones."""

from __future__ import annotations

import json
from itertools import starmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.core.events import Event
from losswatch.errors import Reason
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder

LIMIT = 1 << 20
GOOD = b'{"y_true": 10.0, "y_pred": 8.0}'
BOM = b"\xef\xbb\xbf"


def make_decoder(*, model: str | None = None, limit: int = LIMIT) -> NdjsonDecoder:
    return NdjsonDecoder(Fields(), model, limit)


def accepted(batch: Batch) -> list[Event]:
    columns = batch.columns
    rows = zip(columns.model, columns.y_true, columns.y_pred, columns.w, columns.line, strict=True)
    return sorted([*starmap(Event, rows), *batch.events], key=lambda event: event.line)


def decode_one(line: bytes, model: str | None = None) -> tuple[Event | None, Refusal | None]:
    """Decode a line between two good ones; return its event and its refusal."""
    batch = make_decoder(model=model).decode([GOOD, line, GOOD], 7)
    events = accepted(batch)
    assert [events[0], events[-1]] == [
        Event(model, 10.0, 8.0, 1.0, 7),
        Event(model, 10.0, 8.0, 1.0, 9),
    ]
    assert batch.lines == 3
    assert len(events) + len(batch.refused) == 3
    event = events[1] if len(events) == 3 else None
    return event, batch.refused[0] if batch.refused else None


def true_is(value: bytes) -> bytes:
    return b'{"y_true": %s, "y_pred": 8.0}' % value


NUMBER = "must be a number"
NO_TRUE = "a record with only y_pred needs a prediction_id"
NO_PRED = "a record with only y_true needs a prediction_id"
NEITHER = (
    "y_true and y_pred are missing; must be numbers: a record with only one of them needs a"
    " prediction_id"
)
FINITE = "must be a finite float64"
ONE = "must be one JSON object a line"
DEEP = "the line is nested too deep; must be a JSON object with few levels"
EMPTY = "the line is empty; must be a JSON object"
DEEP_LIST = b"[" * 100_000 + b"]" * 100_000
DEEP_DICT = b'{"a":' * 100_000 + b"1" + b"}" * 100_000

REFUSED = {
    "NaN": (true_is(b"NaN"), Reason.NOT_FINITE, f"y_true is nan; {FINITE}"),
    "Infinity": (true_is(b"Infinity"), Reason.NOT_FINITE, f"y_true is inf; {FINITE}"),
    "-Infinity": (true_is(b"-Infinity"), Reason.NOT_FINITE, f"y_true is -inf; {FINITE}"),
    "1e400": (true_is(b"1e400"), Reason.NOT_FINITE, f"y_true is inf; {FINITE}"),
    "-1e400": (true_is(b"-1e400"), Reason.NOT_FINITE, f"y_true is -inf; {FINITE}"),
    "400 digits": (true_is(b"9" * 400), Reason.NOT_FINITE, f"y_true is inf; {FINITE}"),
    "10000 digits": (true_is(b"9" * 10_000), Reason.NOT_FINITE, f"y_true is inf; {FINITE}"),
    "NaN in y_pred": (
        b'{"y_true": 1, "y_pred": NaN}',
        Reason.NOT_FINITE,
        f"y_pred is nan; {FINITE}",
    ),
    "NaN in w": (
        b'{"y_true": 1, "y_pred": 1, "w": NaN}',
        Reason.NOT_FINITE,
        f"w is nan; {FINITE}",
    ),
    "NaN in an output": (
        b'{"y_true": {"a": 1, "b": NaN}, "y_pred": {"a": 1, "b": 1}}',
        Reason.NOT_FINITE,
        f"y_true.b is nan; {FINITE}",
    ),
    "text": (true_is(b'"10"'), Reason.WRONG_TYPE, f"y_true is '10'; {NUMBER}"),
    "long text": (
        true_is(b'"%s"' % (b"x" * 1000)),
        Reason.WRONG_TYPE,
        f"y_true is '{'x' * 59}; {NUMBER}",
    ),
    "boolean": (true_is(b"true"), Reason.WRONG_TYPE, f"y_true is True; {NUMBER}"),
    "list": (true_is(b"[1, 2]"), Reason.WRONG_TYPE, f"y_true is [1, 2]; {NUMBER}"),
    "w is text": (
        b'{"y_true": 1, "y_pred": 1, "w": "2"}',
        Reason.WRONG_TYPE,
        f"w is '2'; {NUMBER}",
    ),
    "model is a number": (
        b'{"y_true": 1, "y_pred": 1, "model": 7}',
        Reason.WRONG_TYPE,
        "model is 7; must be text",
    ),
    "null": (true_is(b"null"), Reason.MISSING_FIELD, f"y_true is missing; {NUMBER}: {NO_TRUE}"),
    "no y_true": (
        b'{"y_pred": 8.0}',
        Reason.MISSING_FIELD,
        f"y_true is missing; {NUMBER}: {NO_TRUE}",
    ),
    "no y_pred": (
        b'{"y_true": 8.0}',
        Reason.MISSING_FIELD,
        f"y_pred is missing; {NUMBER}: {NO_PRED}",
    ),
    "empty object": (b"{}", Reason.MISSING_FIELD, NEITHER),
    "empty line": (b"", Reason.EMPTY_LINE, EMPTY),
    "blanks": (b" \t ", Reason.EMPTY_LINE, EMPTY),
    "CR alone": (b"\r", Reason.EMPTY_LINE, EMPTY),
    "half a line": (
        GOOD[:20],
        Reason.INVALID_JSON,
        f"Unterminated string starting at: column 18; {ONE}",
    ),
    "half an object after": (GOOD[20:], Reason.INVALID_JSON, f"Expecting value: column 1; {ONE}"),
    "two objects": (GOOD + GOOD, Reason.INVALID_JSON, f"Extra data: column 32; {ONE}"),
    "top-level list": (
        b"[1, 2]",
        Reason.WRONG_TYPE,
        "[1, 2] is found; must be a JSON object",
    ),
    "top-level number": (
        b"7",
        Reason.WRONG_TYPE,
        "7 is found; must be a JSON object",
    ),
    "top-level text": (
        b'"y_true"',
        Reason.WRONG_TYPE,
        "'y_true' is found; must be a JSON object",
    ),
    "last of two keys": (
        b'{"y_true": 1, "y_pred": 1, "y_true": "x"}',
        Reason.WRONG_TYPE,
        f"y_true is 'x'; {NUMBER}",
    ),
    "too long": (
        b'{"y_true": 1, "y_pred": 1, "x": "%s"}' % (b"x" * LIMIT),
        Reason.LINE_TOO_LONG,
        "the line has more than 1048576 bytes; raise max_line_bytes if it should",
    ),
    "no UTF-8 in a used field": (
        b'{"y_true": 1, "y_pred": 1, "model": "\xff"}',
        Reason.INVALID_UTF8,
        "byte 38 of the line is no UTF-8",
    ),
    "no UTF-8 in an unused field": (
        b'{"y_true": 1, "y_pred": 1, "x": "\xff"}',
        Reason.INVALID_UTF8,
        "byte 34 of the line is no UTF-8",
    ),
    "no UTF-8 in a key": (
        b'{"y_true": 1, "y_pred": 1, "\xff": 1}',
        Reason.INVALID_UTF8,
        "byte 29 of the line is no UTF-8",
    ),
    "half a character at the end": (
        GOOD + b"\xc3",
        Reason.INVALID_UTF8,
        "byte 32 of the line is no UTF-8",
    ),
    "half a surrogate pair in model": (
        rb'{"y_true": 1, "y_pred": 1, "model": "\ud800"}',
        Reason.INVALID_UTF8,
        r"model has '\ud800', which is no Unicode text",
    ),
    "half a surrogate pair in an output": (
        rb'{"y_true": {"\ud800": 1}, "y_pred": {"\ud800": 1}}',
        Reason.INVALID_UTF8,
        r"y_true has '\ud800', which is no Unicode text",
    ),
    "UTF-16": (
        GOOD.decode().encode("utf-16-le"),
        Reason.INVALID_JSON,
        f"Expecting property name enclosed in double quotes: column 2; {ONE}",
    ),
    "deep list in a used field": (true_is(DEEP_LIST), Reason.TOO_DEEP, DEEP),
    "deep object in a used field": (true_is(DEEP_DICT), Reason.TOO_DEEP, DEEP),
    "deep list in an unused field": (
        b'{"x": %s, "y_true": 1, "y_pred": 1}' % DEEP_LIST,
        Reason.TOO_DEEP,
        DEEP,
    ),
    "deep object in an unused field": (
        b'{"y_true": 1, "y_pred": 1, "x": %s}' % DEEP_DICT,
        Reason.TOO_DEEP,
        DEEP,
    ),
}

ACCEPTED = {
    "integers": (b'{"y_true": 10, "y_pred": -8}', (None, 10.0, -8.0, 1.0)),
    "300 digits": (true_is(b"1" + b"0" * 299), (None, 1e299, 8.0, 1.0)),
    "NaN in an unrelated field": (
        b'{"x": NaN, "y_true": 10.0, "y_pred": 8.0}',
        (None, 10.0, 8.0, 1.0),
    ),
    "1e400 in an unrelated field": (
        b'{"x": 1e400, "y_true": 10.0, "y_pred": 8.0}',
        (None, 10.0, 8.0, 1.0),
    ),
    "w is null": (b'{"y_true": 1, "y_pred": 2, "w": null}', (None, 1.0, 2.0, 1.0)),
    "w is given": (b'{"y_true": 1, "y_pred": 2, "w": 0.5}', (None, 1.0, 2.0, 0.5)),
    "negative w, which the core refuses": (
        b'{"y_true": 1, "y_pred": 2, "w": -1}',
        (None, 1.0, 2.0, -1.0),
    ),
    "model": (b'{"y_true": 1, "y_pred": 2, "model": "eta"}', ("eta", 1.0, 2.0, 1.0)),
    "model is null": (b'{"y_true": 1, "y_pred": 2, "model": null}', (None, 1.0, 2.0, 1.0)),
    "BOM": (BOM + GOOD, (None, 10.0, 8.0, 1.0)),
    "CRLF": (GOOD + b"\r", (None, 10.0, 8.0, 1.0)),
    "blanks around": (b"  " + GOOD + b"\t", (None, 10.0, 8.0, 1.0)),
    "last of two keys": (
        b'{"y_true": "x", "y_true": 3, "y_pred": 2, "y_pred": 4}',
        (None, 3.0, 4.0, 1.0),
    ),
    "escaped key": (rb'{"y\u005ftrue": 1, "y_pred": 2}', (None, 1.0, 2.0, 1.0)),
    "several outputs": (
        b'{"y_true": {"lat": 1, "lon": 2}, "y_pred": {"lat": 3, "lon": 4}, "w": 2}',
        (None, {"lat": 1.0, "lon": 2.0}, {"lat": 3.0, "lon": 4.0}, 2.0),
    ),
    "100 levels in an unused field": (
        b'{"x": %s1%s, "y_true": 10, "y_pred": 8}' % (b"[" * 100, b"]" * 100),
        (None, 10.0, 8.0, 1.0),
    ),
}


@pytest.mark.parametrize(("line", "reason", "detail"), REFUSED.values(), ids=REFUSED)
def test_bad_line_is_refused(line, reason, detail):
    """A bad line is refused with its number, its reason and what was found; others count."""
    event, refusal = decode_one(line)
    assert event is None
    assert refusal == Refusal(8, reason, detail)


@pytest.mark.parametrize(("line", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_good_line_is_accepted(line, expected):
    """A line that holds an event is accepted, alone and between others."""
    assert decode_one(line) == (Event(*expected, 8), None)
    assert accepted(make_decoder().decode([line], 3)) == [Event(*expected, 3)]


def test_object_over_two_lines_is_two_refusals():
    """An object that goes over two lines is refused twice and harms nothing else."""
    batch = make_decoder().decode([GOOD, b'{"y_true": 1,', b'"y_pred": 2}', GOOD], 1)
    assert [event.line for event in accepted(batch)] == [1, 4]
    assert [(refusal.line, refusal.reason) for refusal in batch.refused] == [
        (2, Reason.INVALID_JSON),
        (3, Reason.INVALID_JSON),
    ]


@pytest.mark.parametrize("text", [b"", b', "model": null', b', "model": ""'])
@pytest.mark.parametrize("slow", [b"", b', "x": NaN'], ids=["fast", "slow"])
def test_event_without_model_gets_that_of_the_source(text, slow):
    """An event that names no model, or an empty one, belongs to the model of the source."""
    line = b'{"y_true": 1, "y_pred": 2%s%s}' % (text, slow)
    event, _ = decode_one(line, model="eta")
    assert event == Event("eta", 1.0, 2.0, 1.0, 8)


def test_event_with_model_keeps_it():
    """An event that names a model keeps it, whatever the source says."""
    event, _ = decode_one(b'{"y_true": 1, "y_pred": 2, "model": "b"}', model="a")
    assert event == Event("b", 1.0, 2.0, 1.0, 8)


def test_several_outputs_come_as_events_and_the_others_as_columns():
    """Events of several outputs are in ``events``, those of one output in ``columns``."""
    outputs = b'{"y_true": {"a": 1}, "y_pred": {"a": 2}}'
    batch = make_decoder().decode([GOOD, outputs, GOOD], 1)
    assert batch.events == [Event(None, {"a": 1.0}, {"a": 2.0}, 1.0, 2)]
    assert list(batch.columns.line) == [1, 3]


def test_no_lines_are_an_empty_batch():
    """No lines give a batch with nothing in it."""
    batch = make_decoder().decode([], 1)
    assert (len(batch.columns), batch.events, batch.refused, batch.lines) == (0, [], [], 0)


@pytest.mark.parametrize(("length", "refused"), [(100, 0), (101, 1)])
def test_limit_is_the_longest_line_taken(length, refused):
    """A line of just the limit is taken, one byte more is refused."""
    line = b'{"y_true": 1, "y_pred": 2}'.ljust(length)
    assert len(make_decoder(limit=100).decode([line], 1).refused) == refused


FINITE_FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE_FLOATS, FINITE_FLOATS)
def test_numbers_arrive_unchanged(y_true, y_pred):
    """Every finite float64 that JSON spells arrives as the same float64."""
    line = json.dumps({"y_true": y_true, "y_pred": y_pred}).encode()
    assert accepted(make_decoder().decode([line], 1)) == [Event(None, y_true, y_pred, 1.0, 1)]
