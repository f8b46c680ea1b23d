"""The whole way: a file, the service, a real Prometheus, and PromQL."""

import json
import math
import random
import re
import subprocess
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from running import post
from servers import answers, binary, fetch, prometheus, service, wait_for

ROOT = Path(__file__).parents[1]
CONFIG = """
version: 1
monitors:
  - model: eta
    buckets: [0.1, 1, 25]
    windows: [5m, 1h, {last: 2s, exact: true}, {events: 100}]
    segments: {labels: [city], limit: 2, declared: [{city: oslo}, {city: rome}]}
  - model: fare
  - model: pickup
sources:
  - {file: events.ndjson, follow: true}
  - {http: {}, model: pickup}
"""
WHOLE = 'city="", segment=""'
"""Labels of the gauges of a whole model."""

RATES = (
    'sqrt(sum(rate(losswatch_l2_loss_sum{model="%s"}[1m]))'
    ' / sum(rate(losswatch_l2_loss_count{model="%s"}[1m])))'
)


PROMQL = [
    block
    for page in ("README.md", "docs/metrics.md")
    for block in re.findall(r"```promql\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
]
"""Every query of the docs: each must give series."""


def send_late_truths(address, names):
    """Send predictions, and afterwards the truths of most of them."""
    predictions = [{"prediction_id": name, "y_pred": 1.0} for name in names]
    truths = [{"prediction_id": name, "y_true": 3.0} for name in names[: -len(names) // 4]]
    for kind, records in (("predictions", predictions), ("truths", truths)):
        status, _, answer = post(f"http://{address}/api/v1/{kind}", records)
        assert (status, answer["accepted"]) == (200, len(records))


def test_prometheus_agrees_with_the_gauge(tmp_path):
    """A real Prometheus scrapes the service; dividing its rates gives the gauge's RMSE."""
    binary("prometheus")
    rng = random.Random(1)
    with (
        service(tmp_path, CONFIG) as address,
        prometheus(tmp_path, address) as server,
        (tmp_path / "events.ndjson").open("w", buffering=1) as events,
    ):
        wait_for(
            lambda: server.value('losswatch_events{city="oslo", window="5m"}') == 0,
            about="for the first scrape",
        )
        send_late_truths(address, [f"first {number}" for number in range(4)])
        wait_for(
            lambda: server.value("losswatch_predictions_total") == 4, about="for the first of them"
        )
        wait_for(lambda: server.value("count_over_time(up[1m]) > 4"), about="for some scrapes")
        send_late_truths(address, [f"second {number}" for number in range(400)])
        for _ in range(2000):
            for model, scale in (("eta", 2.0), ("fare", 30.0)):
                y_true = rng.gauss(100, 15)
                y_pred = y_true + rng.gauss(0, scale)
                event = {"model": model, "y_true": y_true, "y_pred": y_pred}
                event["segment"] = {"city": rng.choice(("oslo", "rome", "bergen", None))}
                events.write(json.dumps(event) + "\n")
        wait_for(
            lambda: server.value('losswatch_events{model="fare", window="5m"}') == 2000,
            about="for all events",
        )
        for model in ("eta", "fare"):
            gauge = server.value(f'losswatch_rmse{{model="{model}", window="5m", {WHOLE}}}')
            rate = server.value(RATES % (model, model))
            assert rate is not None
            assert gauge is not None
            assert math.isclose(rate, gauge, rel_tol=1e-9), (model, rate, gauge)
        for expression in PROMQL:
            sooner = expression.replace("> 3600", "> 0.001")  # the truth has just stopped
            assert server.query(sooner), expression
        assert server.value("losswatch_coverage") == 0.75
        assert server.value("losswatch_truth_delay_seconds_count") == 303
        assert server.value("losswatch_collector_success") == 1
        parts = server.value('sum(losswatch_events{model="eta", window="5m"})')
        assert parts == 2 * 2000, "the whole, and its segments, those beyond the limit included"
        assert server.value("losswatch_segments") == 2
        beyond = server.value('losswatch_events{segment="other", window="5m"}')
        assert beyond == server.value("losswatch_segments_overflowed_total")
        assert server.value(f'losswatch_events{{window="100 events", {WHOLE}}}') == 100
        wait_for(
            lambda: server.value(f'losswatch_events{{window="2s", {WHOLE}}}') == 0,
            about="for a window to empty without events",
        )
        wait_for(lambda: not server.query('losswatch_rmse{window="2s"}'), about="for its gap")
        types = json.loads(fetch(f"{server.url}/api/v1/metadata?metric=losswatch_l2_loss")[2])
        assert types["data"]["losswatch_l2_loss"][0]["type"] == "histogram"


def test_promtool_is_silent(tmp_path):
    """``promtool check metrics`` has nothing to say, and OpenMetrics parses."""
    tool = binary("promtool")
    (tmp_path / "events.ndjson").write_text('{"model": "eta", "y_true": 10, "y_pred": 12}\nno\n')
    with service(tmp_path, CONFIG) as address:
        url = f"http://{address}/metrics"
        wait_for(lambda: answers(f"http://{address}/-/ready"), about="for the service")
        send_late_truths(address, ["a", "b", "c", "d"])
        wait_for(lambda: answers(url) and b'losswatch_mse{model="eta"' in fetch(url)[2])
        text = fetch(url)[2]
        openmetrics = fetch(url, Accept="application/openmetrics-text; version=1.0.0")[2].decode()
    checked = subprocess.run(
        [tool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    families = {family.name: family for family in text_string_to_metric_families(openmetrics)}
    assert families["losswatch_l2_loss"].type == "histogram"
    assert families["losswatch_truth_delay_seconds"].samples, "what is checked has a join"


def test_the_shipped_scrape_job_is_right():
    """``promtool`` accepts the Prometheus config of the deploy folder."""
    tool = binary("promtool")
    config = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    checked = subprocess.run([tool, "check", "config", config], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_docs_have_queries():
    """The queries that the test above runs are found."""
    assert len(PROMQL) == 7
