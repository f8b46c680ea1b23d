"""``losswatch replay`` by segments and over windows, as options and a config ask for."""

import json
import random

import pytest

from losswatch import Cost

START = 1_770_000_000.0
CITIES = ("oslo", "rome", "lima")


def events(seed=1, count=400):
    """Return events a minute apart, some without a city."""
    rng = random.Random(seed)
    return [
        {
            "model": rng.choice(("eta", "fare")),
            "y_true": rng.gauss(100, 15),
            "y_pred": rng.gauss(100, 15),
            "w": rng.choice((1, 2.5)),
            "time": START + 60 * index,
            "segment": {"city": rng.choice((*CITIES, None)), "tier": rng.choice("ab")},
        }
        for index in range(count)
    ]


def as_lines(records) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


def costs(result) -> dict[tuple[str, ...], dict[str, object]]:
    """Return the costs by model, labels and window."""
    assert result.returncode == 0, result.stderr
    return {
        (cost["model"], *sorted(cost["segment"].values()), cost["window"]): cost
        for cost in json.loads(result.stdout)["costs"]
    }


def cost_of(records) -> Cost:
    cost = Cost()
    for event in records:
        cost.update(event["y_true"], event["y_pred"], event["w"])
    return cost


def test_segments_and_windows_are_exact(losswatch_command):
    """Each row has the bits of a cost of just the events that it is about."""
    records = events()
    command = ("replay", "-", "--json", "--by", "city", "--window", "1h", "--window", "50 events")
    found = costs(losswatch_command(*command, stdin=as_lines(records)))
    assert len(found) == 2 * 5 * 3  # models, total and segments, windows
    for model in ("eta", "fare"):
        of_model = [event for event in records if event["model"] == model]
        last = of_model[-1]["time"]
        for city in (*CITIES, "none", None):
            name = None if city == "none" else city
            mine = [e for e in of_model if city is None or e["segment"]["city"] == name]
            key = (model, *([city] if city else []))
            hour = [e for e in mine if e["time"] > last - 3600]
            for window, part in (("lifetime", mine), ("1h", hour), ("50 events", mine[-50:])):
                row, cost = found[*key, window], cost_of(part)
                assert row["n"] == cost.n > 0
                for number in ("weight", "mse", "rmse", "mae", "bias"):
                    assert row[number] == getattr(cost, number)


def test_several_labels_name_a_segment_together(losswatch_command):
    """``--by`` twice splits by pairs of values; an event that lacks one is in none."""
    command = ("replay", "-", "--json", "--by", "city", "--by", "tier", "--field", "model=no")
    result = losswatch_command(*command, stdin=as_lines(events()))
    rows = [cost for cost in json.loads(result.stdout)["costs"] if cost["n"]]
    assert {tuple(row["segment"]) for row in rows} == {(), ("segment",), ("city", "tier")}
    assert len(rows) == 1 + 1 + 3 * 2


def test_label_of_another_name_is_mapped(losswatch_command):
    """A field of a segment may stand anywhere; a number is its text."""
    line = b'{"y_true": 1, "y_pred": 3, "payload": {"town": 7}}'
    command = ("replay", "-", "--json", "--by", "city", "--field", "segment.city=payload.town")
    assert costs(losswatch_command(*command, stdin=line))["default", "7", "lifetime"]["mse"] == 4.0


def test_no_data_is_null(losswatch_command):
    """A window that holds nothing of a segment has its row, with null and not 0."""
    records = [{**event, "model": "eta"} for event in events(count=300)]
    records[0]["segment"]["city"] = "once"
    command = ("replay", "-", "--json", "--by", "city", "--window", "1h")
    row = costs(losswatch_command(*command, stdin=as_lines(records)))["eta", "once", "1h"]
    numbers = ("mse", "rmse", "mae", "bias", "error_variance", "r2", "dummy_ratio")
    assert row == {
        "model": "eta",
        "segment": {"city": "once"},
        "window": "1h",
        "n": 0,
        "weight": 0.0,
        **dict.fromkeys(numbers),
    }


def test_worst_segments_are_shown_first(losswatch_command):
    """The table has the 20 segments with the largest Σ loss and tells how many more there are."""
    lines = [
        {"y_true": 0, "y_pred": 1, "segment": {"city": f"c{n}"}}
        for n in range(25)
        for _ in range(n + 1)
    ]
    random.Random(1).shuffle(lines)
    result = losswatch_command("replay", "-", "--by", "city", stdin=as_lines(lines))
    table = result.stdout.decode().splitlines()
    assert table[0].split() == ["model", "segment", "events", "MSE", "RMSE", "MAE", "bias", "R²"]
    assert table[1].split()[:2] == ["default", "325"]
    assert [row.split()[1:3] for row in table[2:22]] == [
        [f"city=c{n}", str(n + 1)] for n in range(24, 4, -1)
    ]
    assert table[22] == "default: 5 more segments, which cost less; --json shows all"
    assert result.stdout.isascii() is False
    assert max(map(len, table)) <= 120


