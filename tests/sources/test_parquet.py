"""Files of columns as a source: what is read, refused and told, and where it goes on."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrow_files import KINDS, batches_of, column, read, refused, source_of, write

from losswatch.core.coded import Coded
from losswatch.errors import SourceError, StateError
from losswatch.service.positions import merged_positions
from losswatch.sources import arrow
from losswatch.sources.base import Source

NAN, INF = float("nan"), float("inf")
WHOLE = "must be a whole Parquet file, or an Arrow file or stream"
PLAIN = pa.table({"y_true": [float(n) for n in range(100)], "y_pred": [0.5] * 100})


def said(*arguments, **options) -> str:
    with pytest.raises(SourceError) as caught:
        read(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_become_events_in_columns(tmp_path, kind):
    """No row becomes an object: numbers stay arrays, texts are kept once each."""
    table = PLAIN.append_column("model", pa.array(["eta", None] * 50))
    source: Source = source_of(write(tmp_path, table, kind), model="fare")
    (batch,) = batches_of(source)
    columns = batch.columns
    assert columns.y_true.tolist() == PLAIN["y_true"].to_pylist()
    assert columns.line == range(1, 101)
    assert columns.weights() is None
    assert isinstance(columns.model, Coded)
    assert list(columns.model) == ["eta", "fare"] * 50
    assert (batch.lines, batch.refused, batch.events) == (100, [], [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("at_once", "group"), [(1, 7), (7, 100), (64, 30), (1000, None)])
def test_rows_at_once_do_not_matter(tmp_path, kind, at_once, group, monkeypatch):
    """Neither how many are read at once nor how they are grouped in the file."""
    monkeypatch.setattr(arrow, "ROWS", at_once)
    batches = read(write(tmp_path, PLAIN, kind, group))
    assert column(batches, "y_true") == PLAIN["y_true"].to_pylist()
    assert column(batches, "line") == list(range(1, 101))
    assert max(batch.lines for batch in batches) <= at_once


@pytest.mark.parametrize("kind", KINDS)
def test_each_bad_row_is_refused_alone(tmp_path, kind):
    """By the rules of JSON: its number, its reason, the words; the others count."""
    table = pa.table(
        {
            "y_true": [1.0, None, NAN, 4.0, 5.0, 6.0, 7.0, 8.0],
            "y_pred": [0.0, 0.0, 0.0, -INF, 0.0, 0.0, 0.0, 0.0],
            "w": [None, 1.0, 1.0, 1.0, INF, 1.0, 1.0, -1.0],
            "time": [None, 1.0, 1.0, 1.0, 1.0, -5.0, 1.0, 1.0],
            "segment.city": ["oslo", None, "a", "a", "a", "a", "", "b"],
        }
    )
    (batch,) = read(write(tmp_path, table, kind), labels=["city"], model="eta")
    assert refused([batch]) == [
        (2, "missing_field"),
        (3, "not_finite"),
        (4, "not_finite"),
        (5, "not_finite"),
        (6, "invalid_time"),
        (7, "invalid_segment"),
    ]
    assert batch.refused[2].detail == "y_pred is -inf; must be a finite float64"
    assert {refusal.model for refusal in batch.refused} == {"eta"}
    columns = batch.columns  # the negative weight is refused where it is scored
    assert list(columns.line) == [1, 8]
    assert list(columns.w) == [1.0, -1.0]
    assert list(columns.segment["city"]) == ["oslo", "b"]
    assert batch.lines == 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_side_may_come_alone_where_an_id_is(tmp_path, kind):
    """Within a file, by null; a row without an id needs both."""
    table = pa.table(
        {
            "y_true": [1.0, None, 3.0, None, None],
            "y_pred": [0.0, 2.0, None, 4.0, None],
            "prediction_id": [None, "a", "a", None, "b"],
        }
    )
    batches = read(write(tmp_path, table, kind))
    assert column(batches, "y_true") == [1.0, None, 3.0]
    assert column(batches, "y_pred") == [0.0, 2.0, None]
    assert column(batches, "prediction_id") == [None, "a", "a"]
    assert refused(batches) == [(4, "missing_field"), (5, "missing_field")]


@pytest.mark.parametrize("side", ["y_true", "y_pred"])
@pytest.mark.parametrize("named", [False, True])
def test_a_file_may_hold_one_side(tmp_path, side, named):
    """With ids, also where ``fields`` names the other; without ids both must be there."""
    table = pa.table({side: [1.0, 2.0], "prediction_id": ["a", "b"]})
    fields = {"y_true": "y_true", "y_pred": "y_pred"} if named else {}
    batches = read(write(tmp_path, table), fields)
    assert column(batches, side) == [1.0, 2.0]
    other = "y_pred" if side == "y_true" else "y_true"
    assert column(batches, other) == [None, None]
    alone = said(write(tmp_path, table.select([side])))
    assert alone.endswith(f"has the columns {side}; it lacks {other}: map the columns with fields")


def test_ids_that_cannot_be_used_are_refused(tmp_path):
    """Too long, or what nothing can print; an empty one is none."""
    ids = ["a", "", "x" * 257, "a\tb", None, "æ\u200d"]
    table = pa.table({"y_true": [1.0] * 6, "y_pred": [2.0] * 6, "prediction_id": ids})
    batches = read(write(tmp_path, table))
    assert refused(batches) == [(3, "invalid_id"), (4, "invalid_id")]
    assert column(batches, "prediction_id") == ["a", None, None, "æ\u200d"]


def test_a_missing_column_is_told(tmp_path):
    """With what there is; one that ``fields`` names must be there."""
    path = write(tmp_path, pa.table({"actual": [1.0], "guess": [2.0]}))
    lacks = f"{path}: has the columns actual, guess; it lacks "
    assert said(path) == f"{lacks}y_true and y_pred: map the columns with fields"
    fields = {"y_true": "actual", "y_pred": "guess"}
    assert said(path, {**fields, "w": "load.kg"}).startswith(f"{lacks}load.kg:")
    assert column(read(path, fields), "y_pred") == [2.0]


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_column_that_is_there_twice_is_refused(tmp_path, kind):
    """Only if it is read: nobody minds another."""
    names = ["y_true", "y_pred", "x", "x"]
    table = pa.Table.from_arrays([pa.array([1.0])] * 4, names)
    assert column(read(write(tmp_path, table, kind)), "y_true") == [1.0]
    path = write(
        tmp_path, pa.Table.from_arrays([pa.array([1.0])] * 3, [*names[:2], "y_true"]), kind
    )
    assert said(path) == f"{path}: has the column y_true twice; keep one"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_rows_ends_at_once(tmp_path, kind):
    """It is no error; nor is one of which all columns have no type."""
    assert read(write(tmp_path, PLAIN.slice(0, 0), kind)) == []
    nothing = pa.table({"y_true": pa.nulls(2), "y_pred": pa.nulls(2)})
    assert refused(read(write(tmp_path, nothing, kind))) == [
        (1, "missing_field"),
        (2, "missing_field"),
    ]


NO_FILES = {
    "empty": b"",
    "lines": b'{"y_true": 1, "y_pred": 2}\n' * 9,
    "magic alone": b"PAR1",
    "magic of an Arrow file": b"ARROW1\0\0",
    "zeros": bytes(100),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_such_file_is_told(tmp_path, name):
    """With the file and what it must be."""
    path = tmp_path / "events.parquet"
    path.write_bytes(NO_FILES[name])
    text = said(path)
    assert text.startswith(f"{path}: cannot be read: ")
    assert text.endswith(WHOLE)


def test_gzip_around_it_is_told(tmp_path):
    """It compresses within; around it nothing could be read from its end."""
    path = tmp_path / "events.parquet.gz"
    path.write_bytes(gzip.compress(write(tmp_path, PLAIN).read_bytes()))
    assert said(path).startswith(f"{path}: cannot be read: it is packed with gzip: unpack it; ")


@pytest.mark.parametrize(
    ("path", "why"),
    [("none.parquet", "No such file or directory"), ("a\0b.arrow", "a NUL is in its name")],
)
def test_a_file_that_cannot_be_opened_is_told(tmp_path, path, why):
    """By the words of the system."""
    assert why in said(tmp_path / path)


def test_a_file_may_have_any_name(tmp_path):
    """Also one that is no UTF-8."""
    path = write(tmp_path, PLAIN)
    odd = path.rename(tmp_path / os.fsdecode(b"\xff.parquet"))
    assert len(read(odd)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_file_is_told(tmp_path, kind):
    """What was whole before the cut of a stream is handed over; others have their end first."""
    path = write(tmp_path, PLAIN, kind, 10)
    path.write_bytes(path.read_bytes()[:-400])
    taken = []
    with pytest.raises(SourceError, match=f"{path}: cannot be read: .*; {WHOLE}"):
        source = source_of(path)
        while (batch := source.next_batch()) is not None:
            taken.append(batch)
    assert bool(taken) == (kind == "arrow stream")


DAMAGE = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from arrow_files import read
from losswatch.errors import SourceError, StateError
path, whole, told = Path(sys.argv[1]), Path(sys.argv[1]).read_bytes(), 0
for seed in range(300):
    rng, data = random.Random(seed), bytearray(whole)
    for _ in range(rng.choice([1, 1, 4])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    try:
        read(path, labels=["city"])
    except SourceError:
        told += 1
print(told)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_told_and_never_ends_the_process(tmp_path, kind):
    """Any bit may be wrong: then it is an error of the source, or other rows."""
    rows = range(40)
    table = pa.table(
        {
            "y_true": [float(n) for n in rows],
            "y_pred": pa.array(list(rows), pa.int32()),
            "model": pa.array([f"m{n % 3}" for n in rows]).dictionary_encode(),
            "time": pa.array(list(rows), pa.timestamp("ms")),
            "prediction_id": [None if n % 5 else f"id {n}" for n in rows],
            "segment": [{"city": f"c{n % 4}"} for n in rows],
        }
    )
    path = write(tmp_path, table, kind, 16)
    folder = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", DAMAGE, str(path), folder]
    result = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr.decode()
    assert int(result.stdout) > 30


def again(path, position) -> list[int]:
    source = source_of(path)
    source.resume(json.loads(json.dumps(position)))
    return column(batches_of(source), "line")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at_once", [4, 7, 1000])
def test_it_goes_on_after_the_rows_that_were_counted(tmp_path, kind, at_once, monkeypatch):
    """Wherever it was left, also if fewer or more rows are read at once now."""
    monkeypatch.setattr(arrow, "ROWS", 6)
    path = write(tmp_path, PLAIN, kind, 25)
    batches = read(path)
    monkeypatch.setattr(arrow, "ROWS", at_once)
    done = 0
    for batch in batches:
        done += batch.lines
        assert again(path, batch.position) == list(range(done + 1, 101))


def test_another_file_of_its_name_is_read_from_its_beginning(tmp_path, caplog):
    """It is told, whether it is longer, shorter or of the same size."""
    path = write(tmp_path, PLAIN)
    position = read(path)[-1].position
    for other in (PLAIN.slice(0, 5), PLAIN.slice(1, 99), pa.concat_tables([PLAIN, PLAIN])):
        pq.write_table(other, path)
        assert again(path, position) == list(range(1, len(other) + 1))
    assert caplog.text.count("is another file now; reading it from its beginning") == 3


def test_a_position_of_something_else_is_refused(tmp_path):
    """As one of a state that was damaged."""
    path = write(tmp_path, PLAIN)
    good = read(path)[-1].position
    for bad in ({}, {**good, "rows": -1}, {**good, "rows": True}, {**good, "inode": "x"}):
        with pytest.raises(SourceError, match="no position of a file"):
            source_of(path).resume(bad)
    with pytest.raises(SourceError, match="has fewer rows than the 101 read before"):
        source_of(path).resume({**good, "rows": 101})


def test_two_states_may_have_counted_two_files_of_a_name(tmp_path):
    """Positions tell files apart, so ``losswatch merge`` refuses only the same one."""
    one, other = ({"e": read(write(tmp_path, t))[-1].position} for t in (PLAIN, PLAIN.slice(50)))
    assert merged_positions(one, other, "other.db") == one
    with pytest.raises(StateError, match="has counted the file e"):
        merged_positions(one, one, "one.db")


@pytest.mark.parametrize("kind", KINDS)
def test_how_far_it_is_grows_to_the_size_of_the_file(tmp_path, kind, monkeypatch):
    """In bytes, about, for the progress bar."""
    monkeypatch.setattr(arrow, "ROWS", 10)
    path = write(tmp_path, PLAIN, kind, 10)
    source, seen = source_of(path), []
    while source.next_batch() is not None:
        seen.append(source.position)
    assert seen == sorted(seen)
    assert 0 < seen[0] < path.stat().st_size // 2
    assert path.stat().st_size * 0.95 < seen[-1] <= path.stat().st_size


def test_it_is_closed_at_its_end_and_may_be_closed_twice(tmp_path):
    """And then it has nothing more."""
    source = source_of(write(tmp_path, PLAIN))
    assert len(batches_of(source)) == 1
    source.close()
    source.close()
    assert source.next_batch() is None
    assert source.failed("why")


def test_without_pyarrow_it_is_told_how_to_get_it(tmp_path, monkeypatch):
    """The extra is named."""
    path = write(tmp_path, PLAIN)
    monkeypatch.setitem(sys.modules, "losswatch.sources.arrow", None)
    monkeypatch.delattr("losswatch.sources.arrow")
    assert said(path).endswith("pip install 'losswatch[parquet]'")
