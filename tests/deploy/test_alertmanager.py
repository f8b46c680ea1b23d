"""The config of Alertmanager, for the alerts that the rules have."""

import subprocess
from pathlib import Path

import pytest
import yaml
from promtool import FULL, rules_of
from servers import binary

CONFIG = Path(__file__).parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
GROUPS = yaml.safe_load(rules_of(FULL))["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]


def amtool(*arguments):
    command = [binary("amtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


def test_amtool_accepts_the_config():
    """As Alertmanager would."""
    done = amtool("check-config", CONFIG)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("severity", "receiver"),
    [("page", "page"), ("ticket", "ticket"), ("warning", "seen"), ("other", "seen")],
)
def test_alerts_go_where_their_severity_says(severity, receiver):
    """Also one of a severity that the YAML of an alarm makes up."""
    labels = ["alertname=LosswatchAlarm", f"severity={severity}", "model=eta"]
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels)
    assert (done.returncode, done.stdout.strip()) == (0, receiver)


def test_every_severity_of_the_rules_has_a_receiver():
    """None but those above."""
    found = {rule["labels"]["severity"] for rule in ALERTS if "severity" in rule.get("labels", {})}
    assert found <= {"page", "ticket"}


def test_only_alerts_that_exist_inhibit_others():
    """Names in matchers are those of the rules."""
    names = {rule["alert"] for rule in ALERTS}
    for rule in yaml.safe_load(CONFIG.read_text())["inhibit_rules"]:
        for matcher in [*rule["source_matchers"], *rule["target_matchers"]]:
            label, _, value = matcher.replace("=~", "=").partition("=")
            assert label in {"alertname", "severity"}
            if label == "alertname":
                assert set(value.strip('"').split("|")) <= names
