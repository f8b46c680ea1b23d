"""The file of rules: valid for every config, and at one with the runbook and the metrics."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from promtool import FULL, rules_of
from servers import binary

from losswatch.generate.text import duration, quoted
from losswatch.prometheus import METRICS

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text()
MINIMAL = "version: 1\nmonitors: [{model: eta}]\nsources: [{file: events.ndjson}]\n"
ODD = 'a|b."\\\u0085\u2028\u200d{{ x }} é\U0001f600'
"""A name with everything that YAML, PromQL, Go's patterns or its templates could take amiss."""
CONFIGS = {
    "minimal": MINIMAL,
    "full": FULL,
    "no objective": FULL.replace("objective: {max_rmse: 5.0}", "unit: m").replace(
        "alarms: [{kind: budget}]", "alarms: [{kind: drift}]"
    ),
    "kafka": MINIMAL.replace("{file: events.ndjson}", '{kafka: {brokers: "b:9092", topics: [t]}}'),
    "odd names": MINIMAL.replace(
        "{model: eta}", f"{{model: {quoted(ODD)}}}, {{model: b, join: {{ttl: 1s}}}}"
    ),
}


def alerts_of(rules):
    groups = yaml.safe_load(rules)["groups"]
    return {rule["alert"]: rule for g in groups for rule in g["rules"] if "alert" in rule}


def check(path):
    command = [binary("promtool"), "check", "rules", "--lint=all", "--lint-fatal", str(path)]
    return subprocess.run(command, capture_output=True, check=False, text=True)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_promtool_accepts_the_rules(tmp_path, config):
    """Whatever the config has, and with no rule twice."""
    path = tmp_path / "rules.yml"
    path.write_text(rules_of(config, job='a "job"', runbook="https://example.org/r?a=1&b=#x"))
    done = check(path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_refuses_a_rule_that_stands_twice(tmp_path):
    """The check above would notice."""
    path = tmp_path / "rules.yml"
    path.write_text(
        rules_of(MINIMAL).replace("NotWritable", "").replace("sum:rate30m", "sum:rate5m")
    )
    assert check(path).returncode != 0


@pytest.mark.parametrize(
    ("config", "without"),
    [
        ("minimal", {"Alarm", "ErrorBudgetBurn", "LossTooCoarse", "KafkaLagGrowing",
                     "KafkaMessagesLost", "StateNotWritable"}),
        ("kafka", {"Alarm", "ErrorBudgetBurn", "LossTooCoarse", "StateNotWritable"}),
        ("no objective", {"ErrorBudgetBurn", "LossTooCoarse"}),
        ("full", set()),
    ],
)  # fmt: skip
def test_a_rule_is_there_if_the_config_has_what_it_is_about(config, without):
    """Without Kafka, objective, alarms or state there are no alerts on them."""
    every = alerts_of(rules_of(FULL))
    missing = set(every) - set(alerts_of(rules_of(CONFIGS[config])))
    assert missing == {f"Losswatch{name}" for name in without}
    assert ("objective_mse" in rules_of(CONFIGS[config])) == ("ErrorBudgetBurn" not in without)


def test_every_alert_has_an_entry_and_every_entry_an_alert():
    """In the runbook and in the table of the docs; each entry has all parts."""
    alerts = set(alerts_of(rules_of(FULL)))
    entries = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert set(entries) == alerts
    for name, entry in entries.items():
        parts = re.findall(r"^\*\*(\w+)\.\*\*", entry, re.MULTILINE)
        assert parts == ["Means", "Promise", "Look", "Mend", "Silence"], name
    table = (ROOT / "docs" / "rules.md").read_text()
    assert set(re.findall(r"^\| `(Losswatch\w+)` \|", table, re.MULTILINE)) == alerts


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_alert_says_what_it_must(config):
    """A severity, unless the sample has it; a summary, a description and a link that leads."""
    for name, rule in alerts_of(rules_of(config)).items():
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"deploy/runbook.md#{name.lower()}"
        severity = rule.get("labels", {}).get("severity")
        assert severity in {"page", "ticket", "warning"} or name == "LosswatchAlarm"


def test_rules_and_runbook_name_metrics_that_exist():
    """Each metric is exported, with the suffix of its type, or recorded by the rules."""
    known = set()
    for name, (kind, _) in METRICS.items():
        suffixes = {"counter": ["_total"], "histogram": ["_sum", "_count", "_bucket"]}
        known |= {name + suffix for suffix in suffixes.get(kind, [""])}
    rules = rules_of(FULL)
    recorded = set(re.findall(r"record: (\S+)", rules))
    expressions = [a["expr"] for a in alerts_of(rules).values()]
    for text in (*expressions, RUNBOOK, (ROOT / "docs" / "rules.md").read_text()):
        assert set(re.findall(r"\bmodel_output:[\w:]+", text)) <= recorded
        assert set(re.findall(r"(?<!:)\blosswatch_(\w+)", text)) <= known


def test_the_queries_of_the_runbook_are_right(tmp_path):
    """Each parses."""
    queries = re.findall(r"```promql\n(.*?)\n```", RUNBOOK, re.DOTALL)
    rules = [{"record": f"query:{n}", "expr": query} for n, query in enumerate(queries)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = check(path)
    assert (done.returncode, len(queries)) == (0, 18), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [(900, "15m"), (3661, "1h1m1s"), (604_800, "1w"), (90_061.4, "1d1h1m1s"), (0.001, "1s")],
)
def test_durations_are_spelled_as_prometheus_does(seconds, spelled):
    """In whole seconds, the largest unit first."""
    assert duration(seconds) == spelled


@pytest.mark.parametrize("text", ["eta", ODD, "\n\t\r\0\x1b\x7f", "'", "#", ": "])
def test_quoted_text_is_the_same_in_yaml(text):
    """What is quoted is read as it was."""
    assert yaml.safe_load(quoted(text)) == text
    assert len(quoted(text).splitlines()) == 1


def test_the_runbook_lets_no_message_count_twice():
    """One losswatch for one group, as the page on Kafka has it."""
    entry = RUNBOOK.split("## LosswatchKafkaLagGrowing")[1].split("\n## ")[0]
    kafka = (ROOT / "docs" / "kafka.md").read_text()
    assert "Run **one losswatch for one group**" in kafka
    assert "in the same `group`" not in entry
    assert "(../docs/kafka.md#rebalances)" in entry
