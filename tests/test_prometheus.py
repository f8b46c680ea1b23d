"""The page that Prometheus reads."""

import logging
import math
import sys
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from losswatch import BudgetAlarm, DriftAlarm, Monitor, Reason, Segments, Span
from losswatch.core.monitors import Monitors
from losswatch.prometheus import METRICS, ConfigStatus, Exposition

GOLDEN = Path(__file__).parent / "golden" / "metrics.txt"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
OWN = ["losswatch_build_info", "losswatch_scrape_duration_seconds"]


def joined() -> Monitor:
    """A model whose truths come late, twice, and otherwise than before; one waits on each side."""
    pickup = Monitor("pickup", buckets=(1.0,))
    for second, name in enumerate(("a", "b", "c", "a")):
        pickup.predicted(name, 2.0, at=1_700_000_000.0 + second)
    for second, (name, y_true) in enumerate((("a", 3.0), ("b", 4.0), ("d", 0.0), ("b", 5.0))):
        pickup.snapshot()  # what waits is joined now, so that the last truth is a revision
        pickup.observed(name, y_true, at=1_700_000_060.0 + second)
    return pickup


def alarmed() -> Monitor:
    """A model of which each city has an alarm, on for one, and one that has learnt little."""
    alarms = [
        BudgetAlarm(
            name="city",
            max_rmse={"ticket": 2.0, "page": 9.0},
            one_false_alarm_per=Span.of("1000 events"),
            per_segment=True,
        ),
        DriftAlarm(
            name="drift", block=Span.of("30s"), one_false_alarm_per=Span.of("30d"), severity="page"
        ),
    ]
    segments = Segments(("city",))
    fare = Monitor("fare", buckets=(1.0,), segments=segments, alarms=alarms, max_rmse=2.0)
    for second, (city, error) in enumerate([("oslo", 1.0)] * 1000 + [("rome", 5.0)] * 95):
        at = 1_700_000_000.0 + second
        fare.update(0.0, error, segment={"city": city}, time=at, at=at)
    return fare


def watched() -> Monitors:
    """Some models, one with several outputs, and refusals, all of it known."""
    eta = Monitor("eta", buckets=(0.5, 1.0, 4.0, 10.0))
    eta.update_many([10, 11, 12, 13, math.nan], [10, 12, 14, 11, 1], at=1_700_000_000.0)
    eta.update(3.0, 5.0, 0.5, at=1_700_000_001.0)
    position = Monitor('po"si\\tion\n', outputs=("lat", "lon"), buckets=(1.0,))
    position.update({"lat": 1.0, "lon": 2.0}, {"lat": 2.0, "lon": 5.0}, at=1_700_000_002.0)
    monitors = Monitors([eta, position, joined(), Monitor("idle", buckets=(1.0,)), alarmed()])
    monitors.reject(Reason.INVALID_JSON, 7)
    return monitors


def page(monitors: Monitors, accept: str = "", names: list[str] | None = None) -> str:
    config = ConfigStatus(successful=True, loaded_at=1_700_000_000.0)
    return Exposition(monitors.snapshot, config).render(accept, names or [])[0].decode()


def samples(text: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in parse_text(text)
        for sample in family.samples
        if sample.name == name
    }


def test_the_page_is_the_golden_one():
    """Every sample of ours, byte for byte; what differs between machines is left out."""
    lines = [
        line
        for line in page(watched()).splitlines()
        if "losswatch_" in line and not any(name in line for name in OWN)
    ]
    assert "\n".join(lines) + "\n" == GOLDEN.read_text()


def test_openmetrics_says_the_same():
    """The OpenMetrics page parses with the client's own parser and has the same samples."""
    text, openmetrics = page(watched()), page(watched(), accept=OPENMETRICS)
    assert openmetrics.endswith("# EOF\n")

    def read(families):
        return {
            (s.name, tuple(sorted(s.labels.items()))): s.value
            for family in families
            for s in family.samples
            if s.name.startswith("losswatch_") and not s.name.startswith(OWN[1])
        }

    found = read(parse_openmetrics(openmetrics))
    assert found == read(parse_text(text))
    assert len(found) > 130


