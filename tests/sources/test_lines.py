"""Bytes to lines, in bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.errors import Reason
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.lines import LineReader, LineSplitter
from losswatch.sources.ndjson import NdjsonDecoder

GOOD = b'{"y_true": 10.0, "y_pred": 8.0}\n'


@pytest.mark.parametrize("size", [1, 999, 1000, 1001, 1 << 16, 1 << 20])
def test_line_far_over_the_limit_is_not_held(size):
    """Of a line of 10 MB never more than the limit and one byte is held; the next line is whole."""
    length = 10_000_000 if size > 1 else 100_000
    splitter = LineSplitter(limit=1000)
    lines = splitter.feed(b"ab\n")
    for _ in range(0, length, size):
        lines += splitter.feed(b"x" * size)
        assert len(splitter._rest) <= 1001
    lines += splitter.feed(b"x\ncd\ne")
    assert lines == [b"ab", b"x" * 1001, b"cd"]
    assert splitter.finish() == [b"e"]


def test_line_far_over_the_limit_is_one_refusal():
    """A line of 10 MB that comes in pieces is refused once, with its number; others count."""
    reader = LineReader(NdjsonDecoder(Fields(), None, 1000), 1000)
    pieces = [GOOD, *[b"x" * 65536] * 160, b"\n" + GOOD]
    batches = [reader.feed(piece) for piece in pieces]
    assert [(r.line, r.reason) for batch in batches for r in batch.refused] == [
        (2, Reason.LINE_TOO_LONG)
    ]
    assert [list(batch.columns.line) for batch in batches if len(batch.columns)] == [[1], [3]]
    assert sum(batch.lines for batch in batches) == 3


@given(
    st.lists(st.binary(max_size=12), max_size=20),
    st.integers(1, 8),
    st.integers(1, 7),
)
def test_lines_do_not_depend_on_pieces(lines, limit, size):
    """However the bytes are cut, lines within the limit are whole and longer ones stay too long."""
    lines = [line.replace(b"\n", b"") for line in lines]
    stream = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter(limit)
    found = [
        line
        for start in range(0, len(stream), size)
        for line in splitter.feed(stream[start : start + size])
    ]
    assert splitter.finish() == []
    assert [line if len(line) <= limit else None for line in found] == [
        line if len(line) <= limit else None for line in lines
    ]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b"\n"], [b""]),
        ([b"\n\n", b"\n"], [b"", b"", b""]),
        ([b"a\r\n", b"b\rc\n"], [b"a\r", b"b\rc"]),
        ([b"a", b"", b"b", b"\n"], [b"ab"]),
        ([b"12345\n"], [b"12345"]),
    ],
    ids=["nothing", "empty", "line feed", "line feeds", "CR", "pieces", "over the limit"],
)
def test_line_feed_alone_ends_a_line(pieces, expected):
    """A line feed ends a line, and nothing else does."""
    splitter = LineSplitter(limit=4)
    assert [line for piece in pieces for line in splitter.feed(piece)] == expected
    assert splitter.finish() == []


def test_last_line_needs_no_line_feed():
    """At the end of a file the last line counts without its line feed, with its number."""
    reader = LineReader(NdjsonDecoder(Fields(), None, 1000), 1000)
    assert list(reader.feed(GOOD + GOOD[:-1]).columns.line) == [1]
    assert list(reader.finish().columns.line) == [2]
    assert reader.finish().lines == 0


def test_whole_object_counts_where_a_file_is_cut():
    """Where a file is taken away, an object that is whole counts without its line feed."""
    reader = LineReader(NdjsonDecoder(Fields(), None, 1000), 1000)
    reader.feed(GOOD + GOOD[:-1])
    assert list(reader.cut().columns.line) == [2]
    assert reader.cut().lines == 0


def test_half_an_object_is_refused_where_a_file_is_cut():
    """Where a file is taken away, half an object is refused with its number."""
    reader = LineReader(NdjsonDecoder(Fields(), None, 1000), 1000)
    reader.feed(GOOD + GOOD[:-2])
    assert [(r.line, r.reason) for r in reader.cut().refused] == [(2, Reason.INVALID_JSON)]


def test_record_of_csv_is_refused_where_a_file_is_cut():
    """Where a file is taken away, a CSV record without line feed is refused with its number."""
    reader = LineReader(CsvDecoder(Fields(), None, 1000), 1000)
    reader.feed(b"y_true,y_pred\n1,2\n1,2")
    assert [(r.line, r.reason) for r in reader.cut().refused] == [(3, Reason.INVALID_CSV)]
