"""The same events as lines of JSON and as columns: the same costs, bit for bit, and refusals."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from arrow_files import KINDS, write
from hypothesis import given, settings
from hypothesis import strategies as st

from losswatch.config.load import parse_source
from losswatch.core.costs import as_json
from losswatch.core.join.settings import Join
from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.core.segments import Segments
from losswatch.service.refusals import RefusalLog
from losswatch.service.replay import Replay
from losswatch.sources import arrow

NUMBERS = st.one_of(
    st.none(),
    st.floats(-1e3, 1e3),
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e200, -1e200, 5e-324, 0.0, -0.0, 1e308]),
)
WEIGHTS = st.one_of(st.none(), st.sampled_from([1.0, 0.0, 2.5, -1.0, math.nan, 1e300, 5e-324]))
TIMES = st.one_of(
    st.none(), st.integers(0, 4000).map(float), st.sampled_from([-1.0, math.nan, 2e12, 1e400])
)
TEXTS = ("", "oslo", "røros", "a\nb", "\x7f", "x" * 128, "x" * 129, "x" * 256, "x" * 257)
LABELS = st.one_of(st.none(), st.sampled_from(TEXTS), st.sampled_from(["a", "b", "c"]))
MODELS = st.sampled_from([None, "", "eta", "eta", "fare", "else"])
IDS = st.one_of(st.none(), st.sampled_from([*TEXTS, "1", "2", "3"]))

NAMES = {
    "y_true": (NUMBERS, pa.float64()),
    "y_pred": (NUMBERS, pa.float64()),
    "w": (WEIGHTS, pa.float64()),
    "time": (TIMES, pa.float64()),
    "model": (MODELS, pa.string()),
    "city": (LABELS, pa.string()),
    "tier": (LABELS, pa.string()),
    "prediction_id": (IDS, pa.string()),
}
ROWS = st.lists(st.fixed_dictionaries({name: kind for name, (kind, _) in NAMES.items()}))
USUAL = st.lists(
    st.fixed_dictionaries(
        {
            **{name: kind for name, (kind, _) in NAMES.items()},
            "y_true": st.floats(-1e6, 1e6),
            "y_pred": st.floats(-1e6, 1e6),
            "w": st.sampled_from([1.0, 0.5, 3.0]),
            "time": st.integers(0, 4000).map(float),
        }
    ),
    max_size=60,
)
OPTIONAL = st.sets(st.sampled_from(["w", "time", "model", "segment", "prediction_id"]))
WINDOWS = [[], ["1h"], [{"events": 7}, {"last": "10m", "exact": True}]]
TYPES = {name: kind for name, (_, kind) in NAMES.items()}


def monitor(model: str, how) -> Monitor:
    segments = Segments(("city", "tier"), limit=how["limit"], idle=1e9)
    return Monitor(model, windows=how["windows"], segments=segments, join=Join(pending=5))


def as_lines(rows, without) -> bytes:
    lines = []
    for row in rows:
        event = {name: value for name, value in row.items() if name not in without}
        labels = {name: event.pop(name) for name in ("city", "tier")}
        if "segment" not in without:
            event["segment"] = labels
        lines.append(json.dumps(event).encode() + b"\n")
    return b"".join(lines)


def as_table(rows, without) -> pa.Table:
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in TYPES.items()}
    labels = [columns.pop(name) for name in ("city", "tier")]
    columns["segment"] = pa.StructArray.from_arrays(labels, ["city", "tier"])
    return pa.table({name: array for name, array in columns.items() if name not in without})


def outcome(path: Path, how):
    """Return all costs, all counts, and all refusals."""
    models = [monitor(name, how) for name in ("eta", "fare")]
    make = None if how["declared"] else lambda name, _: monitor(name, how)
    monitors = Monitors(models if how["declared"] else (), make=make)
    settings = parse_source({"file": "-", "model": how["model"]})
    replay = Replay(settings, monitors, ["city", "tier"], timed=bool(how["windows"]))
    refusals: list[tuple[object, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            RefusalLog, "add", lambda _, __, r: refusals.append((r.line, r.reason, r.detail))
        )
        replay.run([str(path)], lambda *_: None)
    snapshot = monitors.snapshot()
    counts = [(m.model, m.overflowed, repr(m.join)) for m in snapshot.monitors]
    if how["declared"]:  # else it depends on whether the model is known yet, and so on the batch
        counts += [(m.model, m.rejected) for m in snapshot.monitors]
    costs = sorted(json.dumps(cost) for cost in as_json(snapshot))
    counts.sort(key=lambda row: (row[0], len(row)))  # whose first event counts first does too
    return costs, counts, snapshot.all_rejected, replay.lines, sorted(refusals)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(
    rows=st.one_of(ROWS, USUAL),
    without=OPTIONAL,
    how=st.fixed_dictionaries(
        {
            "windows": st.sampled_from(WINDOWS),
            "declared": st.booleans(),
            "model": st.sampled_from([None, "fare"]),
        }
    ),
    at_once=st.sampled_from([1, 3, 1000]),
)
def test_columns_are_counted_as_lines_are(kind, rows, without, how, at_once):
    """Costs, windows, segments, counts, and each refusal with its line, reason and words."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.setattr(arrow, "ROWS", at_once)
        lines = folder / "events.ndjson"
        lines.write_bytes(as_lines(rows, without))
        columns = write(folder, as_table(rows, without), kind, 5)
        how |= {"limit": 4 if "prediction_id" in without else 1000}
        assert outcome(columns, how) == outcome(lines, how)
