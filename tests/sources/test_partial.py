"""Records of one side, and the ids that join them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.core.events import Event
from losswatch.errors import Reason
from losswatch.sources.base import Batch
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder

LIMIT = 10_000
PLAIN = b'{"y_true": 10.0, "y_pred": 8.0}'
RULE = "must be text of 1 to 256 characters, none a control, or a whole number"


def rows(batch: Batch) -> list[tuple[object, ...]]:
    """Return id, y_true, y_pred and line of every event, in order of the lines."""
    columns = batch.columns
    ids = columns.prediction_id or [None] * len(columns)
    found = list(zip(ids, columns.y_true, columns.y_pred, columns.line, strict=True))
    found += [(e.prediction_id, e.y_true, e.y_pred, e.line) for e in batch.events]
    return sorted(found, key=lambda row: row[-1])


def decode(*lines: bytes, kind: str = "any", places: dict[str, str] | None = None) -> Batch:
    return NdjsonDecoder(Fields(places), None, LIMIT, kind).decode(lines, 1)


def decode_csv(*lines: bytes, places: dict[str, str] | None = None) -> Batch:
    return CsvDecoder(Fields(places), None, LIMIT).decode(lines, 1)


TAKEN = {
    "prediction": ('{"y_pred": 2, "prediction_id": "a"}', ("a", None, 2.0)),
    "truth": ('{"y_true": 2, "prediction_id": "a"}', ("a", 2.0, None)),
    "null": ('{"y_true": null, "y_pred": 2, "prediction_id": "a"}', ("a", None, 2.0)),
    "both": ('{"y_true": 1, "y_pred": 2, "prediction_id": "a"}', ("a", 1.0, 2.0)),
    "number": ('{"y_pred": 2, "prediction_id": -12}', ("-12", None, 2.0)),
    "256 digits": (f'{{"y_pred": 2, "prediction_id": {"9" * 256}}}', ("9" * 256, None, 2.0)),
    "256 letters": (f'{{"y_pred": 2, "prediction_id": "{"ø" * 256}"}}', ("ø" * 256, None, 2.0)),
    "blanks and joiners": (
        '{"y_pred": 2, "prediction_id": " \u200d "}',
        (" \u200d ", None, 2.0),
    ),
    "null id": ('{"y_true": 1, "y_pred": 2, "prediction_id": null}', (None, 1.0, 2.0)),
    "empty id": ('{"y_true": 1, "y_pred": 2, "prediction_id": ""}', (None, 1.0, 2.0)),
    "key with an escape": (
        r'{"y_pred": 2, "prediction\u005fid": "a"}',
        ("a", None, 2.0),
    ),
    "both with an escape": (
        r'{"y_true": 1, "y_pred": 2, "prediction\u005fid": "a"}',
        ("a", 1.0, 2.0),
    ),
    "256 digits beside NaN": (
        f'{{"x": NaN, "y_pred": 2, "prediction_id": {"9" * 256}}}',
        ("9" * 256, None, 2.0),
    ),
    "several outputs": ('{"y_pred": {"a": 2}, "prediction_id": "a"}', ("a", None, {"a": 2.0})),
}

REFUSED = {
    "no id": ('{"y_pred": 2}', Reason.MISSING_FIELD, None),
    "empty id": ('{"y_pred": 2, "prediction_id": ""}', Reason.MISSING_FIELD, None),
    "no side": (
        '{"prediction_id": "a"}',
        Reason.MISSING_FIELD,
        (
            "y_true and y_pred are missing; must be numbers: with a prediction_id one of them is"
            " enough"
        ),
    ),
    "outputs without an id": ('{"y_true": {"a": 2}}', Reason.MISSING_FIELD, None),
    "fraction": ("1.5", Reason.INVALID_ID, f"prediction_id is 1.5; {RULE}"),
    "whole fraction": ("1.0", Reason.INVALID_ID, f"prediction_id is 1.0; {RULE}"),
    "boolean": ("true", Reason.INVALID_ID, f"prediction_id is True; {RULE}"),
    "list": ("[1]", Reason.INVALID_ID, f"prediction_id is [1]; {RULE}"),
    "257 letters": (
        f'"{"x" * 257}"',
        Reason.INVALID_ID,
        f"prediction_id has 257 characters; {RULE}",
    ),
    "257 digits": ("9" * 257, Reason.INVALID_ID, f"prediction_id is 1e+257; {RULE}"),
    "control": (r'"a\u0000"', Reason.INVALID_ID, f"prediction_id is 'a\\x00'; {RULE}"),
    "raw control": ('"a\x7f"', Reason.INVALID_ID, f"prediction_id is 'a\\x7f'; {RULE}"),
    "surrogate": (r'"a\ud800"', Reason.INVALID_ID, f"prediction_id is 'a\\ud800'; {RULE}"),
}


@pytest.mark.parametrize("more", [[], [b"bad"]], ids=["together", "singly"])
@pytest.mark.parametrize(("line", "row"), TAKEN.values(), ids=TAKEN)
def test_record_is_taken(line, row, more):
    """With an id one side may be missing; the fast and the thorough way agree."""
    batch = decode(PLAIN, line.encode(), PLAIN, *more)
    assert len(batch.refused) == len(more)
    assert rows(batch) == [(None, 10.0, 8.0, 1), (*row, 2), (None, 10.0, 8.0, 3)]
    assert rows(decode(line.encode())) == [(*row, 1)]


@pytest.mark.parametrize(("line", "reason", "detail"), REFUSED.values(), ids=REFUSED)
def test_record_is_refused(line, reason, detail):
    """Without an id both sides are needed, and what cannot be an id is told."""
    if reason is Reason.INVALID_ID:
        line = f'{{"y_pred": 2, "prediction_id": {line}}}'
    batch = decode(PLAIN, line.encode(), PLAIN)
    assert [(r.line, r.reason) for r in batch.refused] == [(2, reason)]
    assert detail in (None, batch.refused[0].detail)
    assert len(rows(batch)) == 2


def test_columns_without_ids_have_none():
    """Where no event has an id there is no column of them."""
    assert decode(PLAIN, PLAIN).columns.prediction_id == ()
    assert decode(PLAIN, PLAIN[:-1] + b', "prediction_id": ""}').columns.prediction_id == ()
    lines = (b"y_true,y_pred,prediction_id", b"1,2,", b"3,4,")
    assert decode_csv(*lines).columns.prediction_id == ()


def test_records_of_one_side_go_the_quick_way():
    """Predictions, truths and events together are columns, not single events."""
    lines = [line.encode() for line, _ in TAKEN.values() if "NaN" not in line and ": {" not in line]
    batch = NdjsonDecoder(Fields(), None, LIMIT)._decode_together([*lines, PLAIN], 1)
    assert batch is not None
    assert len(batch.columns) == len(lines) + 1


@pytest.mark.parametrize("key", ["id", "meta.id", "größe"])
def test_id_may_stand_elsewhere(key):
    """The id is read where ``fields`` says, and only there."""
    record: dict[str, object] = {"y_pred": 2, "prediction_id": "not this"}
    inner = record
    *path, last = key.split(".")
    for step in path:
        inner = inner.setdefault(step, {})
    inner[last] = "a"
    for text in (json.dumps(record), json.dumps(record, ensure_ascii=False)):
        assert rows(decode(text.encode(), places={"prediction_id": key})) == [("a", None, 2.0, 1)]
    assert decode(b'{"y_pred": 2}', places={"prediction_id": key}).refused


def test_id_gives_its_place_to_another_field():
    """A field at the place of the id is read as that field alone."""
    line = b'{"y_true": 1, "prediction_id": 2}'
    assert rows(decode(line, places={"y_pred": "prediction_id"})) == [(None, 1.0, 2.0, 1)]
    assert decode(b'{"y_true": 1}', places={"y_pred": "prediction_id"}).refused


SIDES = {"t": "1", "p": "2", "i": '"a"'}
KINDS = {
    ("any", "tpi"): "",
    ("any", "ti"): "",
    ("any", "pi"): "",
    ("any", "tp"): "",
    ("prediction", "pi"): "",
    ("truth", "ti"): "",
    ("prediction", "p"): "prediction_id is missing; a prediction must have it: ELSE",
    ("prediction", "ti"): "y_pred is missing; a prediction must have it: ELSE",
    ("prediction", "tpi"): "y_true is 1; a prediction must not have it: ELSE",
    ("prediction", "tp"): "prediction_id is missing; a prediction must have it: ELSE",
    ("truth", "t"): "prediction_id is missing; a truth must have it: ELSE",
    ("truth", "pi"): "y_true is missing; a truth must have it: ELSE",
    ("truth", "tpi"): "y_pred is 2; a truth must not have it: ELSE",
}


@pytest.mark.parametrize("slow", ["", ', "x": NaN'], ids=["quick", "thorough"])
@pytest.mark.parametrize(("kind", "has"), KINDS, ids=" ".join)
def test_kind_says_what_a_record_has(kind, has, slow):
    """A prediction has no truth and a truth no prediction; the detail names the right path."""
    names = {"t": "y_true", "p": "y_pred", "i": "prediction_id"}
    text = ", ".join(f'"{names[key]}": {SIDES[key]}' for key in has)
    batch = decode(f"{{{text}{slow}}}".encode(), kind=kind)
    expected = KINDS[kind, has].replace("ELSE", "send records of any kind to /api/v1/events")
    assert [refusal.detail for refusal in batch.refused] == ([expected] if expected else [])
    wrong_type = {Reason.WRONG_TYPE} if "must not" in expected else {Reason.MISSING_FIELD}
    assert {refusal.reason for refusal in batch.refused} <= wrong_type
    assert len(rows(batch)) == (not expected)


@pytest.mark.parametrize("kind", ["prediction", "truth"])
def test_each_record_of_a_kind_has_its_id(kind):
    """A record without an id is refused among others that have one."""
    side = "y_pred" if kind == "prediction" else "y_true"
    with_id, without = f'{{"{side}": 1, "prediction_id": "a"}}', f'{{"{side}": 1}}'
    batch = decode(with_id.encode(), without.encode(), with_id.encode(), kind=kind)
    assert [row[-1] for row in rows(batch)] == [1, 3]
    assert [refusal.line for refusal in batch.refused] == [2]


def test_path_of_the_detail_is_that_of_the_source():
    """A source at another path names that one."""
    decoder = NdjsonDecoder(Fields(), None, LIMIT, "truth", "/in/events")
    (refusal,) = decoder.decode([b'{"y_true": 1}'], 1).refused
    assert refusal.detail.endswith("send records of any kind to /in/events")
    with pytest.raises(ValueError, match="kind is 'both'; must be one of any, prediction, truth"):
        NdjsonDecoder(Fields(), None, LIMIT, "both")


@pytest.mark.parametrize("more", [[], [b'"c",1,']], ids=["together", "singly"])
@pytest.mark.parametrize("side", ["y_true", "y_pred"])
def test_csv_may_lack_a_column(side, more):
    """A CSV of predictions or truths alone has a header of its own."""
    extra = [line.rsplit(b",", 1)[0] for line in more]
    batch = decode_csv(f"prediction_id,{side}".encode(), b"a,1", b" 12 ,2", *extra)
    assert batch.refused == []
    values = [("a", 1.0), ("12", 2.0), ("c", 1.0)][: 2 + len(more)]
    place = 1 if side == "y_true" else 2
    for row, (name, value) in zip(rows(batch), values, strict=True):
        assert (row[0], row[place], row[3 - place]) == (name, value, None)


def test_csv_may_lack_a_column_that_is_named():
    """The fields of a pair of files are the same; each has its own column."""
    places = {"y_true": "actual", "y_pred": "promised", "prediction_id": "order"}
    assert rows(decode_csv(b"order,actual", b"a,1", places=places)) == [("a", 1.0, None, 2)]
    assert rows(decode_csv(b"order,promised", b"a,1", places=places)) == [("a", None, 1.0, 2)]
    (refusal,) = decode_csv(b"order,other", places=places).refused
    assert refusal.reason is Reason.WRONG_HEADER
    assert "it lacks actual and promised" in refusal.detail


def test_csv_without_an_id_must_have_both_columns():
    """A header without ids is wrong if it lacks a side, as ever."""
    (refusal,) = decode_csv(b"model,y_pred").refused
    assert refusal.reason is Reason.WRONG_HEADER
    places = {"prediction_id": "id"}
    assert decode_csv(b"y_true,y_pred", places=places).refused[0].reason is Reason.WRONG_HEADER


CELLS = st.sampled_from(["1", " 2.5", "", " ", "x", "1_0", "nan", "1e400"])
IDS = st.sampled_from(["a", " b ", "", "7", "\x01", "x" * 257, "ø"])


@given(st.lists(st.tuples(CELLS, CELLS, IDS), min_size=1, max_size=12), st.integers(1, 5))
def test_batching_of_a_csv_is_not_seen(cells, size):
    """Together, in pieces and one by one: the same events and the same refusals."""
    lines = [",".join(row).encode() for row in cells]

    def outcome(size: int) -> tuple[list[object], list[object]]:
        decoder = CsvDecoder(Fields(), None, LIMIT)
        assert not decoder.decode([b"y_true,y_pred,prediction_id"], 1).refused
        events, refused = [], []
        for start in range(0, len(lines), size):
            batch = decoder.decode(lines[start : start + size], start)
            events += rows(batch)
            refused += batch.refused
        return events, refused

    assert outcome(size) == outcome(1)
    assert outcome(len(lines)) == outcome(1)


VALUES = st.sampled_from(["1", "2.5", "null", '"x"', "NaN", '{"a": 1}', ""])
ID_VALUES = st.sampled_from(['"a"', "7", "null", '""', "1.5", r'"\u0001"', ""])


@given(
    st.lists(st.tuples(VALUES, VALUES, ID_VALUES), min_size=1, max_size=12),
    st.sampled_from(["any", "prediction", "truth"]),
)
def test_batching_of_ndjson_is_not_seen(records, kind):
    """Together and one by one: the same events and the same refusals."""
    names = ("y_true", "y_pred", "prediction_id")
    lines = [
        ", ".join(f'"{n}": {v}' for n, v in zip(names, record, strict=True) if v)
        for record in records
    ]
    lines = [f"{{{line}}}".encode() for line in lines]
    decoder = NdjsonDecoder(Fields(), None, LIMIT, kind)
    alone = [decoder.decode([line], n) for n, line in enumerate(lines)]
    together = decoder.decode(lines, 0)
    assert rows(together) == [row for batch in alone for row in rows(batch)]
    assert together.refused == [refusal for batch in alone for refusal in batch.refused]


def test_events_of_several_outputs_have_ids():
    """Several outputs come as events, with what they have."""
    line = b'{"y_true": {"a": 1}, "prediction_id": 5, "w": 2, "model": "m"}'
    assert decode(line).events == [Event("m", {"a": 1.0}, None, 2.0, 1, prediction_id="5")]
