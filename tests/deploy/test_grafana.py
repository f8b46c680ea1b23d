"""What Grafana is provisioned with, and whether the traffic of compose.yml fills it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from grafana import Board, empty
from servers import answers, binary, free_port, process, prometheus, wait_for

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONFIG = ROOT / "config" / "objective.yml"
QUIET = {"Refused, 1h", "On since"}
"""Panels that are empty on a good day."""


def provisioned(kind):
    path = DEPLOY / "grafana" / "provisioning" / kind / "losswatch.yml"
    return yaml.safe_load(path.read_text())


def test_the_data_source_is_what_the_dashboard_asks_for():
    """Prometheus, as the only one the default; its interval is that of the scrapes."""
    (source,) = provisioned("datasources")["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    for config in ("docker", "prometheus"):
        scraped = yaml.safe_load((DEPLOY / config / "prometheus.yml").read_text())
        assert scraped["global"]["scrape_interval"] == source["jsonData"]["timeInterval"]
    services = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())["services"]
    assert source["url"].removeprefix("$") in services["grafana"]["environment"]


def test_the_dashboard_is_where_grafana_looks():
    """compose.yml mounts it into the folder that is provisioned."""
    (provider,) = provisioned("dashboards")["providers"]
    services = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())["services"]
    place = f"{provider['options']['path']}/losswatch.json"
    assert f"../grafana/losswatch.json:{place}:ro" in services["grafana"]["volumes"]
    assert services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == place


def test_there_is_a_curve_at_the_first_start(tmp_path):
    """The config, the traffic, the rules and the dashboard of compose.yml, without containers."""
    binary("prometheus")
    address = f"127.0.0.1:{free_port()}"
    run = [sys.executable, "-m", "losswatch", "run", str(CONFIG), "--web.listen-address", address]
    environment = {**os.environ, "STATE_DIRECTORY": str(tmp_path)}
    traffic = [sys.executable, str(DEPLOY / "docker" / "traffic.py"), f"http://{address}"]
    rules = (DEPLOY / "prometheus" / "losswatch.rules.yml").read_text()
    with process(run, tmp_path / "run.log", env=environment):
        wait_for(lambda: answers(f"http://{address}/-/ready"), about="for losswatch")
        with (
            process([*traffic, "--seconds", "60"], tmp_path / "traffic.log") as sending,
            prometheus(
                tmp_path, address, rules.replace("interval: 2m", "interval: 1s"), every="1s"
            ) as server,
        ):
            scored = "losswatch_predictions_scored_total > 60"
            wait_for(lambda: server.query(scored), 60, "for truths")
            means = 'count({__name__=~"model_output:losswatch_l2_loss:mean.*"}) == 7'
            wait_for(lambda: server.query(means), about="for the rules")
            board = Board(json.loads((DEPLOY / "grafana" / "losswatch.json").read_text()))
            without = empty(board, server)
            assert {query.split(": ")[0] for query in without} <= QUIET
            assert sending.poll() is None
            losses = dict(board.queries())["Losses"]
            ids = {labels["prediction_id"] for labels in board.exemplars(server, losses)}
            assert ids
            assert all(re.fullmatch("[0-9a-f]{16}", name) for name in ids)
    assert (tmp_path / "losswatch.db").exists()
    assert (tmp_path / "traffic.log").read_text() == ""


def test_traffic_without_losswatch_goes_on():
    """It says so, and ends when it is over."""
    command = [sys.executable, str(DEPLOY / "docker" / "traffic.py")]
    command += [f"http://127.0.0.1:{free_port()}", "--seconds", "0.5"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True)
    assert "predictions were not sent" in done.stdout
