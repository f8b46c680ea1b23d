"""Exemplars all the way: from an id in a request to a real Prometheus, and over ``kill -9``."""

import json
import urllib.parse

from running import Running
from servers import binary, fetch, prometheus, wait_for

CONFIG = """
version: 1
state: losswatch.db
monitors: [{model: eta, exemplars: true, buckets: [1, 25]}]
sources: [{http: {}}]
"""


def exemplars(server, le):
    """What Prometheus has of a bucket: ids and losses."""
    query = f'losswatch_l2_loss_bucket{{le="{le}"}}'
    asked = urllib.parse.urlencode({"query": query, "start": "0", "end": "9999999999"})
    series = json.loads(fetch(f"{server.url}/api/v1/query_exemplars?{asked}")[2])["data"]
    found = [each for one in series for each in one["exemplars"]]
    return {(each["labels"]["prediction_id"], float(each["value"])) for each in found}


def events(*ids, error):
    return [{"prediction_id": name, "y_true": 0.0, "y_pred": error} for name in ids]


def test_prometheus_keeps_them(tmp_path):
    """Also of a hostile id; after ``kill -9`` all is counted still, and new ones come."""
    binary("prometheus")
    hostile = '{a="b\\", c} 東京'
    with Running(tmp_path, CONFIG) as running, prometheus(tmp_path, running.address) as server:
        assert running.post("events", *events(hostile, error=3.0))[2]["accepted"] == 1
        assert running.post("events", *events("x" * 116, error=7.0))[2]["accepted"] == 1
        wait_for(lambda: exemplars(server, "25.0"), about="for the first")
        ((found, loss),) = exemplars(server, "25.0")
        written = hostile.replace("\\", r"\\").replace('"', r"\"")
        assert found in {hostile, written}  # Prometheus 2.42 leaves it as it is written
        assert loss == 9.0
        running.kill()
        running.start()
        assert running.metric('losswatch_lifetime_events{model="eta"}') == 2
        accept = "application/openmetrics-text; version=1.0.0"
        assert b" # {" not in fetch(f"{running.url}/metrics", Accept=accept)[2]
        running.post("events", *events("next", error=9.0))
        wait_for(lambda: exemplars(server, "+Inf"), about="for the next")
        assert exemplars(server, "+Inf") == {("next", 81.0)}
        assert server.value("losswatch_collector_success") == 1
