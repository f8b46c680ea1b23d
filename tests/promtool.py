"""Rules, and what alerts they fire on series that a test makes up."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from servers import binary

from losswatch.cli.rules import watched_by
from losswatch.config.load import parse_config
from losswatch.generate.rules import rules_text

JOB = {"job": "losswatch"}
FULL = """
version: 1
state: losswatch.db
monitors:
  - {model: eta, objective: {max_rmse: 5.0}, alarms: [{kind: budget}]}
  - {model: position, outputs: [lat, lon], objective: {max_rmse: 5.0}}
  - {model: fare}
sources: [{http: {}}, {kafka: {brokers: "b:9092", topics: [t]}}]
"""
"""A config with everything that decides which rules there are."""


def rules_of(config: str, job: str = "losswatch", runbook: str = "deploy/runbook.md") -> str:
    """Return the rules that the command writes for a config."""
    return rules_text(watched_by(parse_config(config), job, runbook))


@dataclass(frozen=True)
class Fired:
    """An alert that fires: all of its labels but `alertname`, and its text."""

    labels: Mapping[str, str]
    summary: str
    description: str


@dataclass
class Series:
    """Samples by series: what a Prometheus has scraped, one sample a minute from 1970 on."""

    rules: str
    values: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, values: str, **labels: str) -> Series:
        """Add a series of the job, in the notation of promtool."""
        inside = ",".join(f'{key}="{value}"' for key, value in {**JOB, **labels}.items())
        self.values[f"{name}{{{inside}}}"] = values
        return self

    def losses(self, count: str, total: str, **labels: str) -> Series:
        """Add the count and the sum of losses."""
        self.add("losswatch_l2_loss_count", count, **labels)
        return self.add("losswatch_l2_loss_sum", total, **labels)

    def fires(self, folder: Path, alert: str, at: Mapping[str, list[Fired]]) -> None:
        """Check that just these alerts of a name fire at these times."""
        tests = [
            {"eval_time": time, "alertname": alert, "exp_alerts": [_expected(alert, f) for f in fs]}
            for time, fs in at.items()
        ]
        failed = self._failures(folder, alert, {"alert_rule_test": tests})
        assert not failed, failed

    def silent(self, folder: Path, alert: str, *times: str) -> None:
        """Check that no alert of a name fires at these times."""
        self.fires(folder, alert, {time: [] for time in times})

    def firing(self, folder: Path, alert: str, label: str, *minutes: int) -> list[set[str]]:
        """Return the values that a label of the alerts of a name has, minute by minute."""
        query = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
        tests = [
            {"expr": f"{query} * {minute}", "eval_time": f"{minute}m", "exp_samples": []}
            for minute in minutes
        ]
        failed = self._failures(folder, alert, {"promql_expr_test": tests})
        assert failed.count("got: ") == failed.count("exp: nil"), failed
        found = dict(re.findall(r'\* (\d+)", time.*\n.*exp: nil\n.*got: (.*)', failed))
        values = re.compile(rf'[ {{]{label}="([^"]*)"')
        return [set(values.findall(found.get(str(minute), ""))) for minute in minutes]

    def _failures(self, folder: Path, alert: str, tests: Mapping[str, object]) -> str:
        """Return what promtool has to say against some tests, nothing if they pass."""
        (folder / "rules.yml").write_text(yaml.safe_dump(needed_by(self.rules, alert)))
        series = [{"series": name, "values": values} for name, values in self.values.items()]
        case = {"interval": "1m", "input_series": series, **tests}
        path = folder / "case.yml"
        path.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [case]}))
        command = [binary("promtool"), "test", "rules", str(path)]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        return "" if done.returncode == 0 else done.stdout + done.stderr


def needed_by(rules: str, alert: str) -> dict[str, object]:
    """Return the rules of an alert and those that it needs: days go by faster without the rest."""
    groups = yaml.safe_load(rules)["groups"]
    every = [rule for group in groups for rule in group["rules"]]
    needed = [rule for rule in every if rule.get("alert") == alert]
    assert needed, f"there is no {alert}"
    for rule in needed:
        needed += [r for r in every if "record" in r and r["record"] in rule["expr"]]
    kept = [{**g, "rules": [r for r in g["rules"] if r in needed]} for g in groups]
    return {"groups": [group for group in kept if group["rules"]]}


def _expected(alert: str, fired: Fired) -> dict[str, object]:
    annotations = {
        "summary": fired.summary,
        "description": fired.description,
        "runbook_url": f"deploy/runbook.md#{alert.lower()}",
    }
    return {"exp_labels": dict(fired.labels), "exp_annotations": annotations}
