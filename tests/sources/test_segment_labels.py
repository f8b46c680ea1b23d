"""Labels of segments, in JSON and in CSV: their values, or what is wrong with them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.errors import Reason
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder

LABELS = ("city", "tier")
RULE = "must be text of 1 to 128 characters, none a control, or a whole number"


def from_json(*segments: str, fields=None, beside: str = ""):
    """Decode a line for each segment as it stands in JSON."""
    decoder = NdjsonDecoder(fields or Fields({}, LABELS), None, 10_000)
    lines = [f'{{"y_true": 1, "y_pred": 2{segment}}}'.encode() for segment in segments]
    return outcome(decoder.decode([*lines, *([beside.encode()] if beside else [])], 1))


def from_csv(*rows: str, header: str = "segment.city", fields=None):
    """Decode rows of cells that follow two numbers."""
    decoder = CsvDecoder(fields or Fields({}, LABELS), None, 10_000)
    decoder.decode([f"y_true,y_pred,{header}".encode()], 0)
    return outcome(decoder.decode([f"1,2,{row}".encode() for row in rows], 1))


def outcome(batch):
    columns = batch.columns
    found = {
        line: {label: column[place] for label, column in columns.segment.items()}
        for place, line in enumerate(columns.line)
    }
    found |= {event.line: event.segment for event in batch.events}
    assert len(found) + len(batch.refused) == batch.lines
    return found, [(refusal.line, refusal.reason, refusal.detail) for refusal in batch.refused]


def city(value: str) -> str:
    return f', "segment": {{"city": {value}}}'


ACCEPTED = {
    "text": ('"oslo"', "oslo"),
    "other script": ('"København 🎯"', "København 🎯"),
    "joiners": (
        '"\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f4bb"',
        "\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f4bb",
    ),
    "blanks around": ('" a "', " a "),
    "number as text": ('"1.5"', "1.5"),
    "whole number": ("12", "12"),
    "negative": ("-7", "-7"),
    "minus nought": ("-0", "0"),
    "30 digits": ("9" * 30, "9" * 30),
    "128 characters": (f'"{"ø" * 128}"', "ø" * 128),
    "128 digits": ("1" * 128, "1" * 128),
    "null": ("null", None),
}
REFUSED = {
    "empty text": ('""', f"is ''; {RULE}"),
    "129 characters": (f'"{"x" * 129}"', f"has 129 characters; {RULE}"),
    "129 digits": ("1" * 129, f"is a number of more than 128 digits; {RULE}"),
    "minus and 128 digits": (f"-{'1' * 128}", f"has 129 characters; {RULE}"),
    "line feed": (r'"a\nb"', rf"is 'a\nb'; {RULE}"),
    "NUL": (r'"\u0000"', rf"is '\x00'; {RULE}"),
    "DEL": (r'"\u007f"', rf"is '\x7f'; {RULE}"),
    "C1 control": (r'"\u0085"', rf"is '\x85'; {RULE}"),
    "half a surrogate pair": (r'"\ud800"', rf"is '\ud800'; {RULE}"),
    "fraction": ("1.5", f"is 1.5; {RULE}"),
    "whole fraction": ("12.0", f"is 12.0; {RULE}"),
    "exponent": ("1e2", f"is 100.0; {RULE}"),
    "300 digits": ("1" * 300, f"is {float('1' * 300)!r}; {RULE}"),
    "NaN": ("NaN", f"is nan; {RULE}"),
    "true": ("true", f"is True; {RULE}"),
    "list": ("[1]", f"is [1]; {RULE}"),
    "object": ('{"a": 1}', f"is {{'a': 1}}; {RULE}"),
}


@pytest.mark.parametrize("beside", ["", "bad"], ids=["fast", "careful"])
@pytest.mark.parametrize(("value", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_value_in_json(value, expected, beside):
    """Text stays what it is, a whole number is spelled in decimal, null is no value."""
    found, _ = from_json(city('"rome"'), city(value), beside=beside)
    assert found == {1: {"city": "rome", "tier": None}, 2: {"city": expected, "tier": None}}


@pytest.mark.parametrize(("value", "detail"), REFUSED.values(), ids=REFUSED)
def test_bad_value_in_json(value, detail):
    """A value that cannot name a segment is refused with its label; its neighbours are not."""
    found, refused = from_json(city('"a"'), city(value), city("null"))
    assert refused == [(2, Reason.INVALID_SEGMENT, f"segment.city {detail}")]
    assert found == {1: {"city": "a", "tier": None}, 3: {"city": None, "tier": None}}


def test_whole_number_and_its_text_are_one_value():
    """The number 12 and the text 12 name the same segment; true and 1.0 do not pass for 1."""
    found, refused = from_json(city("12"), city('"12"'), city("1"), city("true"), city("1.0"))
    assert [segment["city"] for segment in found.values()] == ["12", "12", "1"]
    assert [line for line, *_ in refused] == [4, 5]


@pytest.mark.parametrize("segment", ["", ', "segment": null', ', "segment": {}'])
def test_event_may_have_no_segment(segment):
    """No segment, null and an empty object are no values."""
    assert from_json(segment) == ({1: {"city": None, "tier": None}}, [])


@pytest.mark.parametrize("segment", ['"oslo"', "7", "[]", "true"])
def test_segment_that_is_no_object_is_refused(segment):
    """A segment that is no object is refused as one, if a label of it is needed."""
    _, ((line, reason, detail),) = from_json(city('"a"'), f', "segment": {segment}')
    assert (line, reason) == (2, Reason.INVALID_SEGMENT)
    assert detail == f"{json.loads(segment)!r} is found where an object with 'city' must be"
    assert from_json(f', "segment": {segment}', fields=Fields()) == ({1: {}}, [])


def test_labels_not_asked_for_are_ignored():
    """What stands in other labels is of no interest, be it bad."""
    fields = Fields({"segment.zone": "z"}, ["city"])
    line = ', "segment": {"city": "a", "zone": 1.5}, "z": {}'
    assert from_json(line, fields=fields) == ({1: {"city": "a"}}, [])
    found, refused = from_csv("a,,x", header="segment.city,segment.zone,y", fields=fields)
    assert (found, refused) == ({1: {"city": "a"}}, [])


def test_several_outputs_have_a_segment():
    """An event of several outputs has its segment; without labels it has none."""
    line = b'{"y_true": {"a": 1}, "y_pred": {"a": 2}, "segment": {"city": 5}}'
    (event,) = NdjsonDecoder(Fields({}, LABELS), None, 1000).decode([line], 1).events
    assert event.segment == {"city": "5", "tier": None}
    (event,) = NdjsonDecoder(Fields(), None, 1000).decode([line], 1).events
    assert event.segment is None


def test_value_in_csv():
    """A cell is text whatever it looks like, without the blanks around; empty is no value."""
    expected = {1: "oslo", 2: "12", 3: "1.5", 4: "true", 5: None, 6: None, 7: "b"}
    found, refused = from_csv("oslo", "12", "1.5", "true", "", "  ", " b \r")
    assert {line: segment["city"] for line, segment in found.items()} == expected
    assert refused == []
    found, _ = from_csv("oslo", "København", '"a,b"')
    assert [segment["city"] for segment in found.values()] == ["oslo", "København", "a,b"]


def test_bad_value_in_csv():
    """A cell that is too long or has control characters is refused; its neighbours are not."""
    found, refused = from_csv("a", "x" * 129, "b\x01c", "d")
    assert refused == [
        (2, Reason.INVALID_SEGMENT, f"segment.city has 129 characters; {RULE}"),
        (3, Reason.INVALID_SEGMENT, rf"segment.city is 'b\x01c'; {RULE}"),
    ]
    assert [segment["city"] for segment in found.values()] == ["a", "d"]


def test_labels_stand_where_fields_says():
    """A label may have a name of the user's own, in JSON and in CSV."""
    fields = Fields({"segment.city": "p.town", "segment.tier": "tier"}, LABELS)
    expected = ({1: {"city": "oslo", "tier": "gold"}}, [])
    assert from_json(', "p": {"town": "oslo"}, "tier": "gold"', fields=fields) == expected
    assert from_csv("gold,oslo", header="tier,p.town", fields=fields) == expected


