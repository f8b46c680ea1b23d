"""How lines are cut into batches changes nothing of what they hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from losswatch.sources import ndjson
from losswatch.sources.fields import Fields
from losswatch.sources.lines import LineReader
from losswatch.sources.ndjson import NdjsonDecoder

if TYPE_CHECKING:
    from losswatch.sources.base import Batch

LIMIT = 1000
LINES = [
    b'{"y_true": 10.0, "y_pred": 8.0}',
    b'{"y_true": 10.0, "y_pred": 8.0}\r',
    b'\xef\xbb\xbf{"y_true": 1, "y_pred": 2}',
    b'{"y_true": 1, "y_pred": 2, "w": null, "model": ""}',
    b'{"y_true": 1, "y_pred": 2, "w": -1, "model": "a"}',
    b'{"y_true": 1, "y_pred": 2, "x": NaN}',
    b'{"y_true": 1, "y_pred": 2, "x": 1e400, "model": ""}',
    b'{"y_true": 1, "y_pred": 2, "time": 5, "segment": {"city": "oslo"}}',
    b'{"y_true": 1, "y_pred": 2, "time": "2026-01-31T10:00:00", "segment": {"city": 12}}',
    b'{"y_true": 1, "y_pred": 2, "time": "2026-01-31", "segment": null}',
    b'{"y_true": 1, "y_pred": 2, "time": 1769853600000, "segment": {"city": ""}, "model": "a"}',
    b'{"y_true": 1, "y_pred": 2, "segment": {"city": ""}}',
    b'{"y_true": 1, "y_pred": 2, "segment": "oslo", "x": NaN}',
    b'{"y_true": {"a": 1}, "y_pred": {"a": 2}, "time": 5, "segment": {"city": "rome"}}',
    b'{"y_true": "x", "y_true": 3, "y_pred": 4}',
    b'{"y_true": {"a": 1}, "y_pred": {"a": 2}}',
    b'{"y_true": NaN, "y_pred": 2}',
    b'{"y_true": 1e400, "y_pred": 2}',
    b'{"y_true": "1", "y_pred": 2}',
    b'{"y_true": 1}',
    b'{"y_true": 1, "y_pred": 2, "model": 7}',
    b'{"y_true": 1, "y_pred": 2, "x": "\xff"}',
    b'{"y_true": 1, "y_pred": 2}\xc3',
    b'{"y_true": 1, "y_pred": 2, "x": "%s"}' % (b"x" * LIMIT),
    b'{"y_true": 1, "y_pred": 2, "x": %s}' % (b"[" * 900),
    b'{"y_true": 1,',
    b'"y_pred": 2}',
    b"[1, 2]",
    b"7",
    b"",
    b" ",
]


def make_decoder() -> NdjsonDecoder:
    return NdjsonDecoder(Fields({}, ["city"]), None, LIMIT)


def accepted(batch: Batch) -> list[tuple[Any, ...]]:
    columns = batch.columns
    times = columns.time or [None] * len(columns)
    cities = [{"city": city} for city in columns.segment["city"]] if columns else []
    numbers = (columns.y_true, columns.y_pred, columns.w)
    rows = zip(columns.model, *numbers, times, cities, columns.line, strict=True)
    others = [(*event[:4], event.time, event.segment, event.line) for event in batch.events]
    return [*rows, *others]


def outcome(batches: list[Batch]) -> tuple[Counter[str], Counter[tuple[object, ...]]]:
    """Return what was accepted and what was refused, each with how often, without the lines."""
    events = [event for batch in batches for event in accepted(batch)]
    return (
        Counter(repr(event[:-1]) for event in events),
        Counter(refusal[1:] for batch in batches for refusal in batch.refused),
    )


@settings(deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=40), st.data())
def test_outcome_does_not_depend_on_batches(lines, data):
    """The same lines in another order and in other batches have the same outcome."""
    alone = [make_decoder().decode([line], 1) for line in lines]
    shuffled = data.draw(st.permutations(lines))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=5)))
    decoder = make_decoder()
    with patch.object(ndjson, "_PIECE", data.draw(st.integers(1, 9))):
        batches = [
            decoder.decode(shuffled[start:end], 1 + start)
            for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)
        ]
    assert outcome(batches) == outcome(alone)


@settings(deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=20), st.data())
def test_outcome_does_not_depend_on_pieces(lines, data):
    """The same bytes in other pieces have the same outcome, line numbers included."""
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    reader = LineReader(make_decoder(), LIMIT)
    with patch.object(ndjson, "_PIECE", data.draw(st.integers(1, 9))):
        batches = [*map(reader.feed, pieces), reader.finish()]
    alone = [make_decoder().decode([line], n) for n, line in enumerate(lines, 1)]
    assert outcome(batches) == outcome(alone)
    numbers = [refusal.line for batch in batches for refusal in batch.refused]
    numbers += [event[-1] for batch in batches for event in accepted(batch)]
    assert sorted(numbers) == list(range(1, len(lines) + 1))


def test_deepest_line_taken_does_not_depend_on_batches():
    """A line nested to the very limit is taken or refused alike, alone and beside a bad one."""
    decoder = NdjsonDecoder(Fields({}, ["city"]), None, 1_000_000)
    taken = []
    for depth in range(100, 1000):
        line = b'{"y_true": 1, "y_pred": 1, "x": %s%s}' % (b"[" * depth, b"]" * depth)
        alone, beside = decoder.decode([line], 1), decoder.decode([line, b"bad"], 1)
        assert accepted(alone) == accepted(beside), depth
        taken.append(len(accepted(alone)))
    assert taken[0] == 1
