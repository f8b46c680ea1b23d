"""``losswatch`` on files of columns, as a user would."""

from __future__ import annotations

import json
import os
import pty
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from arrow_files import KINDS, write
from running import Running
from servers import wait_for

CITIES = ("oslo", "rome")
SPLIT = ("--by", "city", "--window", "1h", "--window", "7 events")
CONFIG = """\
version: 1
state: losswatch.db
monitors: [{model: eta, windows: [], segments: {labels: [city]}}]
sources: [{file: %s, model: eta, fields: {y_true: payload.actual, segment.city: town}}]
"""


def events(count: int = 500) -> list[dict[str, object]]:
    rng = random.Random(7)
    rows = []
    for n in range(count):
        y_true = rng.gauss(10, 3)
        y_pred = None if n == 41 else y_true + rng.gauss(0, 1)
        time = 1_769_853_600.0 + 60 * n
        rows.append({"payload": {"actual": y_true}, "y_pred": y_pred, "time": time})
        rows[-1] |= {"w": rng.choice([0.5, 1.0]), "town": CITIES[n % 2]}
    return rows


def table() -> pa.Table:
    """The events, with times as timestamps."""
    rows = pa.Table.from_pylist(events())
    times = pa.array([int(t * 1000) for t in rows["time"].to_pylist()], pa.timestamp("ms", "UTC"))
    return rows.set_column(rows.column_names.index("time"), "time", times)


FIELDS = ("--field", "y_true=payload.actual", "--field", "segment.city=town")


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines" / "events.ndjson"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(row) + "\n" for row in events()))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [("--json",), ("--json", *SPLIT)], ids=["whole", "split"])
def test_replay_prints_what_it_prints_of_lines(losswatch_command, tmp_path, lines, kind, options):
    """All numbers, of all segments and windows, and what was refused; the log has the row."""
    fields = FIELDS[:2] if options == ("--json",) else FIELDS
    path = write(tmp_path, table(), kind, 64)
    found = losswatch_command("replay", path, *fields, *options)
    wanted = losswatch_command("replay", lines, *fields, *options)
    assert found.returncode == 0
    assert found.stdout == wanted.stdout
    assert json.loads(found.stdout)["rejected"] == {"missing_field": 1}
    assert f"{path} line 42 refused: y_pred is missing" in found.stderr.decode()


@pytest.mark.usefixtures("lines")
def test_replay_of_a_folder_takes_all_kinds(losswatch_command, tmp_path):
    """In it and below; what else is there is passed over."""
    for kind in ("parquet", "arrow file", "feather"):
        write(tmp_path, table(), kind)
    (tmp_path / "notes.txt").write_text("no events")
    (tmp_path / "packed.parquet.gz").write_text("no events")
    result = losswatch_command("replay", tmp_path, "--json", *FIELDS[:2])
    assert json.loads(result.stdout)["lines"] == 4 * 500
    assert json.loads(result.stdout)["costs"][0]["n"] == 4 * 499


def test_replay_with_a_config_reads_as_it_says(losswatch_command, tmp_path):
    """Its fields, models and segments; the source may be lines or columns."""
    path = write(tmp_path, table())
    costs = []
    for file in ("other.parquet", "other.csv"):
        config = tmp_path / "losswatch.yml"
        config.write_text(CONFIG % file)
        result = losswatch_command("replay", path, "--json", "--config", config)
        costs.append(json.loads(result.stdout)["costs"])
    assert costs[0] == costs[1]
    counts = {c["segment"].get("city"): (c["model"], c["n"]) for c in costs[0]}
    assert counts == {None: ("eta", 499), "oslo": ("eta", 250), "rome": ("eta", 249)}


def test_sides_in_two_files_are_joined(losswatch_command, tmp_path):
    """Predictions of one file, truths of another, of several models and in any order."""
    config = tmp_path / "losswatch.yml"
    config.write_text(
        "version: 1\nmonitors: [{model: a, windows: []}, {model: b, windows: []}]\n"
        "sources: [{file: events.parquet}]\n"
    )
    ids, model = list(range(100)), ["a", "b"] * 50
    predictions = pa.table({"prediction_id": ids, "model": model, "y_pred": [1.0] * 100})
    order = random.Random(1).sample(ids, 90)
    truths = pa.table(
        {
            "prediction_id": [str(n) for n in order],
            "model": [model[n] for n in order],
            "y_true": [float(n) for n in order],
        }
    )
    for folder, part in (("p", predictions), ("t", truths)):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, part)
    for files in (("p", "t"), ("t", "p")):
        paths = [tmp_path / name / "events.parquet" for name in files]
        result = losswatch_command("replay", *paths, "--config", config, "--json")
        costs = {c["model"]: c for c in json.loads(result.stdout)["costs"]}
        for name in "ab":
            scored = [n for n in order if model[n] == name]
            assert costs[name]["n"] == len(scored)
            assert costs[name]["mse"] == sum((n - 1.0) ** 2 for n in scored) / len(scored)


