"""What each type of a column becomes, in every format that pyarrow writes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from arrow_files import KINDS, column, read, refused, write
from hypothesis import given, settings
from hypothesis import strategies as st

from losswatch.errors import SourceError
from losswatch.sources import arrow

MOMENT = dt.datetime(2026, 1, 31, 10, 0, 0, 123457, tzinfo=dt.UTC)
SECONDS = MOMENT.timestamp()
UNITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
BIG = 2**63 - 1

NUMBERS = {
    "int8": (pa.array([-7, None], pa.int8()), [-7.0, None]),
    "uint8": (pa.array([200, None], pa.uint8()), [200.0, None]),
    "int32": (pa.array([-(2**31), 5], pa.int32()), [-(2.0**31), 5.0]),
    "int64 beyond 2**53": (pa.array([BIG, 2**53 + 1], pa.int64()), [float(BIG), float(2**53 + 1)]),
    "uint64": (pa.array([2**64 - 1, None], pa.uint64()), [float(2**64 - 1), None]),
    "float16": (pa.array(np.array([0.1, 2.0], np.float16)), [float(np.float16(0.1)), 2.0]),
    "float32": (pa.array([0.1, None], pa.float32()), [float(np.float32(0.1)), None]),
    "float64": (pa.array([0.1, None], pa.float64()), [0.1, None]),
    "decimal128": (pa.array([Decimal("0.10"), None], pa.decimal128(9, 2)), [0.1, None]),
    "decimal128, long": (
        pa.array([Decimal("12345678901234567.891")], pa.decimal128(38, 3)),
        [float("12345678901234567.891")],
    ),
    "decimal256": (pa.array([Decimal("-1.5"), None], pa.decimal256(60, 5)), [-1.5, None]),
    "dictionary of float": (
        pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), pa.array([0.5, 2.0])),
        [2.0, None, 0.5],
    ),
    "null": (pa.nulls(2), [None, None]),
}

TEXTS = {
    "string": pa.array(["oslo", None, "røros"]),
    "large_string": pa.array(["oslo", None, "røros"], pa.large_string()),
    "string_view": pa.array(["oslo", None, "røros"], pa.string_view()),
    "dictionary": pa.array(["oslo", None, "røros"]).dictionary_encode(),
    "dictionary of large text": pa.array(
        ["oslo", None, "røros"], pa.large_string()
    ).dictionary_encode(),
    "dictionary with more than is used": pa.DictionaryArray.from_arrays(
        pa.array([4, None, 1], pa.uint8()), pa.array(["", "røros", "a", "b", "oslo", "c"])
    ),
    "dictionary with null in it": pa.DictionaryArray.from_arrays(
        pa.array([2, 0, 1], pa.int32()), pa.array([None, "røros", "oslo"])
    ),
}


def table(array: pa.Array, name: str = "y_true", **more: object) -> pa.Table:
    columns = {"y_true": [1.0] * len(array), "y_pred": [0.0] * len(array), name: array, **more}
    return pa.table({key: value for key, value in columns.items() if value is not None})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_become_the_nearest_float64(tmp_path, name, kind):
    """Whole numbers, floats and decimals of any width; null is none."""
    array, wanted = NUMBERS[name]
    ids = [f"a{row}" for row in range(len(array))]
    path = write(tmp_path, table(array, prediction_id=ids), kind)
    assert column(read(path), "y_true") == wanted


@given(
    st.lists(st.decimals(-(10**20), 10**20, places=10), min_size=1, max_size=20),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20),
)
def test_decimals_and_whole_numbers_are_rounded_once(decimals, integers):
    """The float64 is that of the exact value: pyarrow's own cast of decimals is off by a bit."""
    found = arrow.floats(pa.array(decimals, pa.decimal128(38, 10))).tolist()
    assert found == [float(Fraction(decimal)) for decimal in decimals]
    assert arrow.floats(pa.array(integers, pa.int64())).tolist() == list(map(float, integers))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zone", [None, "UTC", "America/Lima"])
