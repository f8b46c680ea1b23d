"""The applications of the docs, as they are run, and what Prometheus sees of them."""

import http.client
import itertools
import json
import os
import random
import re
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from killing import Service
from servers import answers, fetch, free_port, process, prometheus, wait_for
from working import EXAMPLES, beside, gunicorn, kill_one


@pytest.fixture
def owner(tmp_path):
    """An owner, killed at the end."""
    service = Service(tmp_path, "{socket: {path: losswatch.sock}}")
    service.start()
    service.wait()
    yield service
    service.kill()


def post(url: str, content: object = None) -> object:
    request = urllib.request.Request(
        url, json.dumps(content).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def told_by(url: str) -> float:
    """Return how many workers are connected: each is once it was told something."""
    page = fetch(f"{url}/metrics")[2].decode()
    return float(re.search(r"^losswatch_workers (\S+)$", page, re.MULTILINE)[1])


def test_uvicorn_with_workers_has_one_cost(tmp_path, owner):
    """The FastAPI application: truths find their predictions, each page is the whole."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--workers", "3"]
    command += ["--app-dir", str(EXAMPLES), "--host", "127.0.0.1", "--port", address[10:]]
    environment = os.environ | {"LOSSWATCH_SOCKET": str(tmp_path / "losswatch.sock")}
    with process(command, tmp_path / "uvicorn.log", env=environment):
        url = f"http://{address}"
        wait_for(lambda: answers(f"{url}/docs"), about=f"for {tmp_path}/uvicorn.log")
        with ThreadPoolExecutor(8) as pool:

            def predict(number):
                post(f"{url}/predict", {"id": f"t{number}", "km": number, "city": "rome"})

            def arrive(number):
                post(f"{url}/arrived/t{number}?minutes={2 * number + 3}")

            for tell in (predict, arrive):
                assert len([*pool.map(tell, range(120))]) == 120
            # Who of the three is idle takes the next one: it may take a while till another is told.
            more = itertools.count(1000)
            wait_for(
                lambda: [*pool.map(predict, itertools.islice(more, 8))] and told_by(owner.url) > 1,
                about="for another worker",
            )
        wait_for(lambda: owner.count("rome") == 120, about="for the truths")
        assert owner.costs()["eta", None, "rome"]["mse"] == 9.0
        page = fetch(f"{url}/metrics")[2].decode()
        assert 'losswatch_lifetime_events{city="rome",model="eta"} 120.0\n' in page
    wait_for(lambda: told_by(owner.url) == 0, about="for the end of all workers")


def test_prometheus_sees_no_reset_when_workers_end(tmp_path, owner):
    """Scraped through whichever worker answers, while workers are killed: lines that only grow."""
    with gunicorn(tmp_path, "flask_app:app") as (url, master):

        def kill(stop):
            draw = random.Random(4)
            while not stop.wait(draw.uniform(0.3, 0.8)):
                kill_one(master, draw)

        with prometheus(tmp_path, url.removeprefix("http://")) as server:
            total = 'losswatch_l2_loss_count{model="eta",city="oslo"}'
            scrapes = f"count_over_time({total}[10m])"
            sent = number = 0
            with beside(kill) as killer:
                while (server.value(scrapes) or 0) < 30:
                    number += 1
                    try:
                        sent += bool(post(f"{url}/score?city=oslo", [[number, number + 1.0]] * 20))
                    except (OSError, http.client.IncompleteRead):
                        time.sleep(0.05)
            assert killer.result() is None
            counted = owner.count("oslo")
            wait_for(lambda: server.value(total) == counted, about="for the last scrape")
            assert server.value(f"resets({total}[10m])") == 0
            sums = 'losswatch_l2_loss_sum{model="eta",city="oslo"}'
            assert server.value(f"resets({sums}[10m])") == 0
            rmse = server.value(f"sqrt(rate({sums}[10m]) / rate({total}[10m]))")
            assert rmse == pytest.approx(1.0)
    assert counted >= 20 * sent > 500
