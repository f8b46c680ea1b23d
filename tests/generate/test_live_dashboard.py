"""Every query of a dashboard, run by a real Prometheus that scrapes a real losswatch."""

import json
import random
import time

import pytest
from grafana import Board, empty, text_of
from promtool import rules_of
from running import Running, post
from servers import binary, prometheus, service, wait_for

ODD = "a.b|c(d)+$job"
"""A name with what regular expressions and Grafana could take amiss."""
CONFIG = f"""
version: 1
state: losswatch.db
monitors:
  - model: eta
    unit: minutes
    buckets: [0.1, 1, 25, 100]
    windows: [5m, 24h, {{events: 100}}, {{half_life: 1h}}]
    segments: {{labels: [city, job], limit: 2, declared: [{{city: oslo, job: gold}}]}}
    objective: {{max_rmse: 2.0}}
    alarms:
      - {{kind: budget, block: 10, one_false_alarm_per: 1000000 events, per_segment: true}}
      - {{kind: river, detector: river.drift.ADWIN}}
  - {{model: position, unit: m, outputs: [lat, lon], objective: {{max_rmse: 9.0}}}}
  - model: {json.dumps(ODD)}
sources: [{{http: {{}}}}]
"""
CITIES = ("oslo", "rome", "bergen", None)


def events(n, error, seed):
    """Return events of all models."""
    draw = random.Random(seed)
    for _ in range(n):
        y_true = draw.gauss(100, 15)
        segment = {"city": draw.choice(CITIES), "job": "gold"}
        pair = {"y_true": y_true, "y_pred": draw.gauss(y_true, error)}
        yield {"model": "eta", "segment": segment, **pair}
        yield {"model": ODD, **pair}
        yield {"model": "position", **{k: {"lat": v, "lon": v + 1} for k, v in pair.items()}}


def feed(address, seed, error):
    """Send events, records that are refused, and predictions of which some are scored."""
    url = f"http://{address}/api/v1"
    assert post(f"{url}/events", [*events(1500, error, seed), {"model": "eta"}, {}])[0] in {
        200,
        207,
        400,
    }
    made = [
        {"model": "eta", "prediction_id": f"{seed} {n}", "y_pred": 1.0, "time": time.time() - 60}
        for n in range(40)
    ]
    known = [{**p, "y_true": 2.0, "y_pred": None, "time": time.time()} for p in made[:30]]
    for path, records in (("predictions", made), ("truths", known)):
        status, _, answer = post(f"{url}/{path}", records)
        assert (status, answer["accepted"]) == (200, len(records)), answer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Prometheus with the rules, of a losswatch that has seen everything there is to be shown."""
    binary("prometheus")
    folder = tmp_path_factory.mktemp("dashboard")
    rules = rules_of(CONFIG).replace("interval: 2m", "interval: 1s")
    with (
        service(folder, CONFIG) as address,
        prometheus(folder, address, rules, every="1s") as server,
    ):
        counted = 'max(losswatch_lifetime_events{model="eta"})'
        wait_for(lambda: server.value(counted) == 0, about="for a scrape")
        for seed, error in enumerate((1.0, 1.0, 20.0)):
            feed(address, seed, error)
            wait_for(lambda n=seed: server.value(counted) == 1530 * (n + 1), about="for events")
        mean = "model_output:losswatch_l2_loss:mean3d"
        wait_for(lambda: len(server.query(mean)) == 4, about="for the rules")
        yield server


BOARD = json.loads(text_of(CONFIG))


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"model": ["eta"], "segment_city": ["oslo"]},
        {"model": ["eta", ODD], "segment_city": ["oslo", "rome"], "segment_exported_job": ["gold"]},
    ],
    ids=["all", "one", "several"],
)
def test_every_query_shows_something(server, chosen):
    """No error, and numbers in each: whatever is chosen."""
    assert empty(Board(BOARD, chosen), server) == []


def test_what_can_be_chosen_is_what_there_is(server):
    """The job, the models, and the values of each label."""
    board = Board(BOARD)
    found = {name: board.choices(server, name) for name in board.variables if name != "datasource"}
    assert found["job"] == ["losswatch"]
    assert found["model"] == sorted(["eta", "position", ODD])
    assert "oslo" in found["segment_city"]
    assert found["segment_exported_job"] == ["gold"]


def test_the_numbers_are_right(server):
    """The pooled RMSE is the gauge's, the shares of all segments are one, and alarms are on."""
    board = Board(BOARD, {"model": [ODD]})
    shown = {title: board.numbers(server, target) for title, target in board.queries()}
    (gauge,) = server.query(f'losswatch_rmse{{model="{ODD}", window="5m"}}')
    assert shown["RMSE of 5m"] == [pytest.approx(float(gauge["value"][1]), rel=1e-9)]
    every = Board(BOARD)
    shown = {title: every.numbers(server, target) for title, target in every.queries()}
    assert sum(shown["Share of the loss, 1h"]) == pytest.approx(1.0)
    assert 0 < max(shown["Share of the loss, 1h"]) < 1
    assert shown["Alarms on"][0] >= 1
    assert shown["Processes down"] == [0.0]
    (coverage,) = every.numbers(server, dict(every.queries())["Coverage of 1h"])
    assert coverage == pytest.approx(0.75)


def test_an_event_counts_once(server):
    """A model with two outputs has as many events as each of them."""
    board = Board(BOARD, {"model": ["position"]})
    asked = [target for title, target in board.queries() if title == "Events a second"]
    each = server.query('rate(losswatch_l2_loss_count{model="position"}[5m])')
    wanted = pytest.approx(float(each[0]["value"][1]), rel=0.2)  # it is asked a moment later
    assert (len(asked), len(each)) == (2, 2)
    assert board.numbers(server, asked[0]) == [wanted]


def test_kafka_has_its_panels(kafka, tmp_path):
    """The lag and what was lost while losswatch was down, of a real topic."""
    binary("prometheus")
    topic, event = kafka.topic(), b'{"y_true": 1, "y_pred": 2}'
    source = f"{{kafka: {{brokers: '{kafka.address}', topics: [{topic}]}}}}"
    config = f"version: 1\nstate: s.db\nmonitors: [{{model: eta}}]\nsources: [{source}]\n"
    board = Board(json.loads(text_of(config)))
    events = 'losswatch_lifetime_events{model="eta"}'
    with Running(tmp_path, config) as running:
        kafka.send(topic, *[event] * 10)
        wait_for(lambda: running.metric(events) == 10, about="for the messages")
        running.stop()
        kafka.send(topic, *[event] * 15)
        kafka.delete_records(topic, 25)
        kafka.send(topic, event)
        running.start()
        with prometheus(tmp_path, running.address) as server:
            wait_for(lambda: server.value(events) == 11, about="for the message after the gap")
            assert empty(board, server, "Lag of Kafka", "Lost by Kafka, 1h") == []
            lost = dict(board.queries())["Lost by Kafka, 1h"]
            assert board.numbers(server, lost)[-1] == 15
