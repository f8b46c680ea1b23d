"""After a restart a file is read on where it was: no line twice, none lost."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losswatch.errors import Reason, SourceError
from losswatch.sources import file as file_module
from losswatch.sources.base import Batch, Outcome, Position, Source
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.file import FileSource
from losswatch.sources.follow import FollowSource
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.sources.stdin import StdinSource

LIMIT = 1000
NDJSON = partial(NdjsonDecoder, Fields(), None, LIMIT)
CSV = partial(CsvDecoder, Fields(), None, LIMIT)


def lines(first: int, last: int) -> bytes:
    return b"".join(b'{"y_true": %d, "y_pred": 0}\n' % n for n in range(first, last + 1))


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(data)


def contents(batches: list[Batch]) -> list[tuple[object, int]]:
    """Return every value and every refusal, with its line."""
    return [
        *(pair for b in batches for pair in zip(b.columns.y_true, b.columns.line, strict=True)),
        *((r.reason, r.line) for b in batches for r in b.refused),
    ]


def values(batches: list[Batch]) -> list[float]:
    assert [r for b in batches for r in b.refused] == []
    return [value for batch in batches for value in batch.columns.y_true]


def take(source: Source, times: int = 4) -> list[Batch]:
    """Take what is there, with what the state would have of it, and stop."""
    batches = []
    for _ in range(times):
        if (batch := source.next_batch()) is not None and batch.lines:
            batches.append(batch)
            source.committed(Outcome())
    source.close()
    return batches


def after(batches: list[Batch]) -> Position:
    """Return the last position as a state would give it back."""
    position = json.loads(json.dumps(batches[-1].position))
    assert isinstance(position, dict)
    return position


def again(source: Source, position: Position) -> list[Batch]:
    source.resume(position)
    return take(source)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.log"


BOTH = pytest.mark.parametrize("kind", [FileSource, FollowSource])


@BOTH
def test_reading_goes_on_where_it_was(path, kind):
    """What was appended meanwhile is read, with its line numbers, and nothing else."""
    path.write_bytes(lines(1, 3))
    position = after(take(kind(path, NDJSON, LIMIT)))
    assert position["line"] == 4
    assert position["offset"] == path.stat().st_size
    assert contents(again(kind(path, NDJSON, LIMIT), position)) == []
    append(path, lines(4, 5) + b"bad\n")
    found = contents(again(kind(path, NDJSON, LIMIT), position))
    assert found == [(4.0, 4), (5.0, 5), (Reason.INVALID_JSON, 6)]


@BOTH
def test_csv_needs_its_header_only_once(path, kind):
    """The header is part of the position: the columns are known after a restart."""
    path.write_bytes(b"\xef\xbb\xbfid,y_pred,y_true\n7,0,1\n")
    position = after(take(kind(path, CSV, LIMIT)))
    assert position["header"] == ["id", "y_pred", "y_true"]
    append(path, b"7,0,2\n7,0,3\n")
    assert contents(again(kind(path, CSV, LIMIT), position)) == [(2.0, 3), (3.0, 4)]


@BOTH
def test_wrong_header_is_refused_once(path, kind):
    """After a restart the lines under a wrong header are refused, the header is not again."""
    path.write_bytes(b"a,b\n1,2\n")
    position = after(take(kind(path, CSV, LIMIT)))
    append(path, b"3,4\n")
    assert contents(again(kind(path, CSV, LIMIT), position)) == [(Reason.WRONG_HEADER, 3)]


def test_half_a_line_at_the_stop_is_read_whole(path):
    """Half a line that a followed file had at the stop counts once, when it is whole."""
    path.write_bytes(lines(1, 2) + lines(3, 3)[:9])
    position = after(take(FollowSource(path, NDJSON, LIMIT)))
    append(path, lines(3, 3)[9:] + lines(4, 4))
    assert values(again(FollowSource(path, NDJSON, LIMIT), position)) == [3.0, 4.0]


@pytest.mark.parametrize("rest", [b"\n", b"7\n", b"7,0\n", b""])
def test_what_follows_a_last_line_without_line_feed_belongs_to_it(path, rest):
    """A last line that was read without its line feed is over: its rest is no line."""
    path.write_bytes(b"y_true,y_pred\n1,0\n2,0")
    batches = take(FileSource(path, CSV, LIMIT))
    assert values(batches) == [1.0, 2.0]
    append(path, rest)
    assert contents(again(FileSource(path, CSV, LIMIT), after(batches))) == []
    append(path, b"3,0\n" if rest else b"\n3,0\n")
    assert contents(again(FileSource(path, CSV, LIMIT), after(batches))) == [(3.0, 4)]


def test_packed_file_is_read_on(path, monkeypatch):
    """In a packed file the position counts what was unpacked."""
    monkeypatch.setattr(file_module, "READ_SIZE", 4096)
    path.write_bytes(gzip.compress(lines(1, 500)) + gzip.compress(lines(501, 1000)))
    batches = take(FileSource(path, NDJSON, LIMIT), 1000)
    assert len(batches) > 3
    for number, batch in enumerate(batches):
        rest = take_after(path, batch)
        assert values(batches[: number + 1]) + rest == [float(n) for n in range(1, 1001)]


def take_after(path: Path, batch: Batch) -> list[float]:
    source = FileSource(path, NDJSON, LIMIT)
    source.resume(after([batch]))
    return values(take(source, 1000))


def test_packed_file_that_was_cut_is_told_by_the_next_batch(path):
    """A packed file that is damaged now ends the source, not the service."""
    path.write_bytes(gzip.compress(lines(1, 1000)))
    position = after(take(FileSource(path, NDJSON, LIMIT)))
    os.truncate(path, 200)
    source = FileSource(path, NDJSON, LIMIT)
    source.resume(position)
    with pytest.raises(SourceError, match="cannot be read: Compressed file ended"):
        source.next_batch()
    source.close()


def test_another_file_is_read_from_its_beginning(path, tmp_path, caplog):
    """A file read once whose name another has now is read from its beginning, and that is said."""
    path.write_bytes(lines(1, 2))
    position = after(take(FileSource(path, NDJSON, LIMIT)))
    path.rename(tmp_path / "old")
    path.write_bytes(lines(1, 3))
    assert values(again(FileSource(path, NDJSON, LIMIT), position)) == [1.0, 2.0, 3.0]
    assert caplog.messages == [f"{path} is another file now; reading it from its beginning"]


@BOTH
@pytest.mark.parametrize("data", [b"", lines(7, 7), lines(7, 9)], ids=["empty", "short", "long"])
def test_emptied_file_is_read_from_its_beginning(path, kind, data, caplog):
    """A file that was emptied in place, and perhaps written since, is read from its beginning."""
    path.write_bytes(lines(1, 2))
    position = after(take(kind(path, NDJSON, LIMIT)))
    path.write_bytes(data)
    found = values(again(kind(path, NDJSON, LIMIT), position))
    assert found == [float(n) for n in range(7, 7 + data.count(b"\n"))]
    assert "reading it from its beginning" in caplog.text


@BOTH
def test_shorter_file_is_read_from_its_beginning(path, kind):
    """A long file that lost its end, and begins as before, is another one."""
    path.write_bytes(lines(1, 100))
    position = after(take(kind(path, NDJSON, LIMIT)))
    os.truncate(path, len(lines(1, 60)))
    assert values(again(kind(path, NDJSON, LIMIT), position)) == [float(n) for n in range(1, 61)]


@pytest.mark.parametrize("name", ["events.log.1", "aaa", "events.log-20261124"])
def test_rotated_file_is_finished_first(path, tmp_path, name):
    """A file that was renamed while nobody looked is read to its end, then the new one."""
    (tmp_path / "other").write_bytes(lines(90, 91))
    path.write_bytes(lines(1, 2))
    position = after(take(FollowSource(path, NDJSON, LIMIT)))
    append(path, lines(3, 3))
    path.rename(tmp_path / name)
    path.write_bytes(lines(4, 4))
    batches = again(FollowSource(path, NDJSON, LIMIT), position)
    assert values(batches) == [3.0, 4.0]
    append(path, lines(5, 5))
    assert values(again(FollowSource(path, NDJSON, LIMIT), after(batches))) == [5.0]


def test_rotated_file_is_finished_before_there_is_a_new_one(path, tmp_path):
    """Until another file has the name, the renamed one is followed."""
    path.write_bytes(lines(1, 2))
    position = after(take(FollowSource(path, NDJSON, LIMIT)))
    path.rename(tmp_path / "events.log.1")
    source = FollowSource(path, NDJSON, LIMIT)
    source.resume(position)
    append(tmp_path / "events.log.1", lines(3, 3))
    assert values([source.next_batch()]) == [3.0]
    path.write_bytes(lines(4, 4))
    assert values(take(source)) == [4.0]


@pytest.mark.parametrize("decoder", [NDJSON, CSV], ids=["ndjson", "csv"])
def test_half_a_line_of_a_rotated_file_is_refused_once(path, tmp_path, decoder):
    """Half a line of a file that was taken away is refused once, restart or not."""
    head, half = (b"y_true,y_pred\n", b"0,1") if decoder is CSV else (b"", b'{"y_t')
    path.write_bytes(head + (lines(1, 1) if decoder is NDJSON else b"1,0\n") + half)
    first = take(FollowSource(path, decoder, LIMIT))
    path.rename(tmp_path / "events.log.1")
    path.write_bytes(head)
    cut = again(FollowSource(path, decoder, LIMIT), after(first))
    refused = [b for b in cut if b.refused]
    assert [r.line for b in refused for r in b.refused] == [2 + bool(head)]
    assert after(refused)["line"] == 3 + bool(head)
    append(tmp_path / "events.log.1", b"7,0\n")
    append(path, b"2,0\n" if head else lines(2, 2))
    assert values(again(FollowSource(path, decoder, LIMIT), after(refused))) == [2.0]


def test_lost_file_is_told(path, caplog):
    """A file that is nowhere any more is told, and the one with its name is read."""
    path.write_bytes(lines(1, 2))
    position = after(take(FollowSource(path, NDJSON, LIMIT)))
    other = path.with_name("new")
    other.write_bytes(lines(3, 3))
    other.replace(path)
    assert values(again(FollowSource(path, NDJSON, LIMIT), position)) == [3.0]
    assert "is gone from its folder, with what was not read of it" in caplog.text


def test_file_that_does_not_exist_is_waited_for(path):
    """If there is no file at the restart, the next one is read from its beginning."""
    path.write_bytes(lines(1, 2))
    position = after(take(FollowSource(path, NDJSON, LIMIT)))
    path.unlink()
    source = FollowSource(path, NDJSON, LIMIT)
    source.resume(position)
    assert source.next_batch().lines == 0
    path.write_bytes(lines(3, 3))
    assert values(take(source)) == [3.0]


def test_file_emptied_while_followed_has_a_position_in_the_new_lines(path):
    """After a file was emptied the position is one of what it holds since."""
    path.write_bytes(lines(1, 5) + b'{"y_t')
    source = FollowSource(path, NDJSON, LIMIT)
    source.next_batch()
    os.truncate(path, 0)
    append(path, lines(6, 6))
    cut, new = source.next_batch(), source.next_batch()
    source.close()
    assert [r.line for r in cut.refused] == [6]
    assert (after([cut])["offset"], after([cut])["line"]) == (0, 1)
    assert values(again(FollowSource(path, NDJSON, LIMIT), after([cut]))) == [6.0]
    append(path, lines(7, 7))
    assert values(again(FollowSource(path, NDJSON, LIMIT), after([new]))) == [7.0]


@BOTH
@pytest.mark.parametrize(
    "wrong",
    [{}, {"line": "4"}, {"offset": -1}, {"head": 1.5}, {"inode": True}, {"header": "a,b"}],
    ids=["empty", "text", "negative", "fraction", "boolean", "header"],
)
def test_what_is_no_position_is_refused(path, kind, wrong):
    """A position of another source is an error with the name of this one."""
    path.write_bytes(lines(1, 2))
    right = after(take(kind(path, NDJSON, LIMIT)))
    source = kind(path, NDJSON, LIMIT)
    with pytest.raises(SourceError) as caught:
        source.resume({**right, **wrong} if wrong else {})
    assert str(caught.value).startswith(f"{path}: the state has {{")
    assert str(caught.value).endswith(", no position of a file")
    source.close()


def test_pipes_have_no_position(tmp_path):
    """What went through a pipe cannot be read again."""
    (tmp_path / "input").write_bytes(lines(1, 2))
    with (tmp_path / "input").open("rb") as stream:
        source = StdinSource(NDJSON, LIMIT, stream)
        batch = source.next_batch()
        assert batch is not None
        assert batch.position is None
        with pytest.raises(SourceError, match="stdin: has no position to go on at"):
            source.resume({})
        source.committed(Outcome())
        assert source.failed("disk full")
        source.close()


@BOTH
def test_failed_batch_is_asked_for_again(path, kind):
    """Nothing is read again: whoever has the batch keeps it."""
    path.write_bytes(lines(1, 2))
    source = kind(path, NDJSON, LIMIT)
    assert source.next_batch().lines == 2
    assert source.failed("disk full")
    assert not source.next_batch().lines
    source.close()


PIECES = st.sampled_from(
    [lines(1, 1), lines(2, 3), b"\n", b"bad\n", b"x" * 1500 + b"\n", b"1,2\n", b"3,4\r\n"]
)
HEADERS = st.sampled_from([b"", b"y_true,y_pred\n", b"id,y_pred,y_true\n", b"a,b\n"])


@settings(deadline=None, max_examples=150)
@given(HEADERS, st.lists(PIECES, max_size=12), st.booleans(), st.data())
def test_any_stop_loses_nothing(header, pieces, rotate, data):
    """However a file grew, wherever it is stopped: what comes before and after is the whole."""
    decoder = CSV if header else NDJSON
    stream = header + b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        path.write_bytes(stream)
        whole = sorted(map(repr, contents(take(FollowSource(path, decoder, LIMIT)))))
        path.unlink()
        path.touch()
        source, batches = FollowSource(path, decoder, LIMIT), []
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            append(path, stream[start:end])
            if (batch := source.next_batch()).lines:
                batches.append(batch)
        source.close()
        if rotate:
            path.rename(path.with_name("events.1"))
        for number in range(len(batches)):
            rest = again(FollowSource(path, decoder, LIMIT), after(batches[: number + 1]))
            found = contents(batches[: number + 1]) + contents(rest)
            assert sorted(map(repr, found)) == whole


@settings(deadline=None)
@given(HEADERS, st.lists(PIECES, max_size=12), st.data())
def test_many_restarts_lose_nothing(header, pieces, data):
    """A file that is read on after a restart at each piece that was appended is read whole."""
    decoder = CSV if header else NDJSON
    stream = header + b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        path.write_bytes(stream)
        whole = sorted(map(repr, contents(take(FollowSource(path, decoder, LIMIT)))))
        os.truncate(path, 0)
        batches: list[Batch] = []
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            append(path, stream[start:end])
            source = FollowSource(path, decoder, LIMIT)
            if batches:
                source.resume(after(batches))
            batches += take(source)
        assert sorted(map(repr, contents(batches))) == whole


@settings(deadline=None, max_examples=150)
@given(HEADERS, st.lists(PIECES, max_size=12), st.integers(1, 200), st.booleans(), st.data())
def test_any_stop_of_a_file_read_once_loses_nothing(header, pieces, size, packed, data):
    """The same for files read once, plain and packed, with a last line that has no line feed."""
    decoder = CSV if header else NDJSON
    stream = header + b"".join(pieces)
    stream = stream[: data.draw(st.integers(0, len(stream)))]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "events"
        path.write_bytes(gzip.compress(stream) if packed else stream)
        whole = sorted(map(repr, contents(take(FileSource(path, decoder, LIMIT)))))
        patch.setattr(file_module, "READ_SIZE", size)
        batches = take(FileSource(path, decoder, LIMIT), 5000)
        for number in range(len(batches)):
            source = FileSource(path, decoder, LIMIT)
            source.resume(after(batches[: number + 1]))
            found = contents(batches[: number + 1]) + contents(take(source, 5000))
            assert sorted(map(repr, found)) == whole
