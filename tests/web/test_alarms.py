"""Alarms are read and acknowledged over HTTP."""

import json
import socket

import pytest
from posting import service
from servers import wait_for

from losswatch import BudgetAlarm, DriftAlarm, Monitor, Segments, Span
from losswatch.errors import StoreError

PROMISE = Span.of("1000 events")
HALF = b"POST /api/v1/alarms/acknowledge HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
HALF += b"Content-Type: application/json\r\n\r\n{"


@pytest.fixture
def monitor():
    """A model with an alarm that is on, in one of two segments, and one that still learns."""
    alarms = [
        BudgetAlarm(name="budget", max_rmse=2.0, one_false_alarm_per=PROMISE, per_segment=True),
        DriftAlarm(name="drift"),
    ]
    monitor = Monitor("eta", alarms=alarms, segments=Segments(("city",)))
    for city, error in (("oslo", 1.0), ("rome", 99.0)):
        columns = [0.0] * 50, [error] * 50
        monitor.update_many(*columns, segment={"city": [city] * 50}, time=[1.7e9] * 50)
    return monitor


def on(running) -> dict:
    """Return the alarms that are on, by name and city."""
    answer = running.send("GET", "/api/v1/alarms")
    assert answer.status == 200
    return {
        (alarm["alarm"], alarm["segment"].get("city")): alarm
        for alarm in answer.body["alarms"]
        if alarm["active"]
    }


def acknowledge(running, content: object, content_type: str = "application/json"):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    path = "/api/v1/alarms/acknowledge"
    return running.send("POST", path, body, content_type=content_type)


def test_alarms_are_told_with_their_promise(monitor):
    """One that is on has its severity, its time and how long ago the error grew."""
    with service(monitor=monitor) as running:
        (alarm,) = on(running).values()
        assert alarm["segment"] == {"city": "rome"}
        assert alarm["severity"] == "warning"
        assert alarm["since"] == 1.7e9
        assert alarm["promise"] == {"events": 1000.0}
        assert alarm["guarantee"] == "proved"
        assert alarm["evidence"] == 1.0
        assert 0 < alarm["events_since_change"] <= 50
        rows = running.send("GET", "/api/v1/alarms?model=eta").body["alarms"]
        assert {row["alarm"]: row["warmup_remaining_blocks"] for row in rows}["drift"] == 490
        assert running.send("GET", "/api/v1/alarms?model=x").body == {"alarms": []}


def test_an_acknowledged_alarm_is_off_and_may_come_again(monitor):
    """It begins anew: with the error as it was it is on again after some blocks."""
    with service(monitor=monitor) as running:
        told = {"model": "eta", "alarm": "budget", "segment": {"city": "oslo"}}
        assert acknowledge(running, told).body == {"acknowledged": 0}
        assert on(running)
        told["segment"] = {"city": "rome"}
        assert acknowledge(running, told).body == {"acknowledged": 1}
        assert not on(running)
        monitor.update_many([0.0] * 50, [99.0] * 50, segment={"city": ["rome"] * 50})
        assert [*on(running)] == [("budget", "rome")]
        assert acknowledge(running, {"model": "eta", "alarm": "budget"}).body == {"acknowledged": 1}
        assert not on(running)


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"{", 400, "no JSON"),
        (b"[" * 100_000, 400, "more than 65,536 bytes"),
        (b"[" * 60_000, 400, "no JSON"),
        ([], 400, "must be an object such as"),
        ({"model": "eta"}, 400, "must be an object such as"),
        ({"model": "eta", "alarm": "budget", "more": 1}, 400, "must be an object such as"),
        ({"model": "eta", "alarm": "budget", "segment": {"city": 1}}, 400, "must be an object"),
        ({"model": "x", "alarm": "budget"}, 404, "no model 'x'; there are eta"),
        ({"model": "eta", "alarm": "x"}, 404, "no alarm 'x' of eta; there are"),
        ({"model": "eta", "alarm": "budget", "segment": {"city": "x"}}, 404, "no segment"),
        ({"model": "eta", "alarm": "budget", "segment": {"tier": "x"}}, 404, "no segment"),
    ],
)
def test_what_cannot_be_acknowledged_is_told(monitor, content, status, message):
    """And what is allowed; the alarm stays on."""
    with service(monitor=monitor) as running:
        answer = acknowledge(running, content)
        assert (answer.status, message in answer.body["detail"]) == (status, True), answer
        assert on(running)


def test_a_page_of_another_site_cannot_acknowledge(monitor):
    """A form that a browser sends unasked has another content type."""
    with service(monitor=monitor) as running:
        content = {"model": "eta", "alarm": "budget"}
        assert acknowledge(running, content, "text/plain").status == 415
        assert on(running)


def test_a_body_that_does_not_come_has_an_end(monitor, monkeypatch):
    """408 after a while."""
    monkeypatch.setattr("losswatch.web.alarms._BODY_SECONDS", 0.2)
    with (
        service(monitor=monitor) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as slow,
    ):
        slow.sendall(HALF)
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")


def test_who_goes_away_within_a_body_is_no_error(monitor, caplog):
    """Nothing is acknowledged, and the log says nothing of it."""
    with service(monitor=monitor) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as gone:
            gone.sendall(HALF)
        tasks = running.server._server.server_state.tasks
        wait_for(lambda: not tasks and not running.server._server.server_state.connections)
    assert not caplog.records


def test_a_state_that_cannot_be_written_is_told(monitor):
    """503, to be asked again; nothing is changed."""

    def fail(*_: object) -> int:
        raise StoreError("the disk is full")

    with service(monitor=monitor, acknowledge=fail) as running:
        answer = acknowledge(running, {"model": "eta", "alarm": "budget"})
        assert (answer.status, answer.body["detail"]) == (503, "the disk is full")
        assert answer.headers["retry-after"]
