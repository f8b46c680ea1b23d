"""When an event was, in JSON and in CSV: seconds since 1970, or what is wrong with it."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.errors import Reason
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder

NOON = 1_769_860_800.0  # 2026-01-31T12:00:00Z
RULE = "must be seconds since 1970 or ISO 8601 text such as 2026-01-31T10:00:00Z"
RANGE = "must be from 1970 to year 9999, in seconds"


def json_times(*values: str, beside: str = ""):
    """Decode a line for each value as it stands in JSON; return the times and the refusals."""
    lines = [f'{{"y_true": 1, "y_pred": 2, "time": {value}}}'.encode() for value in values]
    return outcome(NdjsonDecoder(Fields(), None, 1000).decode([*lines, *_some(beside)], 1))


def csv_times(*cells: str, beside: str = ""):
    """Decode a row for each cell; return the times and the refusals."""
    decoder = CsvDecoder(Fields(), None, 1000, ";")
    decoder.decode([b"y_true;time;y_pred"], 0)
    rows = [f"1;{cell};2".encode() for cell in cells]
    return outcome(decoder.decode([*rows, *_some(beside)], 1))


def _some(line: str) -> list[bytes]:
    return [line.encode()] if line else []


def outcome(batch):
    columns = batch.columns
    times = dict(zip(columns.line, columns.time or [None] * len(columns), strict=True))
    times |= {event.line: event.time for event in batch.events}
    assert len(times) + len(batch.refused) == batch.lines
    return times, [(refusal.line, refusal.reason, refusal.detail) for refusal in batch.refused]


TEXTS = {
    "Z": ("2026-01-31T12:00:00Z", NOON),
    "small letters": ("2026-01-31t12:00:00z", NOON),
    "blank between": ("2026-01-31 12:00:00Z", NOON),
    "no offset is UTC": ("2026-01-31T12:00:00", NOON),
    "east": ("2026-01-31T14:00:00+02:00", NOON),
    "west": ("2026-01-31T06:30:00-05:30", NOON),
    "offset without colon": ("2026-01-31T14:00:00+0200", NOON),
    "offset in hours": ("2026-01-31T14:00:00+02", NOON),
    "offset with seconds": ("2026-01-31T12:00:30+00:00:30", NOON),
    "milliseconds": ("2026-01-31T12:00:00.250Z", NOON + 0.25),
    "nanoseconds are rounded": ("2026-01-31T12:00:00.123456789Z", NOON + 0.123457),
    "comma": ("2026-01-31T12:00:00,5Z", NOON + 0.5),
    "no seconds": ("2026-01-31T12:00", NOON),
    "no seconds but Z": ("2026-01-31T12:00z", NOON),
    "date": ("2026-01-31", NOON - 43_200),
    "first": ("1970-01-01T00:00:00Z", 0.0),
    "last": ("9999-12-31T23:59:59.5Z", 253_402_300_799.5),
}
NUMBERS = {
    "0": 0.0,
    "-0": 0.0,
    "1769860800": NOON,
    "1769860800.25": NOON + 0.25,
    "1.7698608e9": NOON,
    "253402300799.5": 253_402_300_799.5,
}
NO_TEXT = {
    "leap second": "2026-06-30T23:59:60Z",
    "24 o'clock": "2026-01-31T24:00:00Z",
    "February 30": "2026-02-30T12:00:00Z",
    "offset of a day": "2026-01-31T12:00:00+24:00",
    "basic format": "20260131T120000Z",
    "week": "2026-W05-6",
    "blank before the offset": "2026-01-31T12:00:00 Z",
    "another date": "31.01.2026 12:00",
    "name of a zone": "2026-01-31T12:00:00 CET",
    "year of five digits": "12026-01-31",
    "other digits": "٢٠٢٦-01-31",
    "words": "now",
    "backslash": "2026-01-31T12:00:00\\u005a",
}
NO_NUMBER = {
    "milliseconds": (
        "1769860800000",
        f"{RANGE}; it looks like milliseconds: divide it by 1,000",
    ),
    "microseconds": (
        "1769860800000000",
        f"{RANGE}; it looks like microseconds: divide it by 1,000,000",
    ),
    "nanoseconds": (
        "1769860800000000000",
        f"{RANGE}; it looks like nanoseconds: divide it by 1,000,000,000",
    ),
    "the year 10000": (
        "253402300800",
        f"{RANGE}; it looks like milliseconds: divide it by 1,000",
    ),
    "before 1970": ("-1", RANGE),
    "huge": ("1e300", RANGE),
    "beyond float64": ("1e400", RANGE),
    "400 digits": ("9" * 400, RANGE),
    "NaN": ("NaN", RANGE),
    "Infinity": ("Infinity", RANGE),
}


@pytest.mark.parametrize("beside", ["", "bad"], ids=["fast", "careful"])
@pytest.mark.parametrize(("text", "seconds"), TEXTS.values(), ids=TEXTS)
def test_text_is_a_time(text, seconds, beside):
    """ISO 8601 text is the same instant in JSON and in CSV, alone and beside a bad line."""
    assert json_times(json.dumps(text), beside=beside)[0] == {1: seconds}
    assert csv_times(text, beside=beside)[0] == {1: seconds}
    assert csv_times(f" {text} ", beside=beside)[0] == {1: seconds}


@pytest.mark.parametrize("beside", ["", "bad"], ids=["fast", "careful"])
@pytest.mark.parametrize(("number", "seconds"), NUMBERS.items(), ids=NUMBERS)
def test_number_is_seconds(number, seconds, beside):
    """A number is seconds since 1970, in JSON and in CSV."""
    assert json_times(number, beside=beside)[0] == {1: seconds}
    assert csv_times(number, beside=beside)[0] == {1: seconds}


@pytest.mark.parametrize("text", NO_TEXT.values(), ids=NO_TEXT)
def test_text_is_no_time(text):
    """Text that is no instant is refused with what was found; its neighbours are not."""
    expected = [(2, Reason.INVALID_TIME, f"time is {text!r}; {RULE}")]
    assert json_times("1", json.dumps(text), '"1970-01-01"') == ({1: 1.0, 3: 0.0}, expected)
    assert csv_times("1", text, "1970-01-01") == ({1: 1.0, 3: 0.0}, expected)
    texts = ("1970-01-01T00:00:01Z", text, "1970-01-01T00:00:00Z")
    assert json_times(*map(json.dumps, texts)) == ({1: 1.0, 3: 0.0}, expected)
    assert csv_times(*texts) == ({1: 1.0, 3: 0.0}, expected)


@pytest.mark.parametrize(("number", "hint"), NO_NUMBER.values(), ids=NO_NUMBER)
def test_number_is_no_time(number, hint):
    """A number out of range is refused, with what it looks like; its neighbours are not."""
    for times in (json_times, csv_times):
        accepted, ((line, reason, detail),) = times("1", number, "3")
        assert accepted == {1: 1.0, 3: 3.0}
        assert (line, reason) == (2, Reason.INVALID_TIME)
        assert detail.endswith(f"; {hint}")


@pytest.mark.parametrize("value", ["true", "false", "[1]", "{}", '""', '"1769860800"', '"1969"'])
def test_value_is_no_time(value):
    """A boolean, a list, an object, empty text and a number in quotes are no times in JSON."""
    _, ((line, reason, detail),) = json_times("1", value)
    assert (line, reason) == (2, Reason.INVALID_TIME)
    assert detail == f"time is {json.loads(value)!r}; {RULE}"


@pytest.mark.parametrize("cell", ["1_000", "nan", "inf", "\u0661", "0x10", "1769860800s"])
def test_cell_is_no_time(cell):
    """What only Python takes for a number is no time in CSV."""
    _, ((line, reason, _),) = csv_times("1", cell)
    assert (line, reason) == (2, Reason.INVALID_TIME)


@pytest.mark.parametrize(
    "text", ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00", "0001-01-01T00:00:00+23:59"]
)
def test_text_before_1970_is_refused(text):
    """An instant before 1970 is refused whatever its offset."""
    expected = ({1: 1.0}, [(2, Reason.INVALID_TIME, f"time is {text!r}; {RANGE}")])
    assert json_times("1", json.dumps(text)) == expected
    assert csv_times("1", text) == expected


def test_half_a_surrogate_pair_is_no_time():
    """Text that is no Unicode is refused like any other that is no time."""
    _, ((_, reason, detail),) = json_times(r'"\ud800"')
    assert (reason, detail) == (Reason.INVALID_TIME, rf"time is '\ud800'; {RULE}")


def test_event_may_have_no_time():
    """No field, null and an empty cell are no time; no column then, if no other has one."""
    assert json_times("null", "5") == ({1: None, 2: 5.0}, [])
    assert json_times("null", '"1970-01-01T00:00:09Z"') == ({1: None, 2: 9.0}, [])
    assert csv_times("", " ", "5", "1970-01-01") == ({1: None, 2: None, 3: 5.0, 4: 0.0}, [])
    for lines in ([b'{"y_true": 1, "y_pred": 2}'] * 2, [b'{"y_true": 1, "y_pred": 2}', b"bad"]):
        assert NdjsonDecoder(Fields(), None, 1000).decode(lines, 1).columns.time == ()
    decoder = CsvDecoder(Fields(), None, 1000)
    assert decoder.decode([b"y_true,y_pred,time", b"1,2,", b"1,2, "], 1).columns.time == ()
    assert decoder.decode([b"1,2,", b"1,2, "], 1).columns.time == ()


def test_several_outputs_have_a_time():
    """An event of several outputs has its time, and is refused for a bad one."""
    line = b'{"y_true": {"a": 1}, "y_pred": {"a": 2}, "time": %s}'
    batch = NdjsonDecoder(Fields(), None, 1000).decode([line % b'"1970-01-02"', line % b"-5"], 1)
    assert [event.time for event in batch.events] == [86_400.0]
    assert [refusal.detail for refusal in batch.refused] == [f"time is -5; {RANGE}"]


def test_refused_event_keeps_its_model():
    """A refusal for its time is counted for the model that the event names."""
    line = b'{"y_true": 1, "y_pred": 2, "model": "eta", "time": -5}'
    (refusal,) = NdjsonDecoder(Fields(), None, 1000).decode([line], 1).refused
    assert refusal.model == "eta"
    decoder = CsvDecoder(Fields(), "fare", 1000)
    batch = decoder.decode([b"model,y_true,y_pred,time", b"eta,1,2,-5", b",1,2,-5"], 1)
    assert [refusal.model for refusal in batch.refused] == ["eta", "fare"]


def test_time_stands_where_fields_says():
    """A time may be within an object; what is in its place instead is refused as a time."""
    decoder = NdjsonDecoder(Fields({"time": "meta.at"}), None, 1000)
    line = b'{"y_true": 1, "y_pred": 2, "time": "x", "meta": %s}'
    batch = decoder.decode([line % b'{"at": 5}', line % b"{}", line % b"7"], 1)
    detail = "7 is found where an object with 'at' must be"
    assert outcome(batch) == ({1: 5.0, 2: None}, [(3, Reason.INVALID_TIME, detail)])


any_moment = st.datetimes(
    min_value=dt.datetime(1970, 1, 2),  # noqa: DTZ001  # so hypothesis wants it
    max_value=dt.datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.timezones(),
)


@given(st.lists(any_moment, min_size=1, max_size=5), st.booleans())
def test_any_zone_gives_the_same_instant(moments, bad):
    """ISO text of any time zone is the instant that datetime says, in any mixture of offsets."""
    texts = [moment.isoformat() for moment in moments]
    expected = {line: moment.timestamp() for line, moment in enumerate(moments, 1)}
    beside = "bad" if bad else ""
    assert json_times(*map(json.dumps, texts), beside=beside)[0] == expected
    assert csv_times(*texts, beside=beside)[0] == expected


time_texts = st.sampled_from(
    ["", "5", "-1", "1e12", "nan", "x", "2026-01-31", *[text for text, _ in TEXTS.values()]]
)


@given(st.lists(time_texts, max_size=8), st.integers(1, 4))
def test_a_time_does_not_depend_on_its_neighbours(texts, size):
    """In any batches and any mixture each line has the outcome that it has alone."""
    as_json = [text if text in {"5", "-1", "1e12"} else json.dumps(text or None) for text in texts]
    for times, values in ((json_times, as_json), (csv_times, texts)):
        alone = [times(value) for value in values]
        for start in range(0, len(values), size):
            found, refused = times(*values[start : start + size])
            for line, value in found.items():
                assert alone[start + line - 1] == ({1: value}, [])
            for line, reason, detail in refused:
                assert alone[start + line - 1] == ({}, [(1, reason, detail)])


def test_text_without_offset_is_utc_in_any_time_zone():
    """The time zone of the machine changes nothing."""
    code = (
        "from losswatch.sources.times import time_value, time_cells;"
        "print(time_value('1970-01-01T00:00:05'), time_value('1970-01-02'),"
        " time_cells(['1970-01-01T00:00:05']))"
    )
    for zone in ("America/New_York", "Asia/Kathmandu"):
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            check=True,
            text=True,
        )
        assert result.stdout.split(maxsplit=2) == ["5.0", "86400.0", "[5.0]\n"]
