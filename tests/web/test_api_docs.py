"""The page of the API is true: its commands run, its answers come, and it names all there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from posting import GOOD, service

from losswatch import BudgetAlarm
from losswatch.core.monitor import Monitor
from losswatch.web.openapi import describe

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
ANSWERS = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
HERE = "http://127.0.0.1:18100"


@pytest.fixture(scope="module")
def running():
    monitor = Monitor("eta", alarms=[BudgetAlarm(name="budget", max_rmse=5.0)])
    monitor.update(10, 12)
    with service(monitor=monitor) as running:
        yield running


def run(command: str, running, folder: Path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed; to run this test: apt-get install -y curl")
    (folder / "events.ndjson").write_bytes(GOOD * 3)
    command = command.replace(HERE, running.url).replace("curl ", "curl -sS --fail-with-body ")
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, running, tmp_path):
    """Each command is answered with what counts, with the cost, or with alarms."""
    answer = run(command, running, tmp_path)
    assert answer.get("accepted", 1) > 0
    assert answer.get("refused", []) == []
    assert HERE in command


def test_answers_are_those_of_the_page(running, tmp_path):
    """The first command has the first answer, that for the cost has its own; alarms have keys."""
    assert run(COMMANDS[0], running, tmp_path) == ANSWERS[0]
    cost, alarms, acknowledge = COMMANDS[-3:]
    assert run(cost, running, tmp_path) == ANSWERS[-3]
    assert run(alarms, running, tmp_path)["alarms"][0].keys() == ANSWERS[-2]["alarms"][0].keys()
    assert run(acknowledge, running, tmp_path) == {"acknowledged": 0}
    assert ANSWERS[-1] == {"acknowledged": 1}
    body = GOOD * 2 + b'{"y_true": NaN, "y_pred": 1}'
    assert running.post(body).body == ANSWERS[1]


def test_every_path_and_status_has_a_row():
    """The tables have what the description has, and nothing else but 405, which is of all."""
    inlets = {"events": "any", "predictions": "prediction", "truths": "truth"}
    description = describe(
        [(f"/api/v1/{name}", kind) for name, kind in inlets.items()],
        "/api/v1/cost",
        "/api/v1/openapi.json",
    )
    paths = {f"{method.upper()} {path}" for path, e in description["paths"].items() for method in e}
    assert set(re.findall(r"^\| `(\w+ /\S+)` \|", PAGE, re.MULTILINE)) == paths
    statuses = set(description["paths"]["/api/v1/events"]["post"]["responses"]) | {"405"}
    assert set(re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)) == statuses
