"""An owner that is told another config while workers are connected."""

import json
import stat
import threading
import time
import urllib.request

import pytest
from running import Running
from servers import fetch, wait_for

import losswatch

SUCCESS = "losswatch_config_last_reload_successful"


ETA = "{model: eta, segments: {labels: [city]}}"
BOTH = f"{ETA}, {{model: place, segments: {{labels: [tier]}}}}"


def config(monitors: str = ETA, socket: str = "path: s") -> str:
    return (
        "version: 1\nstate: a.db\nweb: {enable_lifecycle: true}\n"
        f"monitors: [{monitors}]\n"
        f"sources: [{{socket: {{{socket}}}}}]\n"
    )


@pytest.fixture
def running(tmp_path):
    with Running(tmp_path, config()) as service:
        yield service


@pytest.fixture
def connection(tmp_path, running):  # noqa: ARG001  # it ends before its owner
    connection = losswatch.connect(tmp_path / "s", "eta")
    yield connection
    connection.close(timeout=0.0)


def change(running: Running, text: str) -> None:
    running.config.write_text(text)
    request = urllib.request.Request(f"{running.url}/-/reload", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    assert running.metric(SUCCESS) == 1


def counted(running: Running) -> dict[str, int]:
    """Return how many events each model and segment has."""
    costs = json.loads(fetch(f"{running.url}/api/v1/cost?window=lifetime")[2])["costs"]
    return {" ".join([cost["model"], *cost["segment"].values()]): cost["n"] for cost in costs}


def test_a_label_that_is_new_is_read_from_workers_that_are_connected(running, connection):
    """The socket stays, its workers come again, and what they tell meanwhile counts once."""
    stop, told = threading.Event(), []

    def tell():
        while not stop.is_set():
            connection.update(1.0, 0.0, segment={"city": "oslo", "tier": "gold"})
            told.append(1)
            time.sleep(0.0005)

    thread = threading.Thread(target=tell)
    thread.start()
    for monitors in (BOTH, ETA) * 4:
        change(running, config(monitors))
    stop.set()
    thread.join()
    assert connection.flush(10)
    change(running, config(BOTH))
    with losswatch.connect(connection.path, "place") as place:
        place.update(1.0, 0.0, segment={"city": "oslo", "tier": "tin"})
        assert place.flush(10)
    found = counted(running)
    assert (found["eta"], found["eta oslo"]) == (len(told), len(told))
    assert (found["place"], found["place tin"]) == (1, 1)


def test_what_the_config_says_of_a_socket_changes_without_a_restart(running, connection, tmp_path):
    """Who may connect, and whether times are read; a socket at another path is another one."""
    connection.update(1.0, 0.0)
    assert connection.flush(10)
    change(
        running,
        config(
            "{model: eta, windows: [1h], segments: {labels: [city]}}",
            socket="path: s, mode: '0660', queue: 5",
        ),
    )
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660
    connection.update(1.0, 0.0)
    assert connection.flush(10)
    assert counted(running)["eta"] == 2
    change(running, config(socket="path: t"))
    wait_for(lambda: not (tmp_path / "s").exists())
    with losswatch.connect(tmp_path / "t", "eta") as other:
        other.update(1.0, 0.0)
        assert other.flush(10)
    assert counted(running)["eta"] == 3
