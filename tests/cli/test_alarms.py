"""Alarms on the command line: on past data, and of a running service."""

import json
import random

import pytest
from running import Running, post

CONFIG = """\
version: 1
state: losswatch.db
monitors:
  - model: eta
    segments: {labels: [city]}
    alarms:
      - {kind: budget, max_rmse: 2.0, block: 10, one_false_alarm_per: 10000 events}
      - {kind: budget, name: city, max_rmse: 2.0, per_segment: true, block: 10}
sources: [{http: {}}]
"""


def lines(n: int, after: int, error: float) -> list[dict]:
    """Return events, an hour apart, whose error grows after some of them."""
    draw = random.Random(4)
    return [
        {
            "model": "eta",
            "y_true": draw.gauss(0.0, error if i >= after else 1.0),
            "y_pred": 0.0,
            "time": 1_700_000_000.0 + 3600.0 * i,
            "segment": {"city": "oslo"},
        }
        for i in range(n)
    ]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "c.yml").write_text(CONFIG)
    text = "\n".join(map(json.dumps, lines(8000, 6000, 4.0)))
    (tmp_path / "past.ndjson").write_text(text)
    return tmp_path


def test_replay_tells_when_an_alarm_would_have_come(losswatch_command, folder):
    """In the table as a line, in JSON with its numbers; the time is that of the events."""
    result = losswatch_command("replay", "past.ndjson", "--config", "c.yml", cwd=folder)
    assert result.returncode == 0
    assert b"alarm budget (warning) of eta at 2024-07-2" in result.stdout
    result = losswatch_command("replay", "past.ndjson", "--config", "c.yml", "--json", cwd=folder)
    alarms = json.loads(result.stdout)["alarms"]
    assert {alarm["alarm"] for alarm in alarms} == {"budget", "city"}
    for alarm in alarms:
        assert alarm["raised"]
        assert 6000 < alarm["events"] < 6200
        assert alarm["time"] == 1_700_000_000.0 + 3600.0 * (alarm["events"] - 1)
        assert alarm["segment"] == ({"city": "oslo"} if alarm["alarm"] == "city" else {})


def test_check_tries_a_config_on_past_data(losswatch_command, folder):
    """How long errors remember each other, which block that asks for, and all alarms."""
    result = losswatch_command("check", "c.yml", "--data", "past.ndjson", cwd=folder)
    assert result.returncode == 0
    assert b"c.yml: 8,000 events in 8,000 lines" in result.stdout
    assert b"blocks should have at least 10 events" in result.stdout
    assert b"2 alarms in this data" in result.stdout
    (folder / "past.ndjson").write_text("{}\n")
    result = losswatch_command("check", "c.yml", "--data", "past.ndjson", cwd=folder)
    assert result.returncode == 1
    assert b"too few events to measure autocorrelation" in result.stdout


def test_an_alarm_of_a_running_service_is_acknowledged(losswatch_command, folder):
    """It is off, also after kill -9; what is not there is told with what is."""
    told = ("acknowledge", "eta")
    with Running(folder, CONFIG) as service:
        where = ("--url", service.url)
        status, _, _ = post(f"{service.url}/api/v1/events", lines(200, 0, 99.0))
        assert status == 200
        result = losswatch_command(*told, "city", "--segment", "city=oslo", *where, cwd=folder)
        assert (result.returncode, result.stdout) == (
            0,
            b"city of eta was on in 1 place; it is off\n",
        )
        service.kill()
        service.start()
        result = losswatch_command(*told, "city", *where, cwd=folder)
        assert result.stdout == b"city of eta was not on\n"
        result = losswatch_command(*told, "budget", *where, cwd=folder)
        assert result.stdout == b"budget of eta was on in 1 place; it is off\n"
        result = losswatch_command(*told, "x", *where, cwd=folder)
        assert result.returncode == 1
        assert b"no alarm 'x' of eta; there are ['budget', 'city']" in result.stderr
        service.kill()
        result = losswatch_command(*told, "budget", *where, cwd=folder)
        assert result.returncode == 1
        assert b"no answer of losswatch" in result.stderr
        assert b"name its address with --url" in result.stderr
