"""``losswatch run`` as a process that is ended and started again, and what it must tell."""

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

from exactly import added, numbers, terms
from sending import CITIES, OUTPUTS, Sent
from servers import answers, fetch, free_port, wait_for

QUICKLY = """
import sys
from losswatch.cli.main import main
from losswatch.service import keeper, writer
keeper._JOURNAL_BYTES, writer._REST_SECONDS = 50_000, 0.02
main(sys.argv[1:])
"""
"""The same service, with a snapshot whenever the journal is larger than the last one."""

MONITORS = """
  - {model: eta, windows: [1h, {events: 50}], segments: {labels: [city]}}
  - {model: place, outputs: [lat, lon], windows: [5m], segments: {labels: [city]}}
"""
CHECKED = ("n", "weight", "mse", "rmse", "mae", "bias")


class Service:
    """The service, always on the same address and with the same state."""

    def __init__(self, folder, *sources: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.config = folder / "losswatch.yml"
        self.config.write_text(
            f"version: 1\nlisten: {self.url.removeprefix('http://')}\nstate: losswatch.db\n"
            f"monitors: {MONITORS}sources: [{', '.join(sources)}]\n"
        )

    def start(self) -> None:
        with (self.folder / "run.log").open("ab") as log:
            command = [sys.executable, "-c", QUICKLY, "run", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self) -> None:
        wait_for(lambda: answers(f"{self.url}/-/ready"), about=f"for {self.folder}/run.log")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """End it as an operator does; it must go of itself, and without complaint."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, (self.folder / "run.log").read_text()[-2000:]

    def restarts(self, times: int, longest: float, end=None, seed: int = 7) -> None:
        """End it at random moments: while it starts, reads its state, and works."""
        draw = random.Random(seed)
        for number in range(times):
            self.start()
            if number % 5 or end is not None:
                with suppress(OSError):
                    self.wait()
            time.sleep(draw.uniform(0.0, longest))
            (end or self.kill)()
        self.start()
        self.wait()

    def costs(self) -> dict[tuple, dict]:
        """Return the costs of the lifetime by model, output and city."""
        costs = json.loads(fetch(f"{self.url}/api/v1/cost?window=lifetime")[2])["costs"]
        keys = ("model", "output")
        return {(*map(c.get, keys), c["segment"].get("city")): c for c in costs}

    def count(self, city: str | None) -> int:
        """Return how many events of ``eta`` count there; 0 where it has none yet."""
        return self.costs().get(("eta", None, city), {}).get("n", 0)

    def check(self, sent: list[Sent], seconds: float = 60.0) -> None:
        """Wait until every number of the lifetime is right, and see that it stays so."""
        exact, end = truth(sent), time.monotonic() + seconds
        while (wrong := differences(self.costs(), exact)) and time.monotonic() < end:
            time.sleep(0.2)
        assert not wrong, wrong[:12]
        time.sleep(1.0)
        assert not (wrong := differences(self.costs(), exact)), wrong[:12]


def differences(costs: dict[tuple, dict], exact: dict[tuple, dict]) -> list[tuple]:
    """Return the numbers that are not the exact ones, and those."""
    return [
        (*key, name, costs.get(key, {}).get(name), right[name])
        for key, right in exact.items()
        for name in CHECKED
        if costs.get(key, {}).get(name) != right[name]
    ]


def truth(sent: list[Sent]) -> dict[tuple, dict[str, float]]:
    """Return every number of each model, output and city, in fractions and rounded once."""
    parts = {}
    for event in sent:
        outputs = OUTPUTS if event.model == "place" else (None,)
        for output, y_true, y_pred in zip(outputs, event.y_true, event.y_pred, strict=True):
            part = terms(y_true - y_pred, y_true, event.w)
            for city in (event.city, None):
                parts.setdefault((event.model, output, city), []).append(part)
    assert {city for _, _, city in parts} == {*CITIES, None}
    return {key: numbers(added(some)) for key, some in parts.items()}
