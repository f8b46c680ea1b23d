"""A file read once: plain, compressed, damaged or missing."""

from __future__ import annotations

import gzip
import os
import threading
from functools import partial
from pathlib import Path

import pytest
from descriptors import DESCRIPTORS, count_open

from losswatch.errors import Reason, SourceError
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.file import FileSource
from losswatch.sources.ndjson import NdjsonDecoder

LIMIT = 1000
NDJSON = partial(NdjsonDecoder, Fields(), None, LIMIT)
CSV = partial(CsvDecoder, Fields(), None, LIMIT)


def lines(first: int, last: int) -> bytes:
    return b"".join(b'{"y_true": %d, "y_pred": 0}\n' % n for n in range(first, last + 1))


def read(source: FileSource) -> list[float]:
    values: list[float] = []
    while (batch := source.next_batch()) is not None:
        assert batch.refused == []
        values += batch.columns.y_true
    return values


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["no line feed at the end", "line feed"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_file_is_read_to_its_end(tmp_path, pack, end):
    """A file is read to its last line, compressed or not, whatever its name; then comes None."""
    path = tmp_path / "events"
    path.write_bytes(pack(lines(1, 3).rstrip(b"\n") + end))
    source = FileSource(path, NDJSON, LIMIT)
    assert source.name == str(path)
    assert read(source) == [1.0, 2.0, 3.0]
    assert source.position == path.stat().st_size
    assert source.next_batch() is None
    source.close()
    source.close()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_file_larger_than_one_read_is_read_whole(tmp_path, pack):
    """A file that takes several reads gives each line once."""
    path = tmp_path / "events"
    path.write_bytes(pack(lines(1, 100_000)))
    assert read(FileSource(path, NDJSON, LIMIT)) == [float(n) for n in range(1, 100_001)]


def test_gzip_of_several_members_is_read_whole(tmp_path):
    """Compressed files that were put together are read as one."""
    path = tmp_path / "events.gz"
    path.write_bytes(gzip.compress(lines(1, 2)) + gzip.compress(lines(3, 4)))
    assert read(FileSource(path, NDJSON, LIMIT)) == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_empty_file_holds_nothing(tmp_path, pack):
    """An empty file gives no line and ends."""
    path = tmp_path / "events"
    path.write_bytes(pack(b""))
    assert read(FileSource(path, NDJSON, LIMIT)) == []


def test_csv_is_read_with_its_header(tmp_path):
    """A CSV file is read with its header, and its last record needs no line feed."""
    path = tmp_path / "events.csv"
    path.write_bytes(b"y_true,y_pred\r\n1,0\r\n2,0")
    assert read(FileSource(path, CSV, LIMIT)) == [1.0, 2.0]


def test_bad_lines_do_not_stop_the_file(tmp_path):
    """Lines that hold no event are refused with their numbers and the others are read."""
    path = tmp_path / "events"
    path.write_bytes(lines(1, 1) + b"\n" + b"x" * 5000 + b"\n" + lines(4, 4) + b"{")
    source = FileSource(path, NDJSON, LIMIT)
    first, last = source.next_batch(), source.next_batch()
    assert first is not None
    assert last is not None
    assert first.columns.y_true == [1.0, 4.0]
    assert [(r.line, r.reason) for r in [*first.refused, *last.refused]] == [
        (2, Reason.EMPTY_LINE),
        (3, Reason.LINE_TOO_LONG),
        (5, Reason.INVALID_JSON),
    ]
    assert source.next_batch() is None


def damaged(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    source = FileSource(path, NDJSON, LIMIT)
    with pytest.raises(SourceError) as caught:
        read(source)
    source.close()
    assert source.next_batch() is None
    return str(caught.value)


def test_truncated_gzip_is_an_error(tmp_path):
    """A compressed file that was cut short is an error with the name of the file."""
    path = tmp_path / "events.gz"
    message = damaged(path, gzip.compress(lines(1, 1000))[:-20])
    assert message == (
        f"{path}: cannot be read: Compressed file ended before the end-of-stream marker was reached"
    )


@pytest.mark.parametrize("place", [2, 30, -6], ids=["header", "body", "checksum"])
def test_damaged_gzip_is_an_error(tmp_path, place):
    """A compressed file with damaged bytes is an error with the name of the file."""
    path = tmp_path / "events.gz"
    data = bytearray(gzip.compress(lines(1, 1000)))
    data[place] ^= 0xFF
    assert damaged(path, bytes(data)).startswith(f"{path}: cannot be read: ")


def test_missing_file_is_an_error(tmp_path):
    """A file that does not exist cannot be opened."""
    path = tmp_path / "none.ndjson"
    with pytest.raises(SourceError) as caught:
        FileSource(path, NDJSON, LIMIT)
    assert str(caught.value) == f"{path}: cannot be opened: No such file or directory"


def test_directory_is_an_error(tmp_path):
    """A directory cannot be opened as a file."""
    with pytest.raises(SourceError) as caught:
        FileSource(tmp_path, NDJSON, LIMIT)
    assert str(caught.value) == f"{tmp_path}: cannot be opened: Is a directory"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_named_pipe_is_read_to_its_end(tmp_path, pack):
    """A named pipe, as ``<(command)`` gives one, is read to its end like a file."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pack(lines(1, 3)),))
    writer.start()
    source = FileSource(path, NDJSON, LIMIT)
    assert read(source) == [1.0, 2.0, 3.0]
    writer.join()
    assert source.position > 0


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="the system does not list open files")
def test_no_file_stays_open(tmp_path):
    """Neither the end of a file nor an early close nor an error leaves a file open."""
    good, bad = tmp_path / "good", tmp_path / "bad.gz"
    good.write_bytes(lines(1, 3))
    before = count_open(tmp_path)
    for _ in range(3):
        read(FileSource(good, NDJSON, LIMIT))
        FileSource(good, NDJSON, LIMIT).close()
        damaged(bad, gzip.compress(lines(1, 3))[:-9])
    assert count_open(tmp_path) == before


def test_lines_before_the_break_of_a_gzip_count(tmp_path):
    """What a truncated gzip still holds is handed over before the error."""
    path = tmp_path / "cut.ndjson.gz"
    whole = gzip.compress(b'{"y_true": 1, "y_pred": 2}\n' * 1000 + os.urandom(100_000))
    path.write_bytes(whole[:-50_000])
    source = FileSource(path, NDJSON, LIMIT)
    batch = source.next_batch()
    assert len(batch.columns) == 1000
    with pytest.raises(SourceError, match=r"cut\.ndjson\.gz: cannot be read: "):
        source.next_batch()
    source.close()


def test_what_follows_a_gzip_is_told(tmp_path):
    """Garbage after a whole gzip is an error, once its lines were handed over."""
    path = tmp_path / "tail.gz"
    path.write_bytes(gzip.compress(b'{"y_true": 1, "y_pred": 2}\n') + b"\x1f\x8b\x07\x00")
    source = FileSource(path, NDJSON, LIMIT)
    batch = source.next_batch()
    assert batch is not None
    assert len(batch.columns) == 1
    with pytest.raises(SourceError, match="cannot be read: "):
        source.next_batch()
    source.close()