@pytest.mark.parametrize("unit", UNITS)
def test_timestamps_of_every_unit_are_seconds(tmp_path, unit, zone, kind):
    """A zone tells how to show it, not when it was; without one it is UTC; null is no time."""
    moment = MOMENT if zone else MOMENT.replace(tzinfo=None)
    tick = 10 ** max(6 - UNITS[unit], 0)  # in microseconds
    cut = moment.replace(microsecond=123457 // tick * tick)
    array = pa.array([cut, None], pa.timestamp(unit, zone))
    batches = read(write(tmp_path, table(array, "time"), kind))
    assert column(batches, "time") == [cut.replace(tzinfo=dt.UTC).timestamp(), None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("type_", [pa.date32(), pa.date64()], ids=str)
def test_a_date_is_its_midnight(tmp_path, type_, kind):
    """Both kinds of dates are midnight in UTC."""
    array = pa.array([dt.date(2026, 1, 31), None], type_)
    batches = read(write(tmp_path, table(array, "time"), kind))
    assert column(batches, "time") == [1_769_817_600.0, None]


@pytest.mark.parametrize("type_", [pa.int64(), pa.float64(), pa.float32(), pa.decimal128(20, 1)])
def test_numbers_of_time_are_seconds(tmp_path, type_):
    """As in JSON; one that is none or of milliseconds is refused."""
    array = pa.array([1024, 0, None, -1, 1_769_853_600_000])
    batches = read(write(tmp_path, table(array.cast(type_, safe=False), "time")))
    assert column(batches, "time") == [1024.0, 0.0, None]
    assert refused(batches) == [(4, "invalid_time"), (5, "invalid_time")]


@given(st.sampled_from(sorted(UNITS)), st.lists(st.integers(0, 2**63 - 1), min_size=1))
def test_ticks_are_divided_exactly(unit, ticks):
    """Seconds are the nearest float64 to the ticks, beyond 2**53 of them too."""
    a_second = 10 ** UNITS[unit]
    found = arrow.seconds(pa.array(ticks, pa.timestamp(unit))).tolist()
    assert found == [tick / a_second for tick in ticks]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_every_type_are_the_same(tmp_path, name, kind):
    """As a label, as a model and as an id."""
    array = TEXTS[name]
    if kind == "parquet" and "null in it" in name:
        pytest.skip("pyarrow writes none to Parquet")
    for field in ("segment.city", "model", "prediction_id"):
        batches = read(write(tmp_path, table(array, field), kind), labels=["city"])
        columns = batches[0].columns
        found = columns.segment["city"] if field == "segment.city" else getattr(columns, field)
        assert list(found) == ["oslo", None, "røros"], field
        assert refused(batches) == []


@pytest.mark.parametrize("field", ["segment.city", "prediction_id"])
def test_whole_numbers_name_a_label_or_an_event(tmp_path, field):
    """As in JSON they are text then, and the same event by either."""
    batches = read(
        write(tmp_path, table(pa.array([7, None, 2**63], pa.uint64()), field)), labels=["city"]
    )
    columns = batches[0].columns
    found = columns.segment["city"] if field == "segment.city" else columns.prediction_id
    assert list(found) == ["7", None, str(2**63)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("absent", [None, pa.array([True, False, False])])
def test_dots_go_into_structs(tmp_path, absent, kind):
    """Also into structs of structs; where one around it is null, the field is."""
    inner = pa.StructArray.from_arrays([pa.array([1.0, 2.0, 3.0])], ["actual"])
    outer = pa.StructArray.from_arrays([inner, pa.array(["a", "b", "c"])], ["deep", "id"])
    if absent is not None:
        outer = pa.StructArray.from_arrays([inner, outer.field(1)], ["deep", "id"], mask=absent)
    path = write(tmp_path, table(outer, "payload", y_true=None, prediction_id=["x"] * 3), kind)
    batches = read(path, {"y_true": "payload.deep.actual", "segment.id": "payload.id"}, ["id"])
    first = (1.0, "a") if absent is None else (None, None)
    assert column(batches, "y_true") == [first[0], 2.0, 3.0]
    assert list(batches[0].columns.segment["id"]) == [first[1], "b", "c"]


def test_dots_may_be_part_of_a_name(tmp_path):
    """A column ``payload.actual`` is found, before a struct with such a key is."""
    struct = pa.StructArray.from_arrays([pa.array([7.0])], ["actual"])
    both = table(struct, "payload", **{"payload.actual": [2.0], "y_true": None})
    for kind in KINDS:
        path = write(tmp_path, both, kind)
        assert column(read(path, {"y_true": "payload.actual"}), "y_true") == [2.0]


WRONG = {
    "y_true": [pa.array(["1.0"]), pa.array([True]), pa.array([[1.0]]), pa.array([MOMENT])],
    "w": [pa.array(["1"]), pa.array([b"1"])],
    "time": [pa.array(["2026-01-31"]), pa.array([True]), pa.array([dt.time(10)])],
    "model": [pa.array([7]), pa.array([b"eta"]), pa.array([{"a": 1}])],
    "segment.city": [pa.array([1.5]), pa.array([True]), pa.array([b"oslo"])],
    "prediction_id": [pa.array([1.5]), pa.array([MOMENT]), pa.array([["a"]])],
}


@pytest.mark.parametrize(("field", "array"), [(f, a) for f in WRONG for a in WRONG[f]], ids=str)
def test_a_type_that_does_not_fit_is_told_before_a_row_is_read(tmp_path, field, array):
    """The message has the file, the column, its type and what it must be."""
    path = write(tmp_path, table(array, field))
    with pytest.raises(SourceError) as caught:
        read(path, labels=["city"])
    said = str(caught.value)
    assert said.startswith(f"{path}: the column {field} ({field}) has the type ")
    assert "; must be " in said


@settings(max_examples=50)
@given(st.binary(max_size=6))
def test_text_that_is_no_utf8_is_the_fault_of_its_row(data):
    """It keeps what cannot be decoded as halves of characters, which the rules refuse."""
    array = pa.array([data, b"ok"], pa.binary())
    array = pa.Array.from_buffers(pa.string(), 2, array.buffers())
    assert arrow.texts(array) == [data.decode(errors="surrogateescape"), "ok"]
    assert list(arrow.coded(array)) == [data.decode(errors="surrogateescape"), "ok"]
