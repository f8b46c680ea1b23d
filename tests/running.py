"""``losswatch run`` on a config: killed, started again on the same address, and asked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from servers import answers, fetch, free_port, wait_for


def post(url: str, records: list[dict[str, Any]]) -> tuple[int, dict[str, str], Any]:
    """Send records as NDJSON: status, headers in lower case, what the body says."""
    body = "\n".join(map(json.dumps, records)).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/x-ndjson"})
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, headers, json.loads(answer.read())


class Running:
    """A service that may be killed; its log is ``run.log`` in the folder."""

    def __init__(self, folder: Path, config: str) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        self.log = folder / "run.log"
        self.config = folder / "losswatch.yml"
        self.config.write_text(config)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, **options: Any) -> None:
        """Start it and wait until it is ready."""
        self.launch(**options)
        wait_for(lambda: self.is_ready, about=f"for {self.log}")

    def launch(self, **options: Any) -> None:
        command = [sys.executable, "-m", "losswatch", "run", str(self.config)]
        command += ["--web.listen-address", self.address]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **options)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        self.process.terminate()
        return self.process.wait(20)

    @property
    def is_ready(self) -> bool:
        return answers(f"{self.url}/-/ready")

    def post(self, path: str, *records: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        return post(f"{self.url}/api/v1/{path}", list(records))

    def metric(self, name: str) -> float | None:
        """Return a sample of the page by its name and labels, as they are written there."""
        page = fetch(f"{self.url}/metrics")[2].decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else None

    def costs(self, window: str = "lifetime") -> list[dict[str, Any]]:
        costs: list[dict[str, Any]] = json.loads(fetch(f"{self.url}/api/v1/cost")[2])["costs"]
        return [cost for cost in costs if cost["window"] == window]
