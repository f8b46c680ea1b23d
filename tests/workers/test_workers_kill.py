"""gunicorn with four workers: what was acknowledged counts, once, whoever is killed."""

import http.client
import itertools
import json
import random
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from exactly import added, numbers, terms
from killing import CHECKED, Service
from sending import Client, all_sent
from servers import fetch, wait_for
from working import beside, gunicorn, kill_one, workers_of

HERE = Path(__file__).parent
SOCKET = "{socket: {path: losswatch.sock}}"


@pytest.fixture
def stop():
    """Set at the end, so that nobody goes on for ever."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def owner(tmp_path):
    """An owner, killed at the end."""
    service = Service(tmp_path, SOCKET)
    text = service.config.read_text().replace(
        "segments: {labels: [city]}}\n", "segments: {labels: [city], limit: 5000}}\n"
    )
    service.config.write_text(text)
    service.start()
    service.wait()
    yield service
    service.kill()


def ask(url: str, content: object = None) -> dict | None:
    """Post JSON; return the answer, ``None`` if there was none."""
    request = urllib.request.Request(
        url, json.dumps(content).encode(), {"content-type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException):
        return None


def kills(master, owner, stop, seed: int, number: int) -> list[int]:
    """Kill workers, and the owner now and then, so many; return how many of each."""
    draw, count = random.Random(seed), [0, 0]
    while sum(count) < number and not stop.wait(draw.uniform(0.1, 0.6)):
        if draw.random() < 0.25:
            owner.kill()
            time.sleep(draw.uniform(0.0, 0.5))
            owner.start()
            owner.wait()
            count[1] += 1
        else:
            count[0] += kill_one(master, draw)
    return count


class Scores:
    """Complete events by requests, 100 each, and what was answered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pairs: dict[str, list[tuple[float, float]]] = {}
        self.safe: set[str] = set()

    def send(self, number: int) -> None:
        city, draw = f"r{number}", random.Random(number)
        pairs = [(draw.gauss(0, 1e8), draw.gauss(0, 1e-3)) for _ in range(100)]
        self.pairs[city] = pairs
        if (answer := ask(f"{self.url}/score?city={city}", pairs)) and answer["safe"]:
            self.safe.add(city)


def test_what_was_acknowledged_counts_once_through_kills(tmp_path, owner):
    """10^5 events and more: of each request that was answered all count, of the others some."""
    numbered = itertools.count()
    with gunicorn(tmp_path, "flask_app:app") as (url, master):
        scores = Scores(url)
        with beside(lambda stop: kills(master, owner, stop, 5, 24)) as killer:

            def send() -> None:
                while (number := next(numbered)) < 1000 or not (killer.done() or number > 4500):
                    scores.send(number)

            with ThreadPoolExecutor(8) as pool:
                for sender in [pool.submit(send) for _ in range(8)]:
                    sender.result()
        workers, owners = killer.result()
        costs = owner.costs()
    assert workers > 5
    assert owners > 1
    assert len(scores.pairs) >= 1000
    assert len(scores.safe) > len(scores.pairs) - 200
    for city, events in scores.pairs.items():
        found = costs.get(("eta", None, city))
        if city in scores.safe:
            exact = numbers(added([terms(y_true - y_pred, y_true) for y_true, y_pred in events]))
            assert {name: found[name] for name in CHECKED} == {
                name: exact[name] for name in CHECKED
            }
        elif found is not None:
            assert found["n"] <= 100


class Requests:
    """By requests to an application with several workers, each again until it is safe."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.retries = 0
        self.pids: set[int] = set()

    def send(self, _kind: str, records: list[dict], *, twice: bool) -> None:
        for _ in range(1 + twice):
            while not ((answer := ask(self.url, records)) and answer["safe"]):
                assert self.retries < 5000
                self.retries += 1
                time.sleep(0.02)
            self.pids.add(answer["pid"])


def test_sides_that_come_to_different_workers_are_joined_through_kills(tmp_path, owner, stop):
    """Predictions, truths and revisions of several outputs; every number is right in the end."""
    with gunicorn(tmp_path, "story_app:app", path=HERE) as (url, master):
        way = Requests(url)
        clients = [Client(seed, stop, way) for seed in range(1, 4)]
        for client in clients:
            client.start()
        assert min(kills(master, owner, stop, 3, 24)) > 2
        owner.check(all_sent(clients, stop))
    assert way.retries
    assert len(way.pids) > 4
    page = fetch(f"{owner.url}/metrics")[2].decode()
    assert 'reason="conflicting_prediction"} 0.0' in page


def test_the_end_of_workers_loses_nothing(tmp_path, owner):
    """SIGTERM to gunicorn: what was told and not flushed is sent before the processes end."""
    with gunicorn(tmp_path, "flask_app:app", "--preload") as (url, master):
        wait_for(lambda: len(workers_of(master)) == 4, about="for four workers")
        pids = set()
        for number in range(200):
            pids.add(ask(f"{url}/predict/t{number}?km={number}&city=oslo")["pid"])
        for number in range(200):
            pids.add(ask(f"{url}/arrived/t{number}?minutes={2 * number + 1}")["pid"])
        master.terminate()
        master.wait(20)
    assert len(pids) > 1
    wait_for(lambda: owner.count(None) == 200, about="for all events")
    assert owner.costs()["eta", None, "oslo"]["mse"] == 1.0
    assert owner.count("rome") == 0
