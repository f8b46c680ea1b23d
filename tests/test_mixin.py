"""The mixin is the rules and the dashboard of the deploy folder, for jsonnet."""

import json
import subprocess
import sys
from pathlib import Path

import _gojsonnet
import yaml

ROOT = Path(__file__).parents[1]
MIXIN = ROOT / "deploy" / "mixin" / "mixin.libsonnet"
CONFIG = ROOT / "config" / "objective.yml"


def evaluated(more="{}"):
    """Return the parts of the mixin, with some of its config changed."""
    parts = "{alerts: m.prometheusAlerts, rules: m.prometheusRules, boards: m.grafanaDashboards}"
    source = f"local m = (import {json.dumps(str(MIXIN))}) + {more}; {parts}"
    return json.loads(_gojsonnet.evaluate_snippet("test.jsonnet", source))


def written(command, *options):
    arguments = [sys.executable, "-m", "losswatch", command, str(CONFIG), *options]
    done = subprocess.run(arguments, capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


def groups_with(kind, rules):
    return [group for group in yaml.safe_load(rules)["groups"] if kind in group["rules"][0]]


def test_the_mixin_is_what_the_commands_write():
    """All groups, alerts and recordings apart, none twice; and the dashboard."""
    mixin, rules = evaluated(), written("rules")
    assert mixin["alerts"]["groups"] == groups_with("alert", rules)
    assert mixin["rules"]["groups"] == groups_with("record", rules)
    groups = mixin["alerts"]["groups"] + mixin["rules"]["groups"]
    assert len(groups) == len(yaml.safe_load(rules)["groups"])
    assert all(len({*map(len, map(kinds, group["rules"]))}) == 1 for group in groups)
    assert mixin["boards"] == {"losswatch.json": json.loads(written("dashboard"))}


def kinds(rule):
    return {"alert", "record"} & set(rule)


def test_its_config_is_that_of_the_commands():
    """Another job and another runbook are everywhere, as with the options."""
    job, runbook = 'a "job"', "https://example.org/runbook"
    changed = {"job": job, "runbook": runbook}
    mixin = evaluated(f"{{_config+:: {{losswatch+: {json.dumps(changed)}}}}}")
    rules = written("rules", "--job", job, "--runbook-url", runbook)
    assert mixin["alerts"]["groups"] == groups_with("alert", rules)
    assert mixin["rules"]["groups"] == groups_with("record", rules)
    board = json.loads(written("dashboard", "--job", job))
    assert mixin["boards"] == {"losswatch.json": board}


def test_it_adds_to_other_mixins():
    """Their alerts and dashboards stay."""
    others = (
        "{prometheusAlerts+:: {groups: [{name: 'other', rules: []}]},"
        " grafanaDashboards+:: {'other.json': {}}, _config+:: {other: 1}}"
    )
    source = f"local m = {others} + (import {json.dumps(str(MIXIN))});"
    source += "{a: m.prometheusAlerts, b: m.grafanaDashboards, c: m._config.other}"
    found = json.loads(_gojsonnet.evaluate_snippet("test.jsonnet", source))
    assert found["a"]["groups"][0]["name"] == "other"
    assert len(found["a"]["groups"]) > 3
    assert set(found["b"]) == {"other.json", "losswatch.json"}
    assert found["c"] == 1
