"""The small commands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import losswatch
from losswatch.cli.check import check

CONFIGS = sorted((Path(__file__).parents[2] / "config").glob("*.yml"))


def test_version(losswatch_command):
    """--version prints name and version."""
    result = losswatch_command("--version")
    assert result.stdout.decode() == f"losswatch {losswatch.__version__}\n"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_check_accepts_the_examples(losswatch_command, path):
    """Every shipped config is ok."""
    result = losswatch_command("check", path)
    assert result.returncode == 0
    assert f"{path}: ok: watches eta".encode() in result.stdout


def test_check_lists_everything_that_is_wrong(losswatch_command, tmp_path):
    """All problems at once, each with file and line; exit code 2."""
    path = tmp_path / "bad.yml"
    path.write_text("version: 2\nmonitors:\n  - modle: eta\nsources: []\nlisten: 127.0.0.1\n")
    result = losswatch_command("check", path)
    lines = result.stderr.decode().splitlines()
    assert result.returncode == 2
    assert [line.removeprefix(f"{path}: ").split(":")[0] for line in lines] == [
        "line 1",
        "line 3",
        "line 3",
        "line 4",
        "line 5",
    ]
    assert any("modle: is no key here; did you mean model?" in line for line in lines)


def test_schema_is_json(losswatch_command):
    """The schema prints as JSON with all sections."""
    schema = json.loads(losswatch_command("schema").stdout)
    assert set(schema["properties"]) == {"version", "listen", "state", "web", "monitors", "sources"}


def test_demo_runs_for_some_events(losswatch_command):
    """The demo learns, says where the page is, and ends with what was seen."""
    result = losswatch_command(
        "demo", "--events", "30", "--rate", "1000", "--web.listen-address", "127.0.0.1:0"
    )
    assert result.returncode == 0
    assert b"the cost is live at http://127.0.0.1:" in result.stdout
    assert b"losswatch: stopped after 120 events, 0 refused; approval n=30" in result.stderr


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "fast"])
def test_demo_refuses_a_rate_that_is_none(losswatch_command, rate):
    """The rate is a number above 0."""
    result = losswatch_command("demo", f"--rate={rate}")
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


def test_demo_on_a_taken_port_says_so(losswatch_command):
    """A port in use ends the demo with a remedy and code 1."""
    with losswatch.serve(losswatch.Monitor("m"), port=0) as server:
        address = f"127.0.0.1:{server.port}"
        result = losswatch_command("demo", "--web.listen-address", address)
    assert result.returncode == 1
    assert f"losswatch: cannot listen on {address}: ".encode() in result.stderr
    assert b"choose another port" in result.stderr


def test_the_installed_command_is_the_same():
    """``losswatch`` and ``python -m losswatch`` are one."""
    program = Path(sys.executable).with_name("losswatch")
    result = subprocess.run([program, "--version"], capture_output=True, check=True)
    assert result.stdout.decode() == f"losswatch {losswatch.__version__}\n"


def test_check_tells_which_files_are_not_there(losswatch_command, tmp_path):
    """A missing file is no mistake of the config, but worth a note."""
    path = tmp_path / "c.yml"
    path.write_text(
        "version: 1\nmonitors: [{model: m}]\n"
        "sources: [{file: a.csv, follow: true}, {file: b.csv}, {file: '-'}, {file: c.yml}]\n"
    )
    result = losswatch_command("check", path)
    assert result.returncode == 0
    assert result.stdout.decode().splitlines()[1:] == [
        f"{path}: note: a.csv does not exist yet; it is waited for",
        f"{path}: note: b.csv does not exist yet; it must be there at the start",
    ]


def test_check_tells_which_folders_are_not_there(losswatch_command, tmp_path):
    """Nobody makes the folder of the state or of a socket, and a run would end there."""
    path = tmp_path / "c.yml"
    path.write_text(
        "version: 1\nstate: a/b.db\nmonitors: [{model: m}]\n"
        "sources: [{socket: {path: c/d.sock}}, {socket: {path: e.sock}}]\n"
    )
    result = losswatch_command("check", path)
    assert result.returncode == 0
    assert result.stdout.decode().splitlines()[1:] == [
        f"{path}: note: the folder of {name} does not exist yet; it must be there at the start"
        for name in ("c/d.sock", "a/b.db")
    ]


def test_check_tells_which_extra_is_missing(monkeypatch, tmp_path, capsys):
    """A run would end there."""
    path = tmp_path / "c.yml"
    path.write_text(
        "version: 1\nmonitors: [{model: m}]\n"
        "sources: [{kafka: {brokers: [a:9092], topics: [t], group: g}}]\n"
    )
    assert check(str(path), []) == 0
    assert "note" not in capsys.readouterr().out
    monkeypatch.setattr("losswatch.cli.check.find_spec", lambda _: None)
    assert check(str(path), []) == 0
    note = f"{path}: note: kafka needs an extra: pip install 'losswatch[kafka]'"
    assert note in capsys.readouterr().out
