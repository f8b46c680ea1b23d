"""Lines of CSV: the header, the cells, and why a record is refused."""

from __future__ import annotations

import pytest

from losswatch.errors import Reason
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields

LIMIT = 1000
HEADER = b"y_true,y_pred"


def decode(
    *lines: bytes,
    places: dict[str, str] | None = None,
    model: str | None = None,
    delimiter: str = ",",
) -> Batch:
    return CsvDecoder(Fields(places), model, LIMIT, delimiter).decode(lines, 1)


def accepted(batch: Batch) -> list[tuple[object, ...]]:
    columns = batch.columns
    assert batch.events == []
    return list(
        zip(columns.model, columns.y_true, columns.y_pred, columns.w, columns.line, strict=True)
    )


NUMBER = "must be a number"
NO_TRUE = "a record with only y_pred needs a prediction_id"
NO_PRED = "a record with only y_true needs a prediction_id"
ONE = "must be one CSV record a line"

REFUSED = {
    "cell too many": (
        b"1,2,3",
        Reason.INVALID_CSV,
        "the record has 3 cells; the header has 2",
    ),
    "cell too few": (b"1", Reason.INVALID_CSV, "the record has 1 cells; the header has 2"),
    "delimiter at the end": (
        b"1,2,",
        Reason.INVALID_CSV,
        "the record has 3 cells; the header has 2",
    ),
    "quote not closed": (b'"1,2', Reason.INVALID_CSV, f"unexpected end of data; {ONE}"),
    "text after a quote": (b'"1"x,2', Reason.INVALID_CSV, f"',' expected after '\"'; {ONE}"),
    "empty y_true": (b",2", Reason.MISSING_FIELD, f"y_true is missing; {NUMBER}: {NO_TRUE}"),
    "blank y_pred": (b"1, ", Reason.MISSING_FIELD, f"y_pred is missing; {NUMBER}: {NO_PRED}"),
    "quoted empty": (b'"",2', Reason.MISSING_FIELD, f"y_true is missing; {NUMBER}: {NO_TRUE}"),
    "text": (b"one,2", Reason.WRONG_TYPE, f"y_true is 'one'; {NUMBER}"),
    "decimal comma in quotes": (b'"1,5",2', Reason.WRONG_TYPE, f"y_true is '1,5'; {NUMBER}"),
    "underscore": (b"1_000,2", Reason.WRONG_TYPE, f"y_true is '1_000'; {NUMBER}"),
    "hexadecimal": (b"0x10,2", Reason.WRONG_TYPE, f"y_true is '0x10'; {NUMBER}"),
    "Arabic digits": (
        "١٢,2".encode(),
        Reason.WRONG_TYPE,
        f"y_true is '١٢'; {NUMBER}",
    ),
    "nan": (b"nan,2", Reason.NOT_FINITE, "y_true is nan; must be a finite float64"),
    "inf": (b"1,-Infinity", Reason.NOT_FINITE, "y_pred is -inf; must be a finite float64"),
    "1e400": (b"1,1e400", Reason.NOT_FINITE, "y_pred is inf; must be a finite float64"),
    "990 digits": (
        b"9" * 990 + b",2",
        Reason.NOT_FINITE,
        "y_true is inf; must be a finite float64",
    ),
    "empty line": (b"", Reason.EMPTY_LINE, "the line is empty; must be a CSV record"),
    "CR alone": (b"\r", Reason.EMPTY_LINE, "the line is empty; must be a CSV record"),
    "no UTF-8": (b"1,\xff", Reason.INVALID_UTF8, "byte 3 of the line is no UTF-8"),
    "too long": (
        b"1,2".ljust(1001),
        Reason.LINE_TOO_LONG,
        "the line has more than 1000 bytes; raise max_line_bytes if it should",
    ),
}


@pytest.mark.parametrize(("line", "reason", "detail"), REFUSED.values(), ids=REFUSED)
def test_bad_record_is_refused(line, reason, detail):
    """A bad record is refused with its number, its reason and what was found; others count."""
    batch = decode(HEADER, b"10,8", line, b"10,8")
    assert batch.refused == [Refusal(3, reason, detail)]
    assert accepted(batch) == [(None, 10.0, 8.0, 1.0, 2), (None, 10.0, 8.0, 1.0, 4)]
    assert batch.lines == 4


ACCEPTED = {
    "plain": (b"1,2", (1.0, 2.0)),
    "signs and exponents": (b"+1.5e1,-.5", (15.0, -0.5)),
    "blanks": (b" 1 ,\t2 ", (1.0, 2.0)),
    "quotes": (b'"1","2"', (1.0, 2.0)),
    "CRLF": (b"1,2\r", (1.0, 2.0)),
    "quotes and CRLF": (b'"1","2"\r', (1.0, 2.0)),
    "just the limit": (b"1,2".ljust(1000), (1.0, 2.0)),
}


