"""Standard input: pipes that are idle, that end and that are files."""

from __future__ import annotations

import os
import time
from functools import partial

import pytest

from losswatch.errors import Reason, SourceError
from losswatch.sources.base import Batch
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.sources.stdin import StdinSource

LIMIT = 1000
NDJSON = partial(NdjsonDecoder, Fields(), None, LIMIT)
GOOD = b'{"y_true": 10, "y_pred": 8}\n'


def numbers(batch: Batch | None) -> list[int]:
    assert batch is not None
    return list(batch.columns.line)


@pytest.fixture
def pipe():
    """The stream to read from a pipe, and the end to write to."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream, os.fdopen(write_end, "wb", buffering=0) as sink:
        yield stream, sink


@pytest.fixture
def source(pipe):
    source = StdinSource(NDJSON, LIMIT, pipe[0])
    yield source
    source.close()


def test_idle_pipe_does_not_block(source):
    """A pipe that has nothing gives batches without lines, at once."""
    start = time.perf_counter()
    batches = [source.next_batch() for _ in range(100)]
    assert [batch.lines for batch in batches] == [0] * 100
    assert time.perf_counter() - start < 1.0


def test_lines_come_as_they_are_written(source, pipe):
    """Lines are handed over when they are whole, with their numbers."""
    pipe[1].write(GOOD + GOOD[:5])
    assert numbers(source.next_batch()) == [1]
    assert numbers(source.next_batch()) == []
    pipe[1].write(GOOD[5:] + GOOD)
    assert numbers(source.next_batch()) == [2, 3]


def test_end_is_none_after_the_last_line(source, pipe):
    """At the end of the pipe the last line counts without its line feed; then comes None."""
    pipe[1].write(GOOD + GOOD[:-1])
    pipe[1].close()
    assert numbers(source.next_batch()) == [1]
    assert numbers(source.next_batch()) == [2]
    assert [source.next_batch(), source.next_batch()] == [None, None]


def test_half_a_line_at_the_end_is_refused(source, pipe):
    """Half a line at the end of the pipe is refused with its number."""
    pipe[1].write(GOOD + GOOD[:5])
    pipe[1].close()
    source.next_batch()
    batch = source.next_batch()
    assert [(r.line, r.reason) for r in batch.refused] == [(2, Reason.INVALID_JSON)]


def test_regular_file_is_read_to_its_end(tmp_path):
    """Standard input that is a file, as with ``<``, is read to its end."""
    path = tmp_path / "events"
    path.write_bytes(GOOD * 2)
    with path.open("rb") as stream:
        source = StdinSource(NDJSON, LIMIT, stream)
        assert numbers(source.next_batch()) == [1, 2]
        assert numbers(source.next_batch()) == []
        assert source.next_batch() is None
        source.close()


def test_closing_leaves_the_stream_open(source, pipe):
    """After closing, which may be done twice, no more is read and the stream stays open."""
    pipe[1].write(GOOD)
    source.close()
    source.close()
    assert source.next_batch() is None
    assert os.read(pipe[0].fileno(), 100) == GOOD


def test_unreadable_input_is_an_error(tmp_path):
    """Standard input that cannot be read, here one open for writing only, is an error."""
    with (tmp_path / "events").open("wb") as stream:
        source = StdinSource(NDJSON, LIMIT, stream)
        with pytest.raises(SourceError) as caught:
            source.next_batch()
        source.close()
    assert str(caught.value) == "stdin: cannot be read: Bad file descriptor"