def test_long_names_stay_within_the_width(losswatch_command):
    """Names fold where they are too long for 120 columns; no number is cut."""
    line = {"model": "m" * 90, "y_true": 0, "y_pred": -1234567.125, "segment": {"city": "x" * 128}}
    command = ("replay", "-", "--by", "city", "--window", "10000 events")
    result = losswatch_command(*command, stdin=as_lines([line]))
    table = result.stdout.decode().splitlines()
    assert max(map(len, table)) <= 120
    assert table[0].split()[:3] == ["model", "segment", "window"]
    assert "".join(table).count("m") - "".join(table).count("model") >= 4 * 90
    assert sum("1.23457e+06" in row for row in table) == 4


def test_windows_alone_have_no_column_for_segments(losswatch_command):
    """Without segments there is a row for each window, the lifetime first."""
    command = ("replay", "-", "--window", "1h", "--window", "1 event", "--field", "model=no")
    table = losswatch_command(*command, stdin=as_lines(events())).stdout.decode().splitlines()
    assert table[0].split()[:3] == ["model", "window", "events"]
    assert [row.split()[1] for row in table[1:4]] == ["lifetime", "1h", "1"]


def test_segments_beyond_the_limit_are_told(losswatch_command):
    """More than 10,000 segments count together, and the table says how many events do."""
    lines = [{"y_true": 0, "y_pred": 1, "segment": {"id": n}} for n in range(10_003)]
    result = losswatch_command("replay", "-", "--by", "id", stdin=as_lines(lines))
    table = result.stdout.decode()
    assert "default: 3 events of further segments are in segment=other" in table
    assert "default: 9,981 more segments" in table


def test_segments_of_long_ago_are_kept(losswatch_command):
    """A segment without an event for years is in the table of a replay."""
    lines = [
        {"y_true": 0, "y_pred": 1, "time": time, "segment": {"city": city}}
        for time, city in ((0, "old"), (1.7e9, "new"), (1.8e9, "new"))
    ]
    command = ("replay", "-", "--json", "--by", "city", "--window", "1h")
    assert ("default", "old", "lifetime") in costs(
        losswatch_command(*command, stdin=as_lines(lines))
    )


@pytest.mark.parametrize("window", ["5m", "1 event"])
def test_events_without_time(losswatch_command, window):
    """A window of time refuses them and says what to give; a window of events needs none."""
    line = b'{"y_true": 1, "y_pred": 3}\n'
    result = losswatch_command("replay", "-", "--json", "--window", window, stdin=line)
    if window == "5m":
        assert result.returncode == 1
        assert json.loads(result.stdout)["rejected"] == {"missing_field": 1}
        assert b"the event has no time, and a window of time is watched" in result.stderr
        assert b"named by fields if it has another name" in result.stderr
    else:
        assert result.returncode == 0


OPTIONS = {
    "window": (["--window", "5x"], "windows[0]: is '5x'; must be a duration such as 30s, 5m"),
    "no events": (["--window", "0 events"], "windows[0]: has events: 0; must be a whole number"),
    "window twice": (
        ["--window", "5m", "--window", "300s"],
        "windows: has 5m and 300s, which are the same; keep one",
    ),
    "too large": (
        ["--by", "a", "--window", "10001 events"],
        "segments: has a window of 10,001 events for 10,000 segments: at most 100,000,000",
    ),
    "label": (["--by", "a-b"], "segments.labels[0]: is 'a-b'; must be letters, digits and _"),
    "reserved": (["--by", "model"], "segments.labels[0]: is 'model', which metrics and alerts use"),
    "label twice": (["--by", "a", "--by", "a"], "segments.labels: has a twice; keep one"),
    "label not asked for": (
        ["--by", "b", "--field", "segment.a=x"],
        "fields.segment.a: is a label that nothing is split by; add --by with it",
    ),
    "fields inside each other": (
        ["--by", "a", "--field", "y_true=segment"],
        "fields: y_true is at segment and segment.a at segment.a; give each a place of its own",
    ),
}


@pytest.mark.parametrize(("options", "message"), OPTIONS.values(), ids=OPTIONS)
def test_wrong_options_are_told(losswatch_command, options, message):
    """What cannot be watched is told in one line before anything is read, with code 2."""
    result = losswatch_command("replay", "-", *options, stdin=b"oops")
    assert result.returncode == 2
    assert result.stderr.decode().startswith(f"command line: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == b""


def test_times_are_read_only_where_a_window_asks_for_them(losswatch_command):
    """Else what is no time, but a field of that name, refuses no event."""
    lines = as_lines([{"y_true": 1.0, "y_pred": 2.0, "time": "soon"}])
    assert losswatch_command("replay", "-", stdin=lines).returncode == 0
    result = losswatch_command("replay", "-", "--json", "--window", "5m", stdin=lines)
    assert json.loads(result.stdout)["rejected"] == {"invalid_time": 1}
    assert losswatch_command("replay", "-", "--window", "9 events", stdin=lines).returncode == 0
