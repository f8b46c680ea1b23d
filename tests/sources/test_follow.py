"""A file followed through everything that happens to logs."""

from __future__ import annotations

import logging
import os
from functools import partial

import pytest
from descriptors import DESCRIPTORS, count_open

from losswatch.errors import Reason
from losswatch.sources.base import Batch
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.follow import FollowSource
from losswatch.sources.ndjson import NdjsonDecoder

LIMIT = 1000
NDJSON = partial(NdjsonDecoder, Fields(), None, LIMIT)
CSV = partial(CsvDecoder, Fields(), None, LIMIT)


def line(number: int) -> bytes:
    return b'{"y_true": %d, "y_pred": 0}\n' % number


def append(path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def look(source: FollowSource, times: int = 4) -> list[Batch]:
    """Look as often as any change needs, and once more to see that nothing comes twice."""
    return [source.next_batch() for _ in range(times)]


def true_values(batches: list[Batch]) -> list[float]:
    return [value for batch in batches for value in batch.columns.y_true]


def refusals(batches: list[Batch]) -> list[tuple[int, Reason]]:
    return [(r.line, r.reason) for batch in batches for r in batch.refused]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.log"


@pytest.fixture
def source(path):
    source = FollowSource(path, NDJSON, LIMIT)
    yield source
    source.close()


@pytest.fixture
def csv_source(path):
    source = FollowSource(path, CSV, LIMIT)
    yield source
    source.close()


def test_what_is_there_and_what_is_appended_is_read(path, source):
    """What a file holds is read first, then what is appended, each line once."""
    path.write_bytes(line(1) + line(2))
    assert true_values(look(source)) == [1.0, 2.0]
    append(path, line(3))
    assert true_values(look(source)) == [3.0]
    append(path, line(4) + b"bad\n" + line(6))
    batches = look(source)
    assert true_values(batches) == [4.0, 6.0]
    assert refusals(batches) == [(5, Reason.INVALID_JSON)]
    assert source.name == str(path)


def test_nothing_new_is_an_empty_batch(path, source):
    """While nothing is appended, batches have no lines, and the end never comes."""
    path.write_bytes(line(1))
    look(source)
    assert [batch.lines for batch in look(source)] == [0, 0, 0, 0]


def test_half_a_line_waits_for_its_other_half(path, source):
    """Half a line counts when it is whole, not before, and once."""
    path.write_bytes(line(1) + b'{"y_true": 2')
    assert true_values(look(source)) == [1.0]
    append(path, b'2, "y_pred": ')
    assert true_values(look(source)) == []
    append(path, b"0}\n")
    batches = look(source)
    assert true_values(batches) == [22.0]
    assert refusals(batches) == []


def test_renamed_file_is_read_to_its_end_first(path, source, tmp_path):
    """After a rotation by renaming, the old file is read to its end, then the new one."""
    path.write_bytes(line(1))
    look(source)
    append(path, line(2))
    path.rename(tmp_path / "events.log.1")
    path.write_bytes(line(3) + b"bad\n")
    append(tmp_path / "events.log.1", line(4))
    batches = look(source)
    assert true_values(batches) == [2.0, 4.0, 3.0]
    assert refusals(batches) == [(2, Reason.INVALID_JSON)]
    append(path, line(5))
    assert true_values(look(source)) == [5.0]


def test_renamed_file_larger_than_one_read_is_read_to_its_end(path, source, tmp_path):
    """After a rotation the old file is read to its end even where that takes several reads."""
    path.write_bytes(line(0))
    look(source)
    append(path, b"".join(map(line, range(1, 100_001))))
    path.rename(tmp_path / "events.log.1")
    path.write_bytes(line(100_001))
    assert true_values(look(source, 8)) == [float(n) for n in range(1, 100_002)]


def test_renamed_file_is_read_on_while_the_name_is_free(path, source, tmp_path):
    """Between the renaming and the new file, the old one is still followed."""
    path.write_bytes(line(1))
    look(source)
    path.rename(tmp_path / "events.log.1")
    append(tmp_path / "events.log.1", line(2))
    assert true_values(look(source)) == [2.0]


def test_half_a_line_in_a_renamed_file_is_refused(path, source, tmp_path):
    """Half a line at the end of a file that was rotated away is refused, and harms no other."""
    path.write_bytes(line(1) + b'{"y_true": 2')
    look(source)
    path.rename(tmp_path / "events.log.1")
    path.write_bytes(line(3))
    batches = look(source)
    assert true_values(batches) == [3.0]
    assert refusals(batches) == [(2, Reason.INVALID_JSON)]


def test_whole_object_without_line_feed_in_a_renamed_file_counts(path, source, tmp_path):
    """A whole object at the end of a file that was rotated away counts without its line feed."""
    path.write_bytes(line(1) + line(2).rstrip())
    assert true_values(look(source)) == [1.0]
    path.rename(tmp_path / "events.log.1")
    path.write_bytes(line(3))
    assert true_values(look(source)) == [2.0, 3.0]


def test_emptied_file_is_read_from_its_beginning(path, source):
    """After a file was emptied in place, what is written to it then is read with new numbers."""
    path.write_bytes(line(1) + line(2))
    look(source)
    os.truncate(path, 0)
    append(path, line(3))
    assert true_values(look(source)) == [3.0]
    append(path, b"bad\n")
    assert refusals(look(source)) == [(2, Reason.INVALID_JSON)]


def test_half_a_line_in_an_emptied_file_is_refused(path, source):
    """Half a line that was held when the file was emptied is refused, not glued to the next."""
    path.write_bytes(line(1) + b'{"y_true": ')
    look(source)
    os.truncate(path, 0)
    append(path, line(3))
    batches = look(source)
    assert true_values(batches) == [3.0]
    assert refusals(batches) == [(2, Reason.INVALID_JSON)]


def test_file_may_appear_later(path, source):
    """Before the file exists there is nothing; when it appears it is read."""
    assert [batch.lines for batch in look(source)] == [0, 0, 0, 0]
    path.write_bytes(line(1))
    assert true_values(look(source)) == [1.0]


def test_folder_may_appear_later(tmp_path):
    """Before the folder of the file exists there is nothing; when both appear the file is read."""
    path = tmp_path / "logs" / "events.log"
    source = FollowSource(path, NDJSON, LIMIT)
    assert true_values(look(source)) == []
    path.parent.mkdir()
    path.write_bytes(line(1))
    assert true_values(look(source)) == [1.0]
    source.close()


def test_deleted_file_may_come_again(path, source):
    """A file that is deleted and made again is read from its beginning."""
    path.write_bytes(line(1))
    look(source)
    path.unlink()
    assert true_values(look(source)) == []
    path.write_bytes(line(2))
    assert true_values(look(source)) == [2.0]


def test_rotated_csv_has_a_header_of_its_own(path, csv_source, tmp_path):
    """After a rotation the first line of the new CSV is its header, with columns in any order."""
    path.write_bytes(b"y_true,y_pred\n1,0\n")
    assert true_values(look(csv_source)) == [1.0]
    append(path, b"2,0\n")
    path.rename(tmp_path / "events.log.1")
    path.write_bytes(b"id,y_pred,y_true\n7,0,3\n")
    batches = look(csv_source)
    assert true_values(batches) == [2.0, 3.0]
    assert refusals(batches) == []


@pytest.mark.parametrize("how", ["renamed", "emptied"])
def test_half_a_csv_record_is_never_scored(path, csv_source, tmp_path, how):
    """Half a CSV record is refused when its file is taken away: 1 may have become 17."""
    path.write_bytes(b"y_pred,y_true\n0,5\n0,1")
    assert true_values(look(csv_source)) == [5.0]
    if how == "renamed":
        path.rename(tmp_path / "events.log.1")
    path.write_bytes(b"y_pred,y_true\n")
    append(path, b"0,3\n")
    batches = look(csv_source)
    assert true_values(batches) == [3.0]
    assert refusals(batches) == [(3, Reason.INVALID_CSV)]


def test_line_far_over_the_limit_is_refused(path, source):
    """A line over the limit that is appended piece by piece is refused once."""
    path.write_bytes(line(1))
    look(source)
    for _ in range(3):
        append(path, b"x" * 900)
        assert refusals(look(source)) == []
    append(path, b"\n" + line(3))
    batches = look(source)
    assert true_values(batches) == [3.0]
    assert refusals(batches) == [(2, Reason.LINE_TOO_LONG)]


def test_directory_in_its_place_is_waited_out(path, source, tmp_path):
    """What cannot be opened may be mended: the events after that are read."""
    path.mkdir()
    assert source.next_batch().lines == 0
    path.rmdir()
    path.symlink_to(path)
    assert source.next_batch().lines == 0
    path.unlink()
    path.write_bytes(line(7))
    assert true_values(look(source)) == [7.0]
    (tmp_path / "other").mkdir()
    path.unlink()
    (tmp_path / "other").rename(path)
    assert true_values(look(source)) == []
    path.rmdir()
    path.write_bytes(line(8))
    assert true_values(look(source)) == [8.0]


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="the system does not list open files")
def test_no_file_stays_open(path, source, tmp_path):
    """Rotations leave one file open at most, and closing leaves none; it may be done twice."""
    before = count_open(tmp_path)
    for number in range(5):
        path.write_bytes(line(number))
        look(source)
        path.rename(tmp_path / "events.log.1")
    assert count_open(tmp_path) == before + 1
    source.close()
    source.close()
    assert count_open(tmp_path) == before


def test_the_log_tells_what_became_of_the_file(path, source, tmp_path, caplog):
    """Waiting is said once; opening, rotation and emptying are said each time."""
    with caplog.at_level(logging.INFO):
        source.next_batch()
        source.next_batch()
        path.write_bytes(b"")
        source.next_batch()
        path.rename(tmp_path / "old")
        path.write_bytes(b"long enough to be cut\n")
        for _ in range(3):
            source.next_batch()
        path.write_bytes(b"")
        source.next_batch()
    assert caplog.messages == [
        f"{path}: No such file or directory; waiting for it",
        f"following {path}",
        f"{path} is another file now; reading it from its beginning",
        f"following {path}",
        f"{path} was emptied; reading it from its beginning",
    ]


def test_a_pipe_in_its_place_is_waited_out(path, source):
    """Opening a pipe would wait for its writer, and hold up every other source."""
    os.mkfifo(path)
    assert source.next_batch().lines == 0
    path.unlink()
    path.write_bytes(line(7))
    assert true_values(look(source)) == [7.0]
