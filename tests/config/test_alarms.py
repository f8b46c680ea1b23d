"""Alarms in the YAML: what fits together is taken, all else is told with its remedy."""

from __future__ import annotations

import json

import pytest

from losswatch.config.load import parse_config, parse_monitor
from losswatch.errors import ConfigError

HEAD = "version: 1\nsources: [{file: e}]\nmonitors:\n"


def monitor(alarm: str, rest: str = "model: a, objective: {max_rmse: 5.0}"):
    return parse_config(f"{HEAD}  - {{{rest}, alarms: [{{{alarm}}}]}}\n", "bad.yml", {}).monitors[0]


GOOD = {
    "kind: budget": ("30d", "30s", ("warning",)),
    "kind: budget, block: 10": ("1000000 events", "10 events", ("warning",)),
    "kind: budget, one_false_alarm_per: 5000 events": ("5000 events", "10 events", ("warning",)),
    "kind: budget, one_false_alarm_per: 1w": ("604800s", "30s", ("warning",)),
    "kind: budget, max_rmse: {a: 1, b: 2.5}": ("2592000s", "30s", ("a", "b")),
    "kind: drift, severity: page": ("2592000s", "30s", ("page",)),
    "kind: drift, tolerance: 0.1, block: 20, warmup: 2000": (
        "1000000 events",
        "20 events",
        ("warning",),
    ),
    "kind: river, detector: river.drift.ADWIN": (None, "10 events", ("warning",)),
    "kind: river, detector: river.drift.KSWIN, block: 1m, clear: 1d, input: log": (
        None,
        "60s",
        ("warning",),
    ),
}


@pytest.mark.parametrize("alarm", GOOD)
def test_what_is_left_out_has_a_default(alarm):
    """Block and promise are of one unit; the state spells all out and means the same by it."""
    promise, block, severities = GOOD[alarm]
    config = monitor(alarm)
    (made,) = config.made_alarms
    assert str(made.promise or "None") == str(promise).replace("30d", "2592000s")
    assert (str(made.block), made.severities) == (block, severities)
    assert made.name == made.kind
    (again,) = parse_monitor(json.loads(config.model_dump_json())).made_alarms
    assert repr(again) == repr(made)


BAD = {
    "kind: budgt": "must be 'budget', 'drift' or 'river'",
    "kind: budget, max_rmse: 0": "must be a number above 0",
    "kind: budget, max_rmse: .inf": "must be a number above 0",
    "kind: budget, max_rmse: {}": "must be a number above 0, or one for each severity",
    "kind: budget, max_rmse: {a: 2, b: 1}": "severities must be given from the lowest on",
    "kind: budget, max_rmse: {a b: 2}": "has the name 'a b'",
    "kind: budget, max_rmse: {a: 2}, severity: b": "remove severity",
    "kind: budget, block: 10, one_false_alarm_per: 30d": "both must be events, or both time",
    "kind: budget, block: 10, one_false_alarm_per: 999 events": "less than 100 blocks of 10 events",
    "kind: budget, one_false_clear_per: 10m": "less than 100 blocks of 30s",
    "kind: budget, one_false_alarm_per: soon": "must be events, as in 1000000 events, or",
    "kind: budget, block: 0": "must be from 1 to",
    "kind: budget, loss_cap: 1": "must be above 1",
    "kind: budget, tolerance: 30%": "has tolerance, which an alarm of kind budget has not",
    "kind: drift, max_rmse: 3": "has max_rmse, which an alarm of kind drift has not",
    "kind: drift, tolerance: much": "must be a share such as 20%",
    "kind: drift, tolerance: -1": "must be from 0% to 10000%",
    "kind: drift, warmup: 100 events, block: 10": "must be 50 to 100000 blocks",
    "kind: drift, warmup: 100 events": "both must be events, or both time",
    "kind: river": "names no detector",
    "kind: river, detector: river.drift.ADWIN, one_false_alarm_per: 1d": "keeps no such promise",
    "kind: river, detector: river.drift.NONE": "cannot be imported",
    "kind: river, detector: ADWIN": "cannot be imported",
    "kind: river, detector: river.drift.ADWIN, settings: {x: 1}": "cannot be made",
    "kind: river, detector: river.stats.Mean": "name a drift detector",
    "kind: river, detector: river.drift.ADWIN, clear: 1d": "both must be events, or both time",
    "kind: budget, per_segment: true": "the monitor has no segments",
    "kind: budget, output: lat": "the model has none",
    "kind: budget, name: 'a b'": "has the name 'a b'",
}


@pytest.mark.parametrize("alarm", BAD)
def test_what_does_not_fit_together_is_told(alarm):
    """With file, line and path, and what is allowed."""
    with pytest.raises(ConfigError, match=r"^bad.yml: line 4: monitors\[0\].alarms\[0\]") as caught:
        monitor(alarm)
    assert BAD[alarm] in str(caught.value)


def test_what_all_segments_learn_is_bounded():
    """500 blocks of a million segments are too much for any machine."""
    rest = "model: a, segments: {labels: [b], limit: 1000000}"
    with pytest.raises(ConfigError, match="at most 20,000,000 can be kept; lower one of them"):
        monitor("kind: drift, per_segment: true", rest)


def test_a_budget_alarm_needs_a_budget():
    """Its own or that of the objective."""
    with pytest.raises(ConfigError, match=r"has no budget; give it max_rmse, or the monitor"):
        monitor("kind: budget", "model: a")
    assert monitor("kind: budget, max_rmse: 3", "model: a").made_alarms[0].budgets == (9.0,)


def test_each_alarm_has_a_name_of_its_own():
    """Two of one kind are told apart."""
    with pytest.raises(ConfigError, match="has the alarm budget twice; give one of them another"):
        monitor("kind: budget}, {kind: budget, block: 10")


def test_an_objective_that_is_wrong_is_told_once():
    """Not again for each alarm that would have it."""
    with pytest.raises(ConfigError) as caught:
        monitor("kind: budget", "model: a, objective: {max_rmse: x}")
    (problem,) = caught.value.problems
    assert problem.path == "monitors[0].objective.max_rmse"
