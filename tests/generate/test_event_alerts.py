"""Alerts on what comes in: what fires, with which words, and what nearly does."""

import pytest
from promtool import FULL, JOB, Fired, Series, rules_of

NONE, STOPPED, FULL_JOIN = "LosswatchNoEvents", "LosswatchTruthStopped", "LosswatchJoinFull"
REJECTED, STRAY = "LosswatchEventsRejected", "LosswatchEventsOfNoModel"
LAG, LOST = "LosswatchKafkaLagGrowing", "LosswatchKafkaMessagesLost"
ETA = {"model": "eta", "instance": "a:1"}
LAST_EVENT = "losswatch_last_event_timestamp_seconds"
LAST_PREDICTION = "losswatch_last_prediction_timestamp_seconds"
LAST_TRUTH = "losswatch_last_truth_timestamp_seconds"
PREDICTIONS = "losswatch_predictions_total"


def quiet_after(series, count, last, up="1x2000", watched="0x2000"):
    """Events until minute 1500, and what is scraped after it."""
    series.losses(count, "0x2000", **ETA)
    series.add("up", up, instance="a:1")
    series.add("losswatch_lifetime_events", watched, **ETA)
    return series.add(LAST_EVENT, last, **ETA)


def no_events(lasted):
    return Fired(
        {**JOB, "model": "eta", "severity": "ticket"},
        f"No events of eta for {lasted}",
        f"No event of eta was counted for {lasted}, though losswatch runs and some day of the last"
        " week had 360 or more. Its error is not known, which is not the same as small; alarms and"
        " burn rates are silent.",
    )


def test_a_busy_model_without_events_fires(series, tmp_path):
    """After an hour and five minutes, until an event comes."""
    quiet_after(series, "0+1x1500 1500x300 1501x100", "0+60x1500 90000x299 108060x100")
    at = {"1560m": [], "1565m": [], "1567m": [no_events("1h 7m 0s")]}
    series.fires(tmp_path, NONE, {**at, "1800m": [no_events("5h 0m 0s")], "1803m": []})


def test_a_restart_does_not_hide_that_no_events_come(series, tmp_path):
    """Without a state the gauge is gone after a restart; what was known before it counts."""
    quiet_after(series, "0+1x1500 0x300", "0+60x1500 stale _x300")
    series.fires(tmp_path, NONE, {"1800m": [no_events("5h 0m 0s")]})


def test_a_model_that_was_given_up_has_no_events(series, tmp_path):
    """What is not watched any more is not missed, though its last week is known."""
    gone = {"count": "0+1x1500 stale", "last": "0+60x1500 stale", "watched": "0x1500 stale"}
    quiet_after(series, **gone)
    series.silent(tmp_path, NONE, "1570m", "1800m", "2000m")


@pytest.mark.parametrize(
    ("count", "last", "up"),
    [
        ("0+1x2000", "0+60x2000", "1x2000"),
        ("0+0.2x1500 300x300", "0+60x1500 90000x300", "1x2000"),
        ("0x2000", "_", "1x2000"),
        ("0+1x1500 stale", "0+60x1500 stale", "1x1500 0x500"),
        ("0+1x1500 1500x50 1501+1x300", "0+60x1500 90000x50 93000+60x300", "1x2000"),
    ],
    ids=["healthy", "few events", "none ever", "target down", "a pause"],
)
def test_what_is_no_lack_of_events(series, tmp_path, count, last, up):
    """Few events, none yet, a target that is down and a short pause are other things."""
    quiet_after(series, count, last, up)
    series.silent(tmp_path, NONE, "30m", "1500m", "1555m", "1570m", "1800m")


def joined(series, predictions, truth, total="0+1x6000", watched="0x6000", **labels):
    labels = {**ETA, **labels}
    series.add("losswatch_lifetime_events", watched, **labels)
    series.add(PREDICTIONS, total, **labels)
    series.add(LAST_TRUTH, truth, **labels)
    return series.add(LAST_PREDICTION, predictions, **labels)


def stopped(patience="1d18h", model="eta"):
    return Fired(
        {**JOB, "model": model, "severity": "ticket", "after": patience},
        f"Truths of {model} have stopped",
        f"Predictions of {model} go on, but for more than {patience} no truth has come. What waits"
        " is given up when join.ttl is over and is never scored. The error that is shown is that of"
        " the past; alarms and burn rates are silent.",
    )


@pytest.fixture
def hasty():
    """Rules of a model that waits an hour for truths: 15 minutes are too long without."""
    return Series(rules_of(FULL.replace("{model: fare}", "{model: fare, join: {ttl: 1h}}")))


FARE = {"model": "fare"}


