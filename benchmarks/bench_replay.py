"""How fast a file of events is read and scored."""

from __future__ import annotations

import json
import random
import tempfile
from datetime import datetime  # noqa: TC003  # msgspec reads it
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks.pairs import Table, time_pair
from losswatch.config.load import parse_source
from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.core.segments import Segments
from losswatch.service.replay import Replay

EVENTS = 300_000
WINDOWS = ("5m", "1h", "24h")
CITIES = ("oslo", "rome", "lima", "pune", "kyiv")
START = 1_769_853_600.0


class _Record(msgspec.Struct, gc=False):
    """The fields of an event, as the replay decodes them."""

    y_true: float
    y_pred: float
    w: float | None = None
    model: str | None = None


class _Labels(msgspec.Struct, gc=False):
    city: str | int | None = None


class _LabelledRecord(_Record, gc=False):
    time: float | datetime | None = None
    segment: _Labels = msgspec.field(default_factory=_Labels)


class _Columns(NamedTuple):
    """Which columns of a Parquet are read, and what is watched of them."""

    name: str
    columns: tuple[str, ...] = ("y_true", "y_pred")
    windows: tuple[str, ...] | None = None  # by city, if any


ROWS = 2_000_000
"""Rows of the Parquet files, 10 ms apart."""

ALL = ("y_true", "y_pred", "model", "w", "time", "segment")
COLUMN_CASES = (
    _Columns("two numbers"),
    _Columns("the same with model and weight", ALL[:4]),
    _Columns("the same with time and label, watched by city", ALL, ()),
    _Columns("the same, also over 1h", ALL, ("1h",)),
    _Columns("the same, over 5m, 1h, 24h", ALL, WINDOWS),
)


class _Case(NamedTuple):
    """Some lines, and what is watched of them."""

    name: str
    models: tuple[str, ...] = ("eta",)
    extras: str = ""  # how the time is written
    bad: bool = False
    watched: bool = False  # by city, over windows of time


CASES = (
    _Case("two numbers", ()),
    _Case("one model, id, time and segment", extras="ISO 8601"),
    _Case("the same with five models", ("eta", "fare", "load", "price", "wait"), "ISO 8601"),
    _Case("the same, one line in 1,000 bad", extras="ISO 8601", bad=True),
    _Case("one model, time in seconds, watched by city over 5m, 1h, 24h", extras="s", watched=True),
)


def measure() -> list[Table]:
    """Replay lines and columns."""
    return [_of_lines(), _of_columns()]


def _of_lines() -> Table:
    """Replay a file, and only decode the same fields of its lines with the same decoder."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            path = Path(folder) / "events.ndjson"
            path.write_text(_lines(case))
            ours = partial(_replay, path, WINDOWS if case.watched else None, EVENTS)
            record = _LabelledRecord if case.watched else _Record
            pair = time_pair(ours, partial(_decode, path, record), rounds=5)
            mine, theirs = pair.median(1e-9 * EVENTS)
            rates = (f"{1e9 / float(rate):,.0f}" for rate in (mine, theirs))
            rows.append((case.name, *rates, pair.ratio))
    return Table(
        "Replay of NDJSON against decoding alone",
        ("lines with", "replay, events/s", "decoding, events/s", "time ratio"),
        rows,
    )


def _of_columns() -> Table:
    """Replay a Parquet, and only decode the same columns of it with pyarrow."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in COLUMN_CASES:
            path = Path(folder) / "events.parquet"
            _write_columns(path, case.columns)
            ours = partial(_replay, path, case.windows, ROWS)
            pair = time_pair(ours, partial(_decode_columns, path), rounds=5)
            mine, theirs = pair.median(1e-9 * ROWS)
            rates = (f"{1e9 / float(rate):,.0f}" for rate in (mine, theirs))
            rows.append((case.name, *rates, pair.ratio))
    return Table(
        "Replay of Parquet against decoding alone",
        ("columns", "replay, events/s", "decoding by pyarrow, rows/s", "time ratio"),
        rows,
    )


def _write_columns(path: Path, columns: tuple[str, ...]) -> None:
    """Write rows in the order of their time, as pyarrow does by default."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    y_true = rng.normal(100, 15, ROWS)
    cities = pa.array(np.array(CITIES)[rng.integers(0, len(CITIES), ROWS)])
    times = (START * 1000 + np.arange(ROWS) * 10.0).astype(np.int64)
    found = {
        "y_true": y_true,
        "y_pred": y_true + rng.normal(0, 3, ROWS),
        "model": ["eta"] * ROWS,
        "w": rng.uniform(0.5, 2.0, ROWS),
        "time": pa.array(times, pa.timestamp("ms", "UTC")),
        "segment": pa.StructArray.from_arrays([cities], ["city"]),
    }
    pq.write_table(pa.table({name: found[name] for name in columns}), path)


def _decode_columns(path: Path) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        assert sum(rows.num_rows for rows in file.iter_batches()) == ROWS


def _lines(case: _Case) -> str:
    rng = random.Random(1)
    lines = []
    for index in range(EVENTS):
        y_true = rng.gauss(100, 15)
        event: dict[str, object] = {"y_true": y_true, "y_pred": y_true + rng.gauss(0, 3)}
        if case.models:
            event["model"] = rng.choice(case.models)
        if case.extras:
            time = START + index if case.extras == "s" else "2026-01-31T10:00:00Z"
            event |= {"prediction_id": f"a{index}", "time": time}
            event["segment"] = {"city": rng.choice(CITIES)}
        lines.append("oops" if case.bad and index % 1000 == 0 else json.dumps(event))
    return "\n".join(lines)


def _replay(path: Path, windows: tuple[str, ...] | None, lines: int) -> None:
    replay = Replay(parse_source({"file": "-"}))
    if windows is not None:
        monitors = Monitors(make=partial(_watched, windows))
        replay = Replay(parse_source({"file": "-"}), monitors, ["city"], timed=True)
    replay.run([str(path)], lambda *_: None)
    assert replay.lines == lines
    replay.monitors.snapshot()


def _watched(windows: tuple[str, ...], model: str, outputs: tuple[str, ...]) -> Monitor:
    return Monitor(model, outputs=outputs, windows=windows, segments=Segments(("city",)))


def _decode(path: Path, record: type[_Record]) -> None:
    decode = msgspec.json.Decoder(record).decode
    for line in path.read_bytes().split(b"\n"):
        if line != b"oops":
            decode(line)
