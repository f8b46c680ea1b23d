"""The rules in a real Prometheus that scrapes a real losswatch."""

import json

from promtool import rules_of
from running import post
from servers import binary, fetch, prometheus, service, wait_for

CONFIG = """
version: 1
monitors: [{model: eta}, {model: fare}]
sources: [{http: {}, model: eta}]
"""


def rules_now(server):
    """Return all rules as Prometheus sees them, once each has been evaluated."""
    groups = json.loads(fetch(f"{server.url}/api/v1/rules")[2])["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    return rules if all(rule["health"] != "unknown" for rule in rules) else None


def test_rules_are_evaluated_without_an_error(tmp_path):
    """All of them on a healthy service: each is ok, none fires, and the MSE is right."""
    binary("prometheus")
    rules = rules_of(CONFIG).replace("interval: 2m", "interval: 1s")
    with service(tmp_path, CONFIG) as address, prometheus(tmp_path, address, rules) as server:
        wait_for(lambda: server.value("sum(losswatch_l2_loss_count)") == 0, about="for a scrape")
        url = f"http://{address}/api/v1/events"
        assert post(url, [{"y_true": 10, "y_pred": 7}] * 50)[0] == 200
        wait_for(
            lambda: server.value('model_output:losswatch_l2_loss:mean5m{model="eta"}') == 9.0,
            about="for the MSE",
        )
        assert server.query('model_output:losswatch_l2_loss:mean5m{model="fare"}') == []
        seen = wait_for(lambda: rules_now(server), about="for all rules")
        assert {rule["health"] for rule in seen} == {"ok"}
        assert not [rule for rule in seen if rule["type"] == "alerting" and rule["alerts"]]
        assert sum(rule["type"] == "recording" for rule in seen) == 21
