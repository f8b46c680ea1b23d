"""The real path of an alarm: service, Prometheus, rule, Alertmanager, webhook; on and off again."""

import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from running import post
from servers import alertmanager, prometheus, service, wait_for, webhook

CONFIG = """\
version: 1
monitors:
  - model: eta
    unit: minutes
    objective: {max_rmse: 2.0}
    alarms: [{kind: budget, block: 10, one_false_alarm_per: 1000000 events, severity: page}]
sources: [{http: {}}]
"""


def send(address: str, n: int, error: float, seed: int) -> None:
    draw = random.Random(seed)
    records = [{"model": "eta", "y_true": draw.gauss(10, error), "y_pred": 10.0} for _ in range(n)]
    status, _, answer = post(f"http://{address}/api/v1/events", records)
    assert (status, answer["accepted"]) == (200, n)


def rules_of(folder: Path) -> str:
    """Return the rules of the config that runs; what bridges lost scrapes is a second."""
    command = [sys.executable, "-m", "losswatch", "rules", str(folder / "losswatch.yml")]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert "keep_firing_for: 5m" in done.stdout
    return done.stdout.replace("keep_firing_for: 5m", "keep_firing_for: 1s")


def test_a_fault_reaches_the_webhook_and_so_does_its_end(tmp_path):
    """Silent while all is well, firing once by the fault, resolved after it; within a minute."""
    with ExitStack() as stack:
        url, told = stack.enter_context(webhook())
        manager = stack.enter_context(alertmanager(tmp_path, url))
        address = stack.enter_context(service(tmp_path, CONFIG))
        metrics = stack.enter_context(
            prometheus(tmp_path, address, rules_of(tmp_path), manager=manager)
        )
        wait_for(lambda: metrics.value("losswatch_alarm_active") == 0.0, 10)
        send(address, 3000, 1.0, seed=1)
        wait_for(lambda: metrics.value("losswatch_lifetime_events") == 3000, 10)
        assert not of_alarm(told)
        send(address, 500, 4.0, seed=2)
        firing = wait_for(lambda: of_alarm(told), 15, about="for the alert")
        assert [alert["status"] for alert in firing] == ["firing"]
        labels = firing[0]["labels"]
        assert (labels["model"], labels["alarm"], labels["severity"]) == ("eta", "budget", "page")
        assert "eta" in firing[0]["annotations"]["summary"]
        send(address, 6000, 1.0, seed=3)
        wait_for(lambda: len(of_alarm(told)) > 1, 15, about="for its end")
        assert [alert["status"] for alert in of_alarm(told)] == ["firing", "resolved"]
        assert metrics.value("losswatch_alarms_total") == 1.0


def of_alarm(told: list) -> list:
    return [alert for alert in told if alert["labels"]["alertname"] == "LosswatchAlarm"]