@pytest.mark.parametrize(("line", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_good_record_is_accepted(line, expected):
    """A record that holds two numbers is accepted."""
    batch = decode(HEADER, line)
    assert batch.refused == []
    assert accepted(batch) == [(None, *expected, 1.0, 2)]


HEADERS = {
    "plain": b"y_pred,id,y_true,w,model",
    "BOM": b"\xef\xbb\xbfy_pred,id,y_true,w,model",
    "CRLF": b"y_pred,id,y_true,w,model\r",
    "blanks": b"y_pred , id, y_true,w,model",
    "quotes": b'"y_pred","id","y_true","w","model"',
    "BOM and quotes": b'\xef\xbb\xbf"y_pred","id","y_true","w","model"',
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_header_says_where_the_fields_are(header):
    """Columns are found by their names in the header, in any order."""
    assert accepted(decode(header, b"8,7,10,2,eta")) == [("eta", 10.0, 8.0, 2.0, 2)]


def test_columns_may_have_other_names():
    """Mapped columns are found under the user's names."""
    places = {"y_true": "actual", "y_pred": "promised", "w": "orders", "model": "which"}
    batch = decode(b"which,orders,promised,actual", b"eta,3,8,10", places=places)
    assert accepted(batch) == [("eta", 10.0, 8.0, 3.0, 2)]


@pytest.mark.parametrize(
    ("delimiter", "lines"),
    [
        (";", [b"y_true;y_pred;note", b'1,5;"2";"a;b"', b'1.5;2;"a;b"']),
        ("\t", [b"y_true\ty_pred\tnote", b"1,5\t2\t", b"1.5\t2\t"]),
        ("|", [b"y_true|y_pred|note", b"1,5|2|x", b"1.5|2|x"]),
    ],
    ids=["semicolon", "tab", "bar"],
)
def test_delimiter_parts_the_cells(delimiter, lines):
    """Cells are parted by the given delimiter alone."""
    batch = decode(*lines, delimiter=delimiter)
    assert accepted(batch) == [(None, 1.5, 2.0, 1.0, 3)]
    assert batch.refused == [Refusal(2, Reason.WRONG_TYPE, f"y_true is '1,5'; {NUMBER}")]


@pytest.mark.parametrize(
    ("header", "shown", "lacks"),
    [
        (b"a,b", "'a,b'", "y_true and y_pred"),
        (b"y_true,b", "'y_true,b'", "y_pred"),
        (b"y_true;y_pred", "'y_true;y_pred'", "y_true and y_pred"),
        (b"1,2", "'1,2'", "y_true and y_pred"),
    ],
    ids=["both", "one", "delimiter", "no header"],
)
def test_wrong_header_refuses_every_record(header, shown, lacks):
    """Without the needed columns the header and every record are refused, in each batch."""
    decoder = CsvDecoder(Fields(), None, LIMIT)
    detail = (
        f"the header is {shown}; it lacks {lacks}: map the columns with fields, or set delimiter"
    )
    first, second = decoder.decode([header, b"1,2"], 1), decoder.decode([b"3,4"], 3)
    assert first.refused == [Refusal(n, Reason.WRONG_HEADER, detail) for n in (1, 2)]
    assert second.refused == [Refusal(3, Reason.WRONG_HEADER, detail)]
    assert accepted(first) == accepted(second) == []


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b"1,2,3,b", ("b", 1.0, 2.0, 3.0, 2)),
        (b"1,2,,", ("a", 1.0, 2.0, 1.0, 2)),
        (b"1,2, , ", ("a", 1.0, 2.0, 1.0, 2)),
        (b"1,2,-1,a", ("a", 1.0, 2.0, -1.0, 2)),
    ],
    ids=["given", "empty", "blank", "negative w, which the core refuses"],
)
def test_optional_cells(record, expected):
    """An empty w is 1 and an empty model that of the source."""
    assert accepted(decode(b"y_true,y_pred,w,model", record, model="a")) == [expected]


def test_carriage_return_is_no_part_of_a_model():
    """With CRLF the last cell is taken without the carriage return, in quotes or not."""
    batch = decode(b"y_true,y_pred,model\r", b"1,2,eta\r", b'1,2,"eta"\r', b"1,2,\r", model="a")
    assert [event[0] for event in accepted(batch)] == ["eta", "eta", "a"]


def test_optional_columns_may_be_missing():
    """Without the columns w and model, w is 1 and the model that of the source."""
    assert accepted(decode(HEADER, b"1,2", model="a")) == [("a", 1.0, 2.0, 1.0, 2)]


def test_header_is_remembered_from_batch_to_batch():
    """The header of the first batch holds for all that follow."""
    decoder = CsvDecoder(Fields(), None, LIMIT)
    assert accepted(decoder.decode([b"y_pred,y_true"], 1)) == []
    assert accepted(decoder.decode([b"8,10"], 2)) == [(None, 10.0, 8.0, 1.0, 2)]


def test_record_that_was_cut_is_refused():
    """A record whose line feed never came is refused: a digit may be missing."""
    decoder = CsvDecoder(Fields(), None, LIMIT)
    decoder.decode([HEADER], 1)
    batch = decoder.decode_cut(b"1,2", 2)
    detail = "the file was taken away before the line feed of this record was written"
    assert (batch.refused, batch.lines) == ([Refusal(2, Reason.INVALID_CSV, detail)], 1)
    assert accepted(batch) == []


def test_a_column_twice_is_a_wrong_header():
    """Which of the two counts must not be guessed."""
    decoder = CsvDecoder(Fields(), None, 1000)
    batch = decoder.decode([b"y_true,y_pred,y_true", b"1,2,3"], 1)
    assert [refusal.reason for refusal in batch.refused] == [Reason.WRONG_HEADER] * 2
    assert batch.refused[0].detail == "the header has the column y_true twice; keep one"


def test_a_column_that_was_named_must_be_there():
    """A weight column that the user names and the file lacks is not silently 1."""
    decoder = CsvDecoder(Fields({"w": "orders"}), None, 1000)
    batch = decoder.decode([b"y_true,y_pred", b"1,2"], 1)
    assert [refusal.reason for refusal in batch.refused] == [Reason.WRONG_HEADER] * 2
    assert "it lacks orders" in batch.refused[0].detail
