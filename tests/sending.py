"""Clients that send until they are told that it is safe, by HTTP and by Kafka."""

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

CITIES = ("oslo", "rome", "lima")
OUTPUTS = ("lat", "lon")


@dataclass
class Sent:
    """An event, as it must count in the end."""

    model: str
    y_true: tuple[float, ...]
    y_pred: tuple[float, ...]
    w: float
    city: str

    def side(self, name: str, values: tuple[float, ...]) -> dict:
        """Return the part of a record that has one side."""
        if self.model == "eta":
            return {name: values[0]}
        return {name: dict(zip(OUTPUTS, values, strict=True))}


class Way(Protocol):
    """How records are sent; when it returns they are safe."""

    def send(self, kind: str, records: list[dict], *, twice: bool) -> None: ...


class Story:
    """What one client sends, and what must come out.

    Predictions, truths, revisions of scored events, and complete events. The
    truths have times: then it does not matter which way is faster.
    """

    def __init__(self, seed: int, revised: float = 0.3) -> None:
        self._revised = revised
        self._random = random.Random(seed)
        self._seed = seed
        self._began = time.time() - 1000.0
        self.sent: dict[str, Sent] = {}

    def batches(self, size: int) -> Iterator[tuple[str, list[dict]]]:
        """Yield the records of some events, of which the later must be sent later."""
        stages: dict[str, list[dict]] = {"events": [], "predictions": [], "truths": []}
        revised: list[dict] = []
        for _ in range(size):
            self._tell(stages, revised)
        yield from stages.items()
        yield "truths", revised

    def anonymous(self, size: int) -> list[dict]:
        """Return complete events without an id: nobody can tell when one comes twice."""
        return [self._whole(self._draw()) for _ in range(size)]

    def _tell(self, stages: dict[str, list[dict]], revised: list[dict]) -> None:
        event = self._draw()
        name = {"model": event.model, "prediction_id": f"{self._seed}-{len(self.sent)}"}
        kind = self._random.randrange(3)
        true = name | event.side("y_true", event.y_true) | {"time": self._began}
        if kind == 0:
            stages["events"].append(self._whole(event) | name | {"time": self._began})
        elif kind == 1:  # the truth first
            stages["events"].append(true)
            stages["predictions"].append(self._predicted(event) | name)
        else:
            stages["predictions"].append(self._predicted(event) | name)
            stages["truths"].append(true)
        if self._random.random() < self._revised:
            event.y_true = self._numbers(event.model)
            time = self._began + 100.0
            revised.append(name | event.side("y_true", event.y_true) | {"time": time})

    def _draw(self) -> Sent:
        draw, model = self._random, self._random.choice(["eta", "eta", "place"])
        w, city = draw.choice([1.0, 0.5, 3.0]), draw.choice(CITIES)
        event = Sent(model, self._numbers(model), self._numbers(model), w, city)
        self.sent[str(len(self.sent))] = event
        return event

    def _numbers(self, model: str) -> tuple[float, ...]:
        scales = [self._random.choice([1e8, 1.0, 1e-9]) for _ in range(1 + (model == "place"))]
        return tuple(self._random.gauss(0, scale) for scale in scales)

    def _predicted(self, event: Sent) -> dict:
        common = {"model": event.model, "segment": {"city": event.city}, "w": event.w}
        return common | event.side("y_pred", event.y_pred)

    def _whole(self, event: Sent) -> dict:
        return self._predicted(event) | event.side("y_true", event.y_true)


class Posting:
    """By HTTP, each request again until it is acknowledged."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.retries = 0

    def send(self, kind: str, records: list[dict], *, twice: bool) -> None:
        for _ in range(1 + twice):
            while (answer := post(f"{self.url}/api/v1/{kind}", records)) is None:
                self.retries += 1
                time.sleep(0.02)
            assert answer["refused_total"] == 0, answer
            assert answer["accepted"] + answer["duplicates"] == len(records)
        if twice:
            assert answer["duplicates"] == len(records)


def post(url: str, records: list[dict]) -> dict | None:
    """Send records; return the answer, ``None`` if there was none that says they are safe."""
    body = "\n".join(map(json.dumps, records)).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/x-ndjson"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        if error.code not in {429, 503}:
            raise
    except (OSError, http.client.IncompleteRead):
        pass
    return None


class Client(threading.Thread):
    """Sends a story, each part of it by any of its ways.

    ``once`` is a way that delivers each record once, so that those without an
    id may go there.
    """

    def __init__(
        self,
        seed: int,
        stop: threading.Event,
        *ways: Way,
        once: Way | None = None,
        twice: float = 0.2,
    ) -> None:
        super().__init__(name=f"client {seed}")
        self.story = Story(seed)
        self.failure: BaseException | None = None
        self._ways = ways
        self._once = once
        self._twice = twice
        self._random = random.Random(-seed)
        self._stopped = stop

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._send(self._random.choice([1, 20, 200]))
        except BaseException as error:  # noqa: BLE001  # the test raises it
            self.failure = error

    def _send(self, size: int) -> None:
        for kind, records in self.story.batches(size):
            way = self._random.choice(self._ways)
            if records:
                way.send(kind, records, twice=self._random.random() < self._twice)
        if self._once:
            self._once.send("anonymous", self.story.anonymous(size), twice=False)


def all_sent(clients: list[Client], stop: threading.Event) -> list[Sent]:
    """Let clients end what they are at; return all that they have sent."""
    stop.set()
    for client in clients:
        client.join(120)
        assert not client.is_alive(), client.name
        if client.failure:
            raise client.failure
    return [event for client in clients for event in client.story.sent.values()]