WRONG = {
    "format": (("--format", "csv"), "--format: is for files of lines; "),
    "delimiter": (("--delimiter", ";"), "--delimiter: is for files of lines; "),
    "a missing column": (("--field", "w=kg"), "it lacks kg: map the columns with fields"),
    "a wrong type": (("--field", "y_true=town"), "the column town (y_true) has the type string"),
    "two fields at a place": (("--field", "y_true=y_pred"), "give each a place of its own"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_told(losswatch_command, tmp_path, name):
    """In one line, before a row is counted, and without a traceback."""
    options, message = WRONG[name]
    result = losswatch_command("replay", write(tmp_path, table()), *FIELDS[:2], *options)
    assert result.returncode in {1, 2}
    assert message in result.stderr.decode()
    assert b"Traceback" not in result.stderr
    assert result.stdout == b""


def test_lines_may_be_told_beside_columns(losswatch_command, tmp_path, lines):
    """``--format`` is for those files that have lines."""
    path = write(tmp_path, table())
    odd = lines.rename(lines.with_suffix(".csv"))
    result = losswatch_command("replay", path, odd, *FIELDS[:2], "--format", "ndjson", "--json")
    assert json.loads(result.stdout)["lines"] == 1000


def read_terminal(terminal: int) -> bytes:
    """Return what was written there, nothing at its end."""
    try:
        return os.read(terminal, 4096)
    except OSError:  # how a terminal ends on Linux
        return b""


def test_a_terminal_gets_a_bar(tmp_path):
    """It ends at the size of the file."""
    path = write(tmp_path, table())
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "losswatch", "replay", str(path), *FIELDS[:2]]
    environment = {**os.environ, "COLUMNS": "150", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b"".join(iter(lambda: read_terminal(ours), b""))
    os.close(ours)
    assert process.returncode == 0
    size = path.stat().st_size / 1000
    assert f"{size:.1f}/{size:.1f} kB".encode() in said


@pytest.mark.parametrize("key", ["follow: true", "format: csv", "delimiter: ';'"])
def test_check_refuses_the_keys_of_lines(losswatch_command, tmp_path, key):
    """With the place in the YAML and what to do."""
    config = tmp_path / "losswatch.yml"
    config.write_text(
        f"version: 1\nmonitors: [{{model: eta}}]\nsources: [{{file: e.parquet, {key}}}]\n"
    )
    result = losswatch_command("check", config)
    name = key.split(":")[0]
    assert result.returncode == 2
    assert result.stderr.decode() == (
        f"{config}: line 3: sources[0].{name}: is for files of lines; e.parquet is read in"
        " columns: remove it\n"
    )


def test_check_takes_a_file_of_columns(losswatch_command, tmp_path):
    """``follow: false`` is what it is anyway."""
    config = tmp_path / "losswatch.yml"
    config.write_text(CONFIG % "e.arrow, follow: false")
    result = losswatch_command("check", config)
    assert result.returncode == 0, result.stderr
    assert "e.arrow" in result.stdout.decode()


def test_run_counts_each_row_once_over_restarts(tmp_path):
    """After ``kill -9`` it goes on; a new file of that name is read too."""
    path = write(tmp_path, table(), rows=64)
    oslo = 'losswatch_lifetime_events{city="oslo",model="eta"}'
    with Running(tmp_path, CONFIG % path.name) as service:
        for _ in range(3):
            wait_for(lambda: service.metric(oslo) == 250, about=f"for {service.log}")
            before = service.costs()
            service.kill()
            service.start()
            assert service.costs() == before
        service.kill()
        write(tmp_path, table().slice(0, 100))
        service.start()
        wait_for(lambda: service.metric(oslo) == 300, about=f"for {service.log}")
        assert service.stop() == 0
    log = Path(service.log).read_text()
    assert log.count("is another file now; reading it from its beginning") == 1


def test_run_joins_columns_with_lines(tmp_path):
    """Predictions of a Parquet and truths of lines, at once and after ``kill -9``."""
    rows = range(200)
    predictions = pa.table(
        {
            "prediction_id": list(rows),
            "model": ["eta", None] * 100,
            "y_pred": [float(n) for n in rows],
            "w": [None if n % 3 else 0.5 for n in rows],
            "time": [None if n % 7 else 1.7e9 for n in rows],
            "town": ["oslo", None] * 100,
        }
    )
    path = write(tmp_path, predictions)
    truths = [{"prediction_id": n, "model": "eta", "y_true": 0.0} for n in rows]
    (tmp_path / "truths.ndjson").write_text("".join(json.dumps(t) + "\n" for t in truths))
    config = CONFIG.replace("y_true: payload.actual, ", "") % path.name
    with Running(tmp_path, config.replace("town}}]", "town}}, {file: truths.ndjson}]")) as service:
        for _ in range(2):
            wait_for(lambda: service.costs()[0]["n"] == 200, about=f"for {service.log}")
            (cost,) = (c for c in service.costs() if not c["segment"])
            w = [1.0 if n % 3 else 0.5 for n in rows]
            loss = sum(a * n * n for a, n in zip(w, rows, strict=True))
            assert (cost["weight"], cost["mse"]) == (sum(w), loss / sum(w))
            service.kill()
            service.start()
