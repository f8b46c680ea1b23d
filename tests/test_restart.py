"""A restart in the eyes of a real Prometheus: counters start at 0, gauges go on, no rate jumps."""

import itertools
import re
from pathlib import Path

from running import Running
from servers import binary, prometheus, wait_for

CONFIG = """
version: 1
state: losswatch.db
monitors: [{model: eta, windows: [1h]}]
sources: [{http: {}}]
"""
COUNTERS = (
    'losswatch_l2_loss_count{model="eta"}',
    'losswatch_l2_loss_sum{model="eta"}',
    'losswatch_l2_loss_bucket{le="+Inf",model="eta"}',
    'losswatch_weighted_loss_total{model="eta"}',
    'losswatch_weight_total{model="eta"}',
    'losswatch_predictions_total{model="eta"}',
    'losswatch_predictions_scored_total{model="eta"}',
    'losswatch_truths_revised_total{model="eta"}',
    'losswatch_duplicates_total{kind="prediction",model="eta"}',
    'losswatch_truth_delay_seconds_count{model="eta"}',
    'losswatch_truth_delay_seconds_sum{model="eta"}',
)
GAUGES = (
    'losswatch_lifetime_events{model="eta"}',
    'losswatch_lifetime_rmse{model="eta"}',
    'losswatch_mse{model="eta",window="lifetime"}',
    'losswatch_events{model="eta",window="lifetime"}',
    'losswatch_events{model="eta",window="1h"}',
    'losswatch_mae{model="eta",window="1h"}',
    'losswatch_predictions_pending{model="eta"}',
    'losswatch_truths_pending{model="eta"}',
    'losswatch_scored_retained{model="eta"}',
    'losswatch_coverage{model="eta"}',
    'losswatch_last_event_timestamp_seconds{model="eta"}',
    'losswatch_last_prediction_timestamp_seconds{model="eta"}',
    'losswatch_last_truth_timestamp_seconds{model="eta"}',
)
COUNT = "losswatch_l2_loss_count"
NAMES = (f"trip {number}" for number in itertools.count())
TRUTH_STOPPED = next(
    block
    for block in re.findall(
        r"```promql\n(.*?)```",
        (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(),
        re.DOTALL,
    )
    if "last_truth" in block
)


def send(service: Running, events: int) -> int:
    """Send whole events in requests of ten, slowly enough that scrapes come between."""
    for _ in range(events // 10):
        status, _, _ = service.post("events", *[{"y_true": 10, "y_pred": 7}] * 10)
        assert status == 200
    return events


def predict(service: Running) -> str:
    name = next(NAMES)
    assert service.post("predictions", {"prediction_id": name, "y_pred": 1})[0] == 200
    return name


def observe(service: Running, name: str, y_true: float = 3.0) -> None:
    assert service.post("truths", {"prediction_id": name, "y_true": y_true})[0] == 200


def send_all_kinds(service: Running) -> int:
    """Send what makes every counter rise; return how many events count."""
    name, waits = predict(service), predict(service)
    observe(service, name)
    observe(service, name, 5.0)
    observe(service, "never predicted")
    assert service.post("predictions", {"prediction_id": waits, "y_pred": 1})[2]["duplicates"] == 1
    return 1


def read(service: Running, names: tuple[str, ...]) -> dict[str, float | None]:
    return {name: service.metric(name) for name in names}


def test_prometheus_sees_no_jump_over_a_restart(tmp_path):
    """``kill -9``, and the increase over it is what was sent, while the gauges go on."""
    binary("prometheus")
    with Running(tmp_path, CONFIG) as service, prometheus(tmp_path, service.address) as server:
        wait_for(lambda: server.value(COUNT) == 0, about="for the first scrape")
        sent = send(service, 3000) + send_all_kinds(service)
        wait_for(lambda: server.value(COUNT) == sent, about="for all before the restart")
        assert all(read(service, COUNTERS).values())
        before = read(service, GAUGES)
        assert None not in before.values()
        service.kill()
        service.start()
        assert read(service, COUNTERS) == dict.fromkeys(COUNTERS, 0.0)
        assert read(service, GAUGES) == before
        wait_for(lambda: server.value(COUNT) == 0, about="for a scrape after the restart")
        more = send(service, 2000) + send_all_kinds(service)
        wait_for(lambda: server.value(COUNT) == more, about="for all after the restart")
        increase = server.value(f"increase({COUNT}[5m])")
        assert increase is not None
        assert sent + more <= increase < 1.1 * (sent + more)
        assert server.value(f"resets({COUNT}[5m])") == 1
        assert server.value(f"resets({COUNT.replace('count', 'sum')}[5m])") == 1
        assert server.value("resets(losswatch_lifetime_events[5m])") == 0
        assert server.value("losswatch_lifetime_events") == sent + more
        assert server.value('losswatch_events{window="1h"}') == sent + more


def test_the_alert_for_truths_that_stopped(tmp_path):
    """The expression of the docs, with seconds for hours: silent, true, silent again."""
    binary("prometheus")
    expression = TRUTH_STOPPED.replace("3600", "3").replace("15m", "5s")
    with Running(tmp_path, CONFIG) as service, prometheus(tmp_path, service.address) as server:

        def goes_on() -> bool:
            observe(service, predict(service))
            return bool(server.value("rate(losswatch_predictions_total[5s]) > 0"))

        def has_stopped() -> bool:
            predict(service)
            return bool(server.query(expression))

        def is_back() -> bool:
            observe(service, predict(service))
            return not server.query(expression)

        wait_for(goes_on, about="for predictions to go on")
        assert not server.query(expression)
        wait_for(has_stopped, about="for the alert")
        wait_for(is_back, about="for its end")
        assert server.query("rate(losswatch_predictions_total[5s]) > 0")
