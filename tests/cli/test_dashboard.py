"""``losswatch dashboard``."""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "objective.yml"


def test_the_committed_dashboard_is_that_of_the_command(losswatch_command, tmp_path):
    """If not: losswatch dashboard config/objective.yml --output deploy/grafana/losswatch.json."""
    committed = (ROOT / "deploy" / "grafana" / "losswatch.json").read_text(encoding="utf-8")
    path = tmp_path / "dashboard.json"
    written = losswatch_command("dashboard", CONFIG, "--output", path)
    assert (written.returncode, written.stdout, written.stderr) == (0, b"", b"")
    assert path.read_text(encoding="utf-8") == committed
    printed = losswatch_command("dashboard", CONFIG)
    assert json.loads(printed.stdout) == json.loads(committed)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yml")), ids=lambda p: p.stem)
def test_every_config_has_a_dashboard(losswatch_command, path):
    """Of each there is one, with a job of its own if it is named."""
    done = losswatch_command("dashboard", path, "--job", "meters")
    variables = json.loads(done.stdout)["templating"]["list"]
    (job,) = (variable for variable in variables if variable["name"] == "job")
    assert job["current"] == {"text": "meters", "value": "meters"}


def test_a_wrong_config_has_no_dashboard(losswatch_command, tmp_path):
    """All problems are told, and no file is written."""
    path, output = tmp_path / "bad.yml", tmp_path / "dashboard.json"
    path.write_text("version: 2\n")
    assert losswatch_command("dashboard", path, "--output", output).returncode == 2
    assert not output.exists()


def test_without_the_extra_it_says_how_to_get_it(losswatch_command, tmp_path):
    """The rest of losswatch does not need it."""
    blocked = tmp_path / "grafana_foundation_sdk"
    blocked.mkdir()
    (blocked / "__init__.py").write_text("raise ImportError('not installed')\n")
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = losswatch_command("dashboard", CONFIG, env=environment)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().strip().endswith("pip install 'losswatch[dashboard]'")
    assert losswatch_command("rules", CONFIG, env=environment).returncode == 0
