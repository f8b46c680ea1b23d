"""The applications of the docs, as they are run, and what Prometheus sees of them."""

import json
import os
import random
import sys
import time
import urllib.request

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


def test_uvicorn_with_workers_has_one_cost(tmp_path, owner):
    """The FastAPI application: truths find their predictions, each page is the whole."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--workers", "3"]
    command += ["--app-dir", str(EXAMPLES), "--host", "127.0.0.1", "--port", address[10:]]
    environment = os.environ | {"LOSSWATCH_SOCKET": str(tmp_path / "losswatch.sock")}
    with process(command, tmp_path / "uvicorn.log", env=environment):
        url = f"http://{address}"
        wait_for(lambda: answers(f"{url}/docs"), about=f"for {tmp_path}/uvicorn.log")
        for number in range(120):
            post(f"{url}/predict", {"id": f"t{number}", "km": number, "city": "rome"})
        for number in range(120):
            post(f"{url}/arrived/t{number}?minutes={2 * number + 3}")
        wait_for(lambda: owner.count("rome") == 120, about="for the truths")
        assert owner.costs()["eta", None, "rome"]["mse"] == 9.0
        page = fetch(f"{url}/metrics")[2].decode()
        assert 'losswatch_lifetime_events{city="rome",model="eta"} 120.0\n' in page
        workers = next(
            float(line.split()[1])
            for line in page.splitlines()
            if line[:18] == "losswatch_workers "
        )
        assert workers > 1  # more than one was told something
    wait_for(lambda: "\nlosswatch_workers 0.0\n" in fetch(f"{owner.url}/metrics")[2].decode())


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
                    except OSError:
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
