"""``kill -9`` at any moment: what was acknowledged counts, each event once, bit for bit."""

import json
import math
import os
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from fractions import Fraction

from exactly import added, numbers, terms
from servers import answers, fetch, free_port, wait_for

KILLS = int(os.environ.get("LOSSWATCH_KILLS", "50"))
CITIES = ("oslo", "rome", "lima")


class Story:
    """What clients send, and what must come out: predictions, truths, revisions, whole events."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        self._number = 0
        self.events: dict[str, tuple[float, float, float, str]] = {}

    def batches(self, size: int):
        """Return requests that belong together, in order: each is (path, records)."""
        first, rest, revised = [], [], []
        for _ in range(size):
            self._number += 1
            name, draw = f"{self._seed}-{self._number}", self._random
            y_pred, y_true = draw.gauss(0, 10), draw.choice([draw.gauss(0, 1e8), draw.gauss(0, 1)])
            w, city = draw.choice([1.0, 0.5, 3.0]), draw.choice(CITIES)
            common = {"prediction_id": name, "segment": {"city": city}, "w": w}
            kind = draw.randrange(3)
            if kind == 0:
                first.append(common | {"y_true": y_true, "y_pred": y_pred})
            else:
                first.append(common | {"y_pred": y_pred})
                rest.append({"prediction_id": name, "y_true": y_true})
            if kind == 2:
                y_true = draw.gauss(0, 100)
                revised.append({"prediction_id": name, "y_true": y_true})
            self.events[name] = (y_pred, y_true, w, city)
        return [("events", first), ("truths", rest), ("events", revised)]


def post(url: str, records: list[dict]) -> dict | None:
    """Send records; return the answer, ``None`` if there was none that says they are safe."""
    body = "\n".join(map(json.dumps, records)).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/x-ndjson"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        assert error.code in {429, 503}, error
    except OSError:
        pass
    return None


class Client(threading.Thread):
    """Sends a story, each request again until it is acknowledged; some twice all the same."""

    def __init__(self, url: str, seed: int, stop: threading.Event) -> None:
        super().__init__()
        self.story = Story(seed)
        self.requests = self.retries = 0
        self.failure: BaseException | None = None
        self._url = url
        self._random = random.Random(-seed)
        self._stopped = stop

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                for path, records in self.story.batches(self._random.choice([1, 20, 300])):
                    if records:
                        self._send(path, records)
        except BaseException as error:  # for the test to see
            self.failure = error
            raise

    def _send(self, path: str, records: list[dict]) -> None:
        twice = self._random.random() < 0.2
        while (answer := post(f"{self._url}/api/v1/{path}", records)) is None:
            self.retries += 1
            time.sleep(0.02)
        assert answer["refused_total"] == 0, answer
        assert answer["accepted"] + answer["duplicates"] == len(records)
        self.requests += 1
        if twice:
            post(f"{self._url}/api/v1/{path}", records)


class Service:
    """``losswatch run``, killed and started again on the same address."""

    def __init__(self, folder, sources: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self._config = folder / "losswatch.yml"
        self._config.write_text(
            f"version: 1\nlisten: {self.url.removeprefix('http://')}\nstate: losswatch.db\n"
            "monitors: [{model: eta, windows: [1h, {events: 50}], segments: {labels: [city]}}]\n"
            f"sources: [{sources}]\n"
        )

    def start(self) -> None:
        with (self.folder / "run.log").open("ab") as log:
            command = [sys.executable, "-m", "losswatch", "run", str(self._config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self) -> None:
        wait_for(lambda: answers(f"{self.url}/-/ready"), about=f"for {self.folder}/run.log")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def costs(self) -> list[dict]:
        return json.loads(fetch(f"{self.url}/api/v1/cost")[2])["costs"]


def check(service: Service, events: list[tuple[float, float, float, str]]) -> None:
    """Compare every number of the lifetime with the fractions of what was sent."""
    found = {tuple(c["segment"].values()): c for c in service.costs() if c["window"] == "lifetime"}
    for city in (*CITIES, None):
        some = [e for e in events if city in {None, e[3]}]
        exact = numbers(added([terms(y_true - y_pred, y_true, w) for y_pred, y_true, w, _ in some]))
        cost = found[() if city is None else (city,)]
        for name in ("n", "weight", "mse", "rmse", "mae", "bias"):
            assert cost[name] == exact[name], (city, name)
    assert math.isfinite(float(Fraction(cost["mse"])))


def killed(service: Service, kills: int) -> None:
    """Kill the service at random moments: while it starts, reads its state, and works."""
    draw = random.Random(7)
    for number in range(kills):
        service.start()
        if number % 5:
            with suppress(OSError):
                service.wait()
        time.sleep(draw.uniform(0.0, 0.4))
        service.kill()
    service.start()
    service.wait()


def test_http_clients_that_retry_are_counted_once_through_kills(tmp_path):
    """Fifty kills while four clients send, retry and repeat: the cost is the exact one."""
    service, stop = Service(tmp_path, "{http: {}}"), threading.Event()
    clients = [Client(service.url, seed, stop) for seed in range(1, 5)]
    for client in clients:
        client.start()
    try:
        killed(service, KILLS)
        stop.set()
        for client in clients:
            client.join(60)
            assert client.failure is None
        check(service, [event for client in clients for event in client.story.events.values()])
        assert sum(client.retries for client in clients) > KILLS
    finally:
        stop.set()
        service.kill()
