"""Alerts on the error: what fires, with which words, and what nearly does."""

import pytest
from promtool import JOB, Fired, Series, rules_of

ALARM, BURN = "LosswatchAlarm", "LosswatchErrorBudgetBurn"
RUNNING = {"model": "eta", "alarm": "budget", "severity": "page", "instance": "a:1"}
NAMED = {"model": "eta", "alarm": "budget"}


def alarm(promise="", **labels):
    output = labels.get("output", "")
    named = f"eta, output {output}" if output else "eta"
    after = "," if output else ""
    return Fired(
        {**JOB, **RUNNING, **labels},
        f"Alarm budget of {named} is on",
        f"The alarm budget of {named}{after} is on: the error has grown beyond what the config"
        " allows. It stays on until there is evidence that it is low again."
        f"{promise}",
    )


def test_an_alarm_fires_with_its_promise_in_time(series, tmp_path):
    """At once, with the labels of the sample and the promise that the alarm keeps."""
    series.add("losswatch_alarm_active", "0x9 1x20", **RUNNING)
    promised = "losswatch_alarm_promised_seconds_per_false_alarm"
    series.add(promised, "2592000x30", **NAMED, instance="a:1")
    series.add(promised, "1x30", model="eta", alarm="another")
    text = " Promise: at most one false alarm is expected in 30d 0h 0m 0s."
    series.fires(tmp_path, ALARM, {"9m": [], "10m": [alarm(text)], "29m": [alarm(text)]})


def test_an_alarm_fires_with_its_promise_in_events(series, tmp_path):
    """Of each output and segment by itself."""
    labels = {"output": "lat", "city": "oslo"}
    series.add("losswatch_alarm_active", "1x20", **RUNNING, **labels)
    series.add("losswatch_alarm_active", "0x20", **RUNNING, output="lon", city="oslo")
    series.add("losswatch_alarm_promised_events_per_false_alarm", "1000000x30", **NAMED)
    text = " Promise: at most one false alarm is expected in 1000000 events."
    series.fires(tmp_path, ALARM, {"5m": [alarm(text, **labels)]})


SEGMENTS = """
version: 1
monitors:
  - {model: eta, segments: {labels: [city, job]}, alarms: [{kind: drift, per_segment: true}]}
sources: [{http: {}}]
"""


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ({"city": "oslo", "exported_job": "a b"}, "eta, city oslo, exported_job a b"),
        ({"segment": "other"}, "eta, segment other"),
        ({}, "eta"),
    ],
)
def test_an_alarm_names_its_segment(tmp_path, labels, named):
    """Who is woken reads which segment it is; labels that Prometheus renames as it has them."""
    series = Series(rules_of(SEGMENTS)).add("losswatch_alarm_active", "1x9", **RUNNING, **labels)
    comma = "," if labels else ""
    fired = alarm(**labels)
    summary = f"Alarm budget of {named} is on"
    description = fired.description.replace("eta is", f"{named}{comma} is")
    series.fires(tmp_path, ALARM, {"5m": [Fired(fired.labels, summary, description)]})


def test_an_alarm_without_a_promise_states_none(series, tmp_path):
    """A detector of river keeps none, so none is told."""
    series.add("losswatch_alarm_active", "1x20", **RUNNING)
    series.fires(tmp_path, ALARM, {"5m": [alarm()]})


def test_an_alarm_goes_on_over_failed_scrapes(series, tmp_path):
    """A gap of some minutes does not resolve it; five minutes after its end it is over."""
    series.add("losswatch_alarm_active", "1x10 stale _x3 1x5 0x20", **RUNNING)
    at = {"9m": [alarm()], "13m": [alarm()], "22m": [alarm()], "27m": []}
    series.fires(tmp_path, ALARM, at)


def test_a_silent_alarm_is_silent(series, tmp_path):
    """Neither evidence nor an alarm of another job fires."""
    series.add("losswatch_alarm_active", "0x20", **RUNNING)
    series.add("losswatch_alarm_evidence_ratio", "1x20", **NAMED)
    series.add("losswatch_alarm_active", "1x20", **{**RUNNING, "job": "another"})
    series.silent(tmp_path, ALARM, "5m", "20m")


def budget(series, total, count="0+10x700", **labels):
    labels = {"model": "eta", **labels}
    series.losses(count, total, instance="a:1", **labels)
    return series.add("losswatch_objective_mse", "25x2000", instance="a:1", **labels)


def burn(window, severity, times, description, model="eta", **labels):
    named = "position, output lat" if labels else model
    return Fired(
        {**JOB, "model": model, "severity": severity, "window": window, **labels},
        f"MSE of {named} is {times} times its objective",
        description,
    )


@pytest.mark.parametrize(
    ("factor", "windows"),
    [
        (0.99, set()),
        (1.01, {"3d"}),
        (2.99, {"3d"}),
        (3.01, {"1d", "3d"}),
        (6.01, {"6h", "1d", "3d"}),
        (14.3, {"6h", "1d", "3d"}),
        (14.5, {"1h", "6h", "1d", "3d"}),
    ],
)
def test_each_pair_of_windows_has_its_factor(series, tmp_path, factor, windows):
    """A steady MSE fires those pairs whose factor it exceeds."""
    budget(series, f"0+{250 * factor:g}x700")
    assert series.firing(tmp_path, BURN, "window", 600) == [windows]


