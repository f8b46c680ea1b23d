"""Alerts on losswatch itself: what fires, with which words, and what nearly does."""

import pytest
from promtool import JOB, Fired

A = {"instance": "a:1"}


DOWN = (
    "losswatch at a:1 cannot be scraped",
    (
        "Prometheus has not been able to scrape a:1 for 5 minutes. What it watches has no error in"
        " Prometheus meanwhile: all other alerts on it are silent."
    ),
)
NOT_COLLECTED = (
    "losswatch at a:1 answers without the cost",
    (
        "For 5 minutes the pages of a:1 have come without any cost, because collecting it failed;"
        " the log says why. All alerts on its models are silent."
    ),
)
NOT_WRITTEN = (
    "losswatch at a:1 cannot write its state",
    (
        "The last commit of a:1 to its state failed. Until one works nothing is counted and nothing"
        " acknowledged: senders must repeat, sources wait."
    ),
)
NOT_LOADED = (
    "losswatch at a:1 could not load its config",
    (
        "The last attempt of a:1 to load its config failed. It goes on with the one before; after a"
        " restart it would not come up."
    ),
)
ZEROS = [
    ("LosswatchTargetDown", "up", 5, "page", DOWN),
    ("LosswatchCollectorFailed", "losswatch_collector_success", 5, "page", NOT_COLLECTED),
    ("LosswatchStateNotWritable", "losswatch_state_writable", 2, "page", NOT_WRITTEN),
    (
        "LosswatchReloadFailed",
        "losswatch_config_last_reload_successful",
        0,
        "ticket",
        NOT_LOADED,
    ),
]
"""Alerts on a gauge that is 0: for how many minutes, and what they say."""


@pytest.mark.parametrize("zero", ZEROS, ids=lambda zero: zero[0])
def test_a_zero_that_lasts_fires(series, tmp_path, zero):
    """From when it has lasted long enough until it is 1 again; 1, none and a short 0 are silent."""
    alert, name, minutes, severity, text = zero
    series.add(name, "1x9 0x20 1x10", **A)
    series.add(name, "1x40", instance="healthy:1")
    if minutes:
        series.add(name, f"1x9 0x{minutes - 1} 1x30", instance="blinking:1")
    series.add(name, "0x40", job="another")
    wanted = [Fired({**JOB, **A, "severity": severity}, *text)]
    at = {"9m": [], f"{10 + minutes}m": wanted, "30m": wanted, "31m": []}
    if minutes:
        at[f"{9 + minutes}m"] = []
    series.fires(tmp_path, alert, at)


def test_a_job_without_targets_fires(series, tmp_path):
    """No ``up`` at all is no 0; after five minutes it is told, as is a job of another name."""
    series.add("up", "1x10 stale _x30 1x10", **A)
    series.add("up", "1x50", job="another")
    wanted = Fired(
        {**JOB, "severity": "page"},
        "No losswatch is scraped by the job losswatch",
        "Prometheus has no target of the job losswatch: nothing is watched, and all other alerts"
        " on losswatch are silent.",
    )
    at = {"10m": [], "15m": [], "16m": [wanted], "41m": [wanted], "42m": []}
    series.fires(tmp_path, "LosswatchAbsent", at)


def test_a_job_whose_target_is_down_is_not_absent(series, tmp_path):
    """Down is another alert, and a short restart is none."""
    series.add("up", "1x10 0x30", **A)
    series.silent(tmp_path, "LosswatchAbsent", "9m", "40m")


def test_no_target_is_not_down(series, tmp_path):
    """A target that was taken away is not down."""
    series.add("up", "1x10 stale", **A)
    series.silent(tmp_path, "LosswatchTargetDown", "9m", "40m")


def test_a_model_that_nobody_watches_fires(series, tmp_path):
    """Of three models one is missing; its name is in the labels."""
    series.add("losswatch_collector_success", "1x40", **A)
    for model in ("eta", "position"):
        series.add("losswatch_lifetime_events", "0x40", model=model, **A)
    series.add("losswatch_lifetime_events", "0x10 stale", model="fare", **A)
    wanted = Fired(
        {**JOB, "model": "fare", "severity": "ticket"},
        "No losswatch watches fare",
        "losswatch is scraped, but fare is not among its models, though it was in the config that"
        " these rules were written from: its alerts are silent.",
    )
    series.fires(tmp_path, "LosswatchModelAbsent", {"20m": [], "21m": [wanted]})


def test_a_failed_scrape_is_no_absent_model(series, tmp_path):
    """Where losswatch or its collector is down, that is told and not all of its models."""
    series.add("losswatch_collector_success", "1x10 0x40", **A)
    for model in ("eta", "position", "fare"):
        series.add("losswatch_lifetime_events", "0x10 stale", model=model, **A)
    series.silent(tmp_path, "LosswatchModelAbsent", "5m", "45m")


def test_no_scrape_is_no_absent_model(series, tmp_path):
    """Without any series at all LosswatchAbsent is enough."""
    series.silent(tmp_path, "LosswatchModelAbsent", "30m")
