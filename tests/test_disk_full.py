"""The disk is full while the service runs: nothing that was acknowledged is lost."""

import json
import random

import pytest
from exactly import added, numbers, terms
from running import Running
from servers import fetch, wait_for

resource = pytest.importorskip("resource")
if not hasattr(resource, "prlimit"):
    pytest.skip("only Linux limits the files of a running process", allow_module_level=True)

HTTP = """
version: 1
state: losswatch.db
monitors: [{model: eta, windows: [1h]}]
sources: [{http: {}}]
"""
FILE_TOO = HTTP.replace("{http: {}}", "{http: {}}, {file: events.ndjson, follow: true}")
ROOM = 4_000
"""Bytes that a file may have: too few for a commit, enough for the log of the test."""

DRAW = random.Random(5)


def limit_files(service: Running, size: int = resource.RLIM_INFINITY) -> None:
    """Have the system refuse to let files of the service grow, as on a full disk."""
    _, hard = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def some_events(count: int, **more: str) -> list[dict]:
    return [
        {"y_true": DRAW.gauss(0, 1e6), "y_pred": DRAW.gauss(0, 1), **more} for _ in range(count)
    ]


def check(service: Running, events: list[dict]) -> None:
    """Compare the cost with the fractions of all that was acknowledged."""
    each = [terms(event["y_true"] - event["y_pred"], event["y_true"], 1.0) for event in events]
    exact = numbers(added(each))
    for window in ("lifetime", "1h"):
        (cost,) = service.costs(window)
        assert cost["n"] == len(events)
        for name in ("mse", "mae", "bias"):
            assert cost[name] == exact[name], (window, name)


def refused(service: Running, path: str, records: list[dict]) -> None:
    """Send what cannot be kept: the client is told so, and when to try again."""
    status, headers, answer = service.post(path, *records)
    assert status == 503
    assert int(headers["retry-after"]) >= 1
    assert "nothing of it was kept" in answer["detail"], answer
    assert fetch(f"{service.url}/-/ready")[0] == 503
    assert service.metric("losswatch_state_writable") == 0


def test_a_full_disk_loses_nothing_and_counts_nothing_twice(tmp_path):
    """A client that tries again and a file that waits: each counts once, also after ``kill -9``."""
    lines = (tmp_path / "events.ndjson").open("a", buffering=1)
    with lines, Running(tmp_path, FILE_TOO) as service:
        first, from_file, later = some_events(20), some_events(40), some_events(30)
        named = [event | {"prediction_id": f"p{i}"} for i, event in enumerate(some_events(5))]
        assert service.post("events", *first)[2]["accepted"] == 20
        assert service.metric("losswatch_state_writable") == 1
        limit_files(service, ROOM)
        refused(service, "events", later)
        lines.writelines(json.dumps(event) + "\n" for event in from_file)
        for _ in range(3):
            refused(service, "events", named)
        check(service, first)
        limit_files(service)
        wait_for(lambda: service.is_ready, about="for room")
        wait_for(lambda: service.costs()[0]["n"] == 60, about="for the lines of the file")
        for records in (later, named):
            assert service.post("events", *records)[2]["accepted"] == len(records)
        assert service.post("events", *named)[2]["duplicates"] == 5
        assert service.metric("losswatch_state_writable") == 1
        assert service.metric('losswatch_l2_loss_count{model="eta"}') == 95
        check(service, first + from_file + later + named)
        service.kill()
        service.start()
        check(service, first + from_file + later + named)
        lines.write(json.dumps((last := some_events(1))[0]) + "\n")
        wait_for(lambda: service.costs()[0]["n"] == 96, about="for one more line")
        check(service, first + from_file + later + named + last)
        assert "Traceback" not in service.log.read_text()


def test_readiness_returns_without_a_request(tmp_path):
    """Who is not ready is sent nothing: the service must find out itself that there is room."""
    with Running(tmp_path, HTTP) as service:
        limit_files(service, ROOM)
        refused(service, "events", some_events(10))
        limit_files(service)
        wait_for(lambda: service.is_ready, about="for room")
        assert service.metric("losswatch_state_writable") == 1
        assert service.costs()[0]["n"] == 0
        events = some_events(10)
        assert service.post("events", *events)[0] == 200
        service.kill()
        service.start()
        check(service, events)


@pytest.mark.parametrize("ends", [Running.kill, Running.stop])
def test_a_service_that_ends_on_a_full_disk_loses_nothing(tmp_path, ends):
    """What was acknowledged is in the state, what was not is still in the file."""
    lines = (tmp_path / "events.ndjson").open("a", buffering=1)
    with lines, Running(tmp_path, FILE_TOO) as service:
        first, from_file = some_events(20), some_events(40)
        assert service.post("events", *first)[2]["accepted"] == 20
        limit_files(service, ROOM)
        lines.writelines(json.dumps(event) + "\n" for event in from_file)
        wait_for(lambda: not service.is_ready, about="for the full disk")
        check(service, first)
        assert ends(service) in {0, None}
        service.start()
        wait_for(lambda: service.costs()[0]["n"] == 60, about="for the lines of the file")
        check(service, first + from_file)