def test_a_burn_says_how_much(series, tmp_path):
    """Each pair with its words and its severity."""
    budget(series, "0+5000x700")
    both = "Over {} and over {} the MSE of eta was more than {} the square of objective.max_rmse:"
    gone = " over {} 20.0 times that. {}"
    last = "At {} times the budget of 30 days is gone in {}."
    rows = (
        ("1h", "5m", "14.4 times", "page", last.format("14.4", "50 hours")),
        ("6h", "30m", "6 times", "page", last.format("6", "5 days")),
        ("1d", "2h", "3 times", "ticket", last.format("3", "10 days")),
        ("3d", "6h", "once", "ticket", "So the budget of 30 days does not last."),
    )
    wanted = [
        burn(long, severity, "20.0", both.format(long, short, times) + gone.format(long, end))
        for long, short, times, severity, end in rows
    ]
    series.fires(tmp_path, BURN, {"10h": wanted})


def test_one_output_of_several_burns(series, tmp_path):
    """The other output and the other pod do not hide it; the label names it."""
    for output, loss in (("lat", 500), ("lon", 100)):
        for instance in ("a:1", "b:1"):
            labels = {"model": "position", "output": output, "instance": instance}
            series.losses("0+10x600", f"0+{loss}x600", **labels)
            series.add("losswatch_objective_mse", "25x600", **labels)
    text = (
        "Over 3d and over 6h the MSE of position, output lat, was more than once the square of"
        " objective.max_rmse: over 3d 2.0 times that. So the budget of 30 days does not last."
    )
    wanted = burn("3d", "ticket", "2.0", text, model="position", output="lat")
    series.fires(tmp_path, BURN, {"8h": [wanted]})


def test_a_page_comes_soon_and_goes_soon(series, tmp_path):
    """After a good day an MSE of 20 budgets pages within 52 minutes, and not before 43."""
    budget(series, "0+100x1440 5100+5000x90 450100+100x200", count="0+10x1900")
    found = series.firing(tmp_path, BURN, "window", 1440, 1483, 1492, 1530, 1545)
    assert ["1h" in windows for windows in found] == [False, False, True, True, False]


@pytest.mark.parametrize("a_minute", [1, 10, 60])
def test_one_outlier_fires_nothing(series, tmp_path, a_minute):
    """However large, in a model with few events or many."""
    healthy, later = f"0+{a_minute}x600", 600 * a_minute + 1e9
    budget(series, f"{healthy} {later:g}+{a_minute}x500", count=f"0+{a_minute}x1101")
    minutes = (601, 604, 606, 612, 632, 640, 725, 735, 970, 1000)
    assert not any(series.firing(tmp_path, BURN, "window", *minutes))


def test_two_outliers_far_apart_do_fire(series, tmp_path):
    """What keeps an outlier silent is that it is alone."""
    budget(series, "0+10x600 1e9+10x3 2e9+10x500", count="0+10x1101")
    assert series.firing(tmp_path, BURN, "window", 608) == [{"1h"}]


def test_too_few_events_fire_nothing(series, tmp_path):
    """A bad event every ten minutes: each pair waits for its fifty."""
    budget(series, "0+50x1000", count="0+0.1x1000")
    found = series.firing(tmp_path, BURN, "window", 490, 625, 635, 885, 900)
    assert found == [set(), set(), {"1d"}, {"1d"}, {"1d", "3d"}]


@pytest.mark.parametrize(
    ("count", "total"),
    [
        ("5x700", "100000x700"),
        ("0x700", "0x700"),
        ("0+10x700", "NaN NaN NaN NaN NaN NaN"),
        ("1000+10x300 0+10x400", "1e9+100x300 0+100x400"),
    ],
    ids=["no traffic", "no event ever", "NaN", "restart"],
)
def test_what_is_no_burn(series, tmp_path, count, total):
    """No event is no error, NaN is none, and a counter that starts anew is no jump."""
    budget(series, total, count)
    series.silent(tmp_path, BURN, "4m", "301m", "306m", "312m", "345m", "10h")


def test_a_model_that_is_broken_leaves_the_others_alone(series, tmp_path):
    """A NaN of one model hides no burn of another; no objective, no burn."""
    budget(series, "NaN NaN NaN NaN NaN", model="position", output="lat")
    budget(series, "0+5000x200", model="eta")
    series.losses("0+10x200", "0+1e9x200", model="fare")
    assert series.firing(tmp_path, BURN, "model", 150) == [{"eta"}]


COARSE = "LosswatchLossTooCoarse"


def test_a_loss_that_hides_all_others_fires(series, tmp_path):
    """The burn rates see nothing of an error a hundred times too large; this does, to the end."""
    hidden = f"0x30 {1e24!r}x200 0+25000x100"
    series.losses("0+10x230 0+10x100", hidden, model="position", output="lat", instance="a:1")
    series.losses("0+10x330", "0+250x330", model="position", output="lon", instance="a:1")
    for output in ("lat", "lon"):
        series.add("losswatch_objective_mse", "25x400", model="position", output=output)
    fired = Fired(
        {**JOB, "model": "position", "output": "lat", "severity": "ticket"},
        "One huge loss hides the others of position, output lat from Prometheus",
        "The sum of losses of position, output lat, has become so large that Prometheus sees it"
        " grow in steps of up to 2.2e+08 only, which is more than an event may cost. Burn rates"
        " and every RMSE that Prometheus computes are wrong until losswatch is restarted, mostly"
        " 0. Its own alarms and gauges are exact.",
    )
    series.fires(tmp_path, COARSE, {"30m": [], "31m": [fired], "231m": [fired], "232m": []})
    assert series.firing(tmp_path, BURN, "output", 200, 320) == [set(), {"lat"}]


def test_a_large_sum_of_usual_losses_is_not_too_coarse(series, tmp_path):
    """A million events a second at the objective, for a year, and more outliers than usual."""
    total = f"{25e6 * 86_400 * 365!r}+1e9x100"
    series.losses("0+10x100", total, model="eta", instance="a:1")
    series.add("losswatch_objective_mse", "25x100", model="eta", instance="a:1")
    series.silent(tmp_path, COARSE, "5m", "90m")