def test_truths_that_stop_fire(hasty, tmp_path):
    """A quarter of the ttl after the last truth, and an hour later; until one comes."""
    joined(hasty, "0+60x400", "0+60x100 6000x200 18060+60x90", total="0+1x400", **FARE)
    wanted = [stopped("15m", "fare")]
    at = {"110m": [], "174m": [], "177m": wanted, "300m": wanted, "302m": []}
    hasty.fires(tmp_path, STOPPED, at)


def test_truths_that_never_came_fire(hasty, tmp_path):
    """No truth ever is not no sample and no alert."""
    joined(hasty, "_ 60+60x400", "_", total="0+1x400", **FARE)
    hasty.fires(tmp_path, STOPPED, {"70m": [], "80m": [stopped("15m", "fare")]})


def test_each_ttl_has_its_own_patience(hasty, tmp_path):
    """A week of ttl waits 42 hours; the other model fires alone meanwhile."""
    joined(hasty, "0+60x2700", "0+60x10 600x2700", total="0+1x2700", **FARE)
    joined(hasty, "0+60x2700", "0+60x10 600x2700", total="0+1x2700")
    at = {"2500m": [stopped("15m", "fare")], "2600m": [stopped("15m", "fare"), stopped()]}
    hasty.fires(tmp_path, STOPPED, at)


@pytest.mark.parametrize(
    ("predictions", "truth", "total"),
    [
        ("0+60x400", "0+60x400", "0+1x400"),
        ("0+60x400", "0+60x100 6000x60 9660+60x200", "0+1x400"),
        ("0+60x100 6000x300", "0+60x95 5700x300", "0+1x100 100x300"),
        (
            "0+60x100 6000x100 12060+60x200",
            "0+60x95 5700x120 13000+60x180",
            "0+1x100 100x99 101+1x200",
        ),
        ("0+60x100 _x3 6240+60x200", "0+60x100 _x23 7440+60x180", "0+1x100 _x3 0+1x200"),
        ("_", "_", "_"),
    ],
    ids=["healthy", "late, but comes", "nothing comes", "after a pause", "restart", "no join"],
)
def test_what_is_no_end_of_truths(hasty, tmp_path, predictions, truth, total):
    """What is late but comes, a model at rest, its first truth after that, and a restart."""
    joined(hasty, predictions, truth, total, **FARE)
    hasty.silent(tmp_path, STOPPED, "90m", "130m", "165m", "190m", "215m", "260m", "300m", "390m")


def test_a_restart_does_not_end_truths(series, tmp_path):
    """Without a state the gauge is gone until the next truth; what was known before it counts."""
    truth = "0+60x2600 _x130 163860+60x200"
    joined(series, "0+60x2600 156060+60x400", truth, total="0+1x2600 0+1x400")
    series.silent(tmp_path, STOPPED, "2600m", "2700m", "2725m", "2800m")


def test_a_model_that_was_given_up_has_no_truths(series, tmp_path):
    """Truths come once a day; what was predicted last before the end is not told as stopped."""
    gone = {"predictions": "0+60x3000 stale", "total": "0+1x3000 stale", "watched": "0x3000 stale"}
    joined(series, truth="0x1440 86400x1440 172800x120 stale", **gone)
    series.silent(tmp_path, STOPPED, "3000m", "5460m", "5480m", "5500m")


def given_up(series, name, values, reason):
    for other in ("losswatch_predictions_expired_total", "losswatch_truths_unmatched_total"):
        for why in ("ttl", "limit"):
            series.add(other, "0x200", reason=why, **ETA)
    series.add("losswatch_predictions_expired_total", "0+5x200", reason="ttl", **ETA)
    return series.add(name, values, reason=reason, **ETA)


@pytest.mark.parametrize(
    "name", ["losswatch_predictions_expired_total", "losswatch_truths_unmatched_total"]
)
def test_a_full_join_fires(series, tmp_path, name):
    """One that is given up for the limit is told for an hour."""
    given_up(series, name, "0x9 1x200", "limit")
    wanted = Fired(
        {**JOB, "model": "eta", "severity": "ticket"},
        "eta gives up predictions or truths before their time",
        "In the last hour 1 predictions or truths of eta were given up because more than"
        " join.pending waited: they will never be scored, however soon the other side comes.",
    )
    at = {"9m": [], "60m": [wanted], "75m": []}
    series.fires(tmp_path, FULL_JOIN, at)


def test_what_is_no_full_join(series, tmp_path):
    """What is given up for its age is as the config says; a restart gives up nothing."""
    given_up(series, "losswatch_truths_unmatched_total", "7x50 0x100", "limit")
    series.silent(tmp_path, FULL_JOIN, "20m", "55m", "100m")