def test_column_of_a_label_that_fields_names_must_be_there():
    """A label's own column may be missing, but not one that the user named."""
    assert from_csv("x", header="other") == ({1: {"city": None, "tier": None}}, [])
    fields = Fields({"segment.city": "town"}, LABELS)
    _, ((_, reason, _),) = from_csv("x", header="other", fields=fields)
    assert reason == Reason.WRONG_HEADER


def test_refused_event_keeps_its_model():
    """A refusal for its segment is counted for the model that the event names."""
    line = b'{"y_true": 1, "y_pred": 2, "model": "eta", "segment": {"tier": ""}}'
    (refusal,) = NdjsonDecoder(Fields({}, LABELS), "fare", 1000).decode([line], 1).refused
    assert (refusal.model, refusal.detail) == ("eta", f"segment.tier is ''; {RULE}")
    decoder = CsvDecoder(Fields({}, LABELS), "fare", 1000)
    batch = decoder.decode([b"model,y_true,y_pred,segment.tier", b"eta,1,2,\x02"], 1)
    assert [refusal.model for refusal in batch.refused] == ["eta"]


values = st.sampled_from([value for value, _ in (*ACCEPTED.values(), *REFUSED.values())])


@given(st.lists(st.tuples(values, st.sampled_from(["1", "-1", '"x"'])), max_size=8))
def test_a_segment_does_not_depend_on_its_neighbours(lines):
    """In any mixture with bad values and bad times each line has the outcome that it has alone."""
    texts = [f'{city(value)}, "time": {time}' for value, time in lines]
    alone = [from_json(text) for text in texts]
    found, refused = from_json(*texts)
    for line, segment in found.items():
        assert alone[line - 1] == ({1: segment}, [])
    for line, reason, detail in refused:
        assert alone[line - 1] == ({}, [(1, reason, detail)])


@given(st.text("a ø\x01\x7f\x85\xa0\u2028🎯'", max_size=140))
def test_any_text_is_taken_or_refused_alike_in_both_formats(text):
    """What is a value in JSON is the same value in CSV, and nothing ever raises."""
    clean = text.strip()
    here, bad = from_json(city(json.dumps(clean)))
    there, also_bad = from_csv(clean)
    if clean:
        assert (here, bad) == (there, also_bad)
    else:
        assert there == {1: {"city": None, "tier": None}}