def test_no_events_is_no_error():
    """A model without events counts 0 events and has no mse at all."""
    text = page(watched())
    window = (("model", "idle"), ("window", "lifetime"))
    assert samples(text, "losswatch_events")[window] == 0
    assert window not in samples(text, "losswatch_mse")
    assert samples(text, "losswatch_l2_loss_count")[(("model", "idle"),)] == 0
    assert (("model", "idle"),) not in samples(text, "losswatch_last_event_timestamp_seconds")


def test_several_outputs_have_a_label_and_are_pooled():
    """The histogram is per output; the gauges are per output and pooled."""
    text = page(watched())
    mse = {
        labels: value
        for labels, value in samples(text, "losswatch_mse").items()
        if ("model", 'po"si\\tion\n') in labels
    }
    assert sorted(mse.values()) == [1.0, 5.0, 9.0]
    sums = samples(text, "losswatch_l2_loss_sum")
    assert [v for labels, v in sums.items() if ("output", "lon") in labels] == [9.0]


def test_a_join_is_told():
    """What waits and what came again; counters count the first truth, gauges the last."""
    text = page(watched())
    pickup = (("model", "pickup"),)
    found = {
        name: samples(text, f"losswatch_{name}")[pickup]
        for name in (
            "predictions_total",
            "predictions_scored_total",
            "predictions_pending",
            "truths_pending",
            "truths_revised_total",
            "truth_delay_seconds_count",
            "truth_delay_seconds_sum",
            "coverage",
            "l2_loss_sum",
            "lifetime_rmse",
        )
    }
    assert list(found.values()) == [3, 2, 1, 1, 1, 2, 120.0, 2 / 3, 5.0, math.sqrt(5.0)]
    assert not any(("model", "eta") in key for key in samples(text, "losswatch_coverage"))


def test_every_documented_metric_is_there():
    """Each family of the table has its type and help on the page."""
    text = page(watched())
    for name, (kind, about) in METRICS.items():
        full = f"losswatch_{name}{'_total' if kind == 'counter' else ''}"
        assert f"# HELP {full} {about}\n" in text
        assert f"# TYPE {full} {kind}\n" in text


def test_a_sum_beyond_float64_stays_finite():
    """An infinite sum would make every later rate NaN: it stops at the largest float."""
    monitor = Monitor("huge")
    monitor.update_many([1.3e154] * 3, [0.0] * 3)
    text = page(Monitors([monitor]))
    assert list(samples(text, "losswatch_l2_loss_sum").values()) == [sys.float_info.max]
    assert list(samples(text, "losswatch_mse").values()) == [1.3e154 * 1.3e154]


def test_names_can_be_asked_for():
    """``name[]`` leaves only these samples."""
    text = page(watched(), names=["losswatch_mse"])
    assert {family.name for family in parse_text(text)} == {"losswatch_mse"}


def test_a_failure_is_a_sample_and_not_a_failed_scrape(caplog):
    """When reading fails the page still comes, says so, and the log has the reason."""

    def broken():
        raise RuntimeError("the disk is on fire")

    with caplog.at_level(logging.ERROR):
        text = Exposition(broken).render("", [])[0].decode()
    assert "losswatch_collector_success 0.0\n" in text
    assert "process_cpu_seconds_total" in text
    assert "losswatch_mse{" not in text
    assert "the disk is on fire" in caplog.text


def test_reasons_are_there_before_they_happen():
    """Every reason starts at 0, so that its first increase is seen."""
    text = page(Monitors([Monitor("eta")]))
    without_model = {
        dict(labels)["reason"]
        for labels, value in samples(text, "losswatch_rejected_events_total").items()
        if dict(labels)["model"] == "" and value == 0
    }
    assert without_model == {reason.value for reason in Reason}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (OPENMETRICS.replace("1.0.0", "abc"), "text/plain"),
        (OPENMETRICS.replace("1.0.0", "1e400"), "text/plain"),
        ("", "text/plain"),
        ("text/plain", "text/plain"),
        (OPENMETRICS, "application/openmetrics-text"),
    ],
)
def test_the_scraper_chooses_the_format(accept, content_type):
    """The Accept header decides between text and OpenMetrics."""
    assert Exposition(watched().snapshot).render(accept, [])[1].startswith(content_type)