def refused(series, values, accepted, *, model="eta", predicted=""):
    """Refusals by reason beside what is accepted."""
    name = "losswatch_rejected_events_total"
    series.add(name, values, model=model, reason="not_finite", instance="a:1")
    series.add(name, "0x300", model=model, reason="overflow", instance="a:1")
    if predicted:
        series.add(PREDICTIONS, predicted, **ETA)
    return series.losses(accepted, "0x300", **ETA)


def rejection(number, whose, **labels):
    return Fired(
        {**JOB, **labels, "severity": "ticket"},
        f"{number} records {whose} refused in the last hour",
        f"In the last hour {number} records {whose} were refused, more than 5% of what was"
        " accepted. Nothing counted before is harmed, but the error that is shown is that of the"
        " others. losswatch_rejected_events_total has the reasons, the log has examples.",
    )


@pytest.mark.parametrize("accepted", ["0+10x300", "0x300"])
def test_many_refusals_fire(series, tmp_path, accepted):
    """A tenth of what is accepted, or where nothing is, after five minutes."""
    refused(series, "0x100 0+1x200", accepted)
    wanted = rejection(60, "of eta", model="eta")
    series.fires(tmp_path, REJECTED, {"115m": [], "240m": [wanted]})
    series.silent(tmp_path, STRAY, "240m")


def test_many_records_of_no_model_fire(series, tmp_path):
    """What belongs to no model is compared with what all models accept."""
    refused(series, "0x100 0+1x200", "0+10x300", model="")
    series.fires(tmp_path, STRAY, {"115m": [], "240m": [rejection(60, "of no known model")]})
    series.silent(tmp_path, REJECTED, "240m")


@pytest.mark.parametrize(
    ("values", "accepted", "predicted"),
    [
        ("0+1x300", "0+30x300", ""),
        ("0+0.3x300", "0+1x300", ""),
        ("0+1x300", "0x300", "0+30x300"),
        ("500x100 0x200", "0+1x100 0+1x200", ""),
        ("0x300", "0x300", ""),
    ],
    ids=["a small share", "few", "truths to come", "restart", "no traffic"],
)
def test_what_are_not_many_refusals(series, tmp_path, values, accepted, predicted):
    """A small share, a small number, predictions that wait, and a restart are silent."""
    refused(series, values, accepted, predicted=predicted)
    refused(series, values, accepted, model="")
    for alert in (REJECTED, STRAY):
        series.silent(tmp_path, alert, "90m", "110m", "290m")


TOPIC = {"topic": "trips", "instance": "a:1"}


def test_a_lag_that_grows_fires(series, tmp_path):
    """Over all partitions of the topic, once it has grown for half an hour."""
    for partition in ("0", "1"):
        name = "losswatch_kafka_lag_messages"
        series.add(name, "0x60 0+50x200", partition=partition, **TOPIC)
    wanted = Fired(
        {**JOB, "topic": "trips", "severity": "ticket"},
        "losswatch falls behind on the topic trips",
        "14000 messages of the topic trips were not read yet, and for an hour they have become"
        " more. What is shown is of the past; messages that outlive the retention of the topic"
        " before they are read are lost.",
    )
    series.fires(tmp_path, LAG, {"60m": [], "90m": [], "201m": [wanted]})


@pytest.mark.parametrize(
    "values", ["0+2x200", "900000-1000x200", "5000x200", "0x100 2000+2000x9 0x100"]
)
def test_what_is_no_growing_lag(series, tmp_path, values):
    """A small one, one that is worked off, a steady one, and one burst are silent."""
    series.add("losswatch_kafka_lag_messages", values, partition="0", **TOPIC)
    series.silent(tmp_path, LAG, "60m", "110m", "140m", "190m")


@pytest.mark.parametrize("values", ["0x60 12x200", "_x60 12x200"], ids=["risen", "born"])
def test_lost_messages_fire(series, tmp_path, values):
    """For an hour, also where the series begins above 0."""
    series.add("losswatch_kafka_lost_messages_total", values, partition="0", **TOPIC)
    wanted = Fired(
        {**JOB, "topic": "trips", "severity": "page"},
        "The broker deleted messages of trips before they were read",
        "About 12 messages of the topic trips were deleted by the broker before losswatch had read"
        " them. Their events are in no cost and will never be.",
    )
    series.fires(tmp_path, LOST, {"59m": [], "119m": [wanted], "130m": []})


@pytest.mark.parametrize("values", ["0x200", "12x60 0x100", "_"])
def test_no_lost_messages_fire_nothing(series, tmp_path, values):
    """None, and a restart after some."""
    series.add("losswatch_kafka_lost_messages_total", values, partition="0", **TOPIC)
    series.silent(tmp_path, LOST, "65m", "100m", "150m")
