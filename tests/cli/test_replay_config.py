"""``losswatch replay --config`` watches what a YAML declares."""

import json

import pytest

CONFIG = """\
version: 1
monitors:
  - model: eta
    unit: minutes
    windows: [1h, {half_life: 1 event}]
    segments: {labels: [city], declared: [{city: lima}]}
  - model: position
    outputs: [lat, lon]
    windows: []
sources:
"""
SOURCE = """\
  - file: elsewhere.csv
    format: csv
    delimiter: ";"
    model: eta
    fields: {y_true: actual, y_pred: time, time: when, segment.city: town}
    max_line_bytes: 100
"""
ROWS = "actual;time;when;town;guess\n10;12;0;oslo;10\n10;13;7200;rome;11\n"
LINES = """\
{"model": "eta", "y_true": 10, "y_pred": 12, "time": 0, "segment": {"city": "oslo"}}
{"model": "eta", "y_true": 10, "y_pred": 13, "time": 7200, "segment": {"city": "rome"}}
{"model": "fare", "y_true": 10, "y_pred": 13, "time": 7200}
{"model": "position", "y_true": {"lat": 1, "lon": 2}, "y_pred": {"lat": 2, "lon": 4}}
{"model": "eta", "y_true": 10, "y_pred": 13}
"""


@pytest.fixture
def replay(losswatch_command, tmp_path):
    """Return what replays text with a config that has these sources."""

    def run(text, *options, sources=SOURCE, name="e.csv"):
        (tmp_path / "c.yml").write_text(CONFIG + sources)
        (tmp_path / name).write_text(text)
        return losswatch_command("replay", name, "--config", "c.yml", *options, cwd=tmp_path)

    return run


def mses(result) -> dict[tuple[str, ...], float | None]:
    assert result.returncode == 0, result.stderr
    return {
        (c["model"], c.get("output"), *c["segment"].values(), c["window"]): c["mse"]
        for c in json.loads(result.stdout)["costs"]
    }


SEVERAL = "  - {file: a.csv, fields: {y_true: actual}}\n  - {file: b}\n"


def test_monitors_are_those_of_the_config(replay):
    """Windows, segments and outputs are as declared; others are refused, and no time is."""
    result = replay(LINES, "--json", sources=SEVERAL, name="e.ndjson")
    found = mses(result)
    assert found["eta", None, "lifetime"] == 6.5
    assert found["eta", None, "1h"] == found["eta", None, "rome", "1h"] == 9.0
    assert found["eta", None, "oslo", "1h"] is found["eta", None, "lima", "lifetime"] is None
    assert found["eta", None, "half-life 1 events"] == 11 / 1.5
    position = {key[1:]: mse for key, mse in found.items() if key[0] == "position"}
    assert position == {(None, "lifetime"): 2.5, ("lat", "lifetime"): 1.0, ("lon", "lifetime"): 4.0}
    refused = json.loads(result.stdout)["rejected"]
    assert refused == {"missing_field": 1, "unknown_model": 1}


def test_outputs_together_have_no_r2(replay):
    """Outputs have a variance each: only their own rows have what depends on it."""
    line = '{"model": "position", "y_true": {"lat": %d, "lon": 2}, "y_pred": {"lat": 2, "lon": 4}}'
    result = replay(f"{line % 1}\n{line % 4}\n", "--json", sources=SEVERAL, name="e.ndjson")
    rows = [c for c in json.loads(result.stdout)["costs"] if c["model"] == "position"]
    assert [row["r2"] for row in rows] == [None, -1 / 9, None]
    assert [row["dummy_ratio"] is None for row in rows] == [True, False, True]


def test_only_source_says_how_files_are_read(replay):
    """Fields, delimiter, format and model come from it; the file that it names is not read."""
    found = mses(replay(ROWS, "--json", name="e.txt"))
    assert (found["eta", None, "lifetime"], found["eta", None, "rome", "1h"]) == (6.5, 9.0)


def test_options_override_the_source(replay):
    """What an option says counts; the other keys of the source, and its other fields, still do."""
    found = mses(replay(ROWS, "--json", "--field", "y_pred=guess"))
    assert found["eta", None, "rome", "1h"] == 1.0
    comma = ROWS.replace(";", ",")
    assert mses(replay(comma, "--json", "--delimiter", ","))["eta", None, "lifetime"] == 6.5
    result = replay(ROWS, "--json", "--max-line-bytes", "20")
    assert json.loads(result.stdout)["rejected"]["line_too_long"] == 1
    result = replay(ROWS, "--json", "--model", "position")
    assert json.loads(result.stdout)["rejected"] == {"wrong_type": 2}


def test_unit_is_shown(replay):
    """The table tells the unit of a model that has one."""
    table = replay(ROWS).stdout.decode().splitlines()
    assert table[0].split()[-1] == "unit"
    assert table[1].split()[0] == "eta"
    assert table[1].split()[-1] == "minutes"


WRONG = {
    "by and window": (
        ["--by", "city", "--window", "5m"],
        [
            (
                "--by: is for models taken as they come; with --config the YAML says the segments"
                " of each: remove one of the two"
            ),
            (
                "--window: is for models taken as they come; with --config the YAML says the"
                " windows of each: remove one of the two"
            ),
        ],
    ),
    "model": (
        ["--model", "fare"],
        ["model: is 'fare', which no monitor watches; declared: eta, position"],
    ),
    "label": (
        ["--field", "segment.tier=x"],
        ["fields.segment.tier: is a label that nothing is split by; labels in c.yml: city"],
    ),
    "one place": (
        ["--field", "time=actual"],
        [
            (
                "fields: y_true is at actual and time at actual; give each a place of its own,"
                " none inside another"
            )
        ],
    ),
}


@pytest.mark.parametrize(("options", "problems"), WRONG.values(), ids=WRONG)
def test_options_that_do_not_fit_are_told(replay, options, problems):
    """Options that the config decides, or that do not fit it, end with code 2."""
    result = replay(ROWS, *options)
    assert result.returncode == 2
    assert result.stderr.decode().splitlines() == [f"command line: {p}" for p in problems]
    assert result.stdout == b""


def test_wrong_config_is_told(replay):
    """A config that is wrong is told as by check, with its file and line."""
    result = replay(ROWS, sources="  - {file: e, delimiter: ab}\n")
    assert result.returncode == 2
    assert result.stderr.decode().startswith("c.yml: line 11: sources[0].delimiter: is 'ab'")


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_places_are_checked_by_the_format_of_the_files(losswatch_command, tmp_path, name):
    """A column with two dots is right in CSV, but no path of keys in JSON."""
    (tmp_path / name).write_text("a..b,y_pred\n1,3\n")
    result = losswatch_command("replay", name, "--field", "y_true=a..b", cwd=tmp_path)
    assert result.returncode == (0 if name == "a.csv" else 2)
