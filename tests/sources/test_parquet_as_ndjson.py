"""The same events as lines of JSON and as columns: the same costs, bit for bit, and refusals."""

from __future__ import annotations

import json
import logging
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
TYPES = {name: kind for name, (_, kind) in NAMES.items()}


def monitor(model: str, windows: list[object]) -> Monitor:
    segments = Segments(("city", "tier"), limit=4, idle=1e9)
    return Monitor(model, windows=windows, segments=segments, join=Join(pending=5))


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


class Seen(logging.Handler):
    """Every refusal that is logged: the line, the detail and the reason."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[tuple[object, ...]] = []

    def emit(self, record: logging.LogRecord) -> None:
        _, line, detail, reason = record.args
        self.refusals.append((line, reason, detail))


def outcome(path: Path, windows: list[object], *, declared: bool, model: str | None):
    """Return the state of every monitor, all counts, and all refusals."""
    models = [monitor(name, windows) for name in ("eta", "fare")] if declared else []
    make = None if declared else lambda name, _: monitor(name, windows)
    monitors = Monitors(models, make=make)
    settings = parse_source({"file": "-", "model": model})
    replay = Replay(settings, monitors, ["city", "tier"], timed=bool(windows))
    logger, seen = logging.getLogger("losswatch.refused"), Seen()
    logger.addHandler(seen)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("losswatch.service.refusals.RefusalLog.add", log_all)
            replay.run([str(path)], lambda *_: None)
    finally:
        logger.removeHandler(seen)
    snapshot = monitors.snapshot()
    counts = [(m.model, m.rejected, m.overflowed, repr(m.join)) for m in snapshot.monitors]
    costs = sorted(json.dumps(cost) for cost in as_json(snapshot))
    return costs, sorted(counts), snapshot.rejected, replay.lines, sorted(seen.refusals)


def log_all(self, source, refusal) -> None:
    """Log each refusal, however many there are."""
    logging.getLogger("losswatch.refused").warning(
        "%s %d %s %s", source, refusal.line, refusal.detail, str(refusal.reason)
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(
    rows=st.one_of(ROWS, USUAL),
    without=OPTIONAL,
    windows=st.sampled_from([[], ["1h"], [{"events": 7}, {"last": "10m", "exact": True}]]),
    declared=st.booleans(),
    model=st.sampled_from([None, "fare"]),
    at_once=st.sampled_from([1, 3, 1000]),
)
def test_columns_are_counted_as_lines_are(kind, rows, without, windows, declared, model, at_once):
    """Costs, windows, segments, counts, and each refusal with its line, reason and words."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.setattr(arrow, "ROWS", at_once)
        lines = folder / "events.ndjson"
        lines.write_bytes(as_lines(rows, without))
        options = {"declared": declared, "model": model}
        wanted = outcome(lines, windows, **options)
        found = outcome(write(folder, as_table(rows, without), kind, 5), windows, **options)
        assert found == wanted
