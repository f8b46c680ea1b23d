"""How fast a file of events is read and scored."""

from __future__ import annotations

import json
import random
import tempfile
from functools import partial
from pathlib import Path

import msgspec

from benchmarks.pairs import Table, time_pair
from losswatch.config.load import parse_source
from losswatch.service.replay import Replay

EVENTS = 300_000


class _Record(msgspec.Struct, gc=False):
    y_true: float
    y_pred: float
    w: float | None = None
    model: str | None = None


def measure() -> Table:
    """Replay a file, and only decode the same lines with the same decoder."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, models, extras in (
            ("two numbers", [], False),
            ("one model, id, time and segment", ["eta"], True),
            ("the same with five models", ["eta", "fare", "load", "price", "wait"], True),
            ("the same, one line in 1,000 bad", ["eta"], True),
        ):
            path = Path(folder) / "events.ndjson"
            path.write_text(_lines(models, extras=extras, bad=name.endswith("bad")))
            pair = time_pair(partial(_replay, path), partial(_decode, path), rounds=5)
            mine, theirs = pair.median(1e-9 * EVENTS)
            rows.append(
                (name, f"{1e9 / float(mine):,.0f}", f"{1e9 / float(theirs):,.0f}", pair.ratio)
            )
    return Table(
        "Replay of NDJSON against decoding alone",
        ("lines with", "replay, events/s", "decoding, events/s", "time ratio"),
        rows,
    )


def _lines(models: list[str], *, extras: bool, bad: bool) -> str:
    rng = random.Random(1)
    lines = []
    for index in range(EVENTS):
        y_true = rng.gauss(100, 15)
        event: dict[str, object] = {"y_true": y_true, "y_pred": y_true + rng.gauss(0, 3)}
        if models:
            event["model"] = rng.choice(models)
        if extras:
            event |= {"prediction_id": f"a{index}", "time": "2026-01-31T10:00:00Z"}
            event["segment"] = {"city": "oslo"}
        lines.append("oops" if bad and index % 1000 == 0 else json.dumps(event))
    return "\n".join(lines)


def _replay(path: Path) -> None:
    replay = Replay(parse_source({"file": "-"}))
    replay.run([str(path)], lambda *_: None)
    assert replay.lines == EVENTS


def _decode(path: Path) -> None:
    decode = msgspec.json.Decoder(_Record).decode
    for line in path.read_bytes().split(b"\n"):
        if line != b"oops":
            decode(line)
