"""Ways to lose an event or to count it twice that need no crash; none of them does."""

import json
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from killing import Service
from sending import Client, Posting, Story, all_sent, post
from servers import answers, free_port, wait_for


@pytest.fixture
def stop():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def service(tmp_path):
    """A service that takes requests, killed at the end."""
    running = Service(tmp_path, "{http: {}}")
    running.start()
    running.wait()
    yield running
    running.kill()


def batches(story: Story, count: int) -> list[tuple[str, list[dict]]]:
    """Return requests of which none needs to come after another."""
    return [part for _ in range(count) for part in [*story.batches(30)][:3] if part[1]]


def test_the_same_request_many_times_at_once_counts_once(service):
    """A retry that comes while the first still waits: one is accepted, the rest are duplicates."""
    story = Story(1, revised=0.0)
    with ThreadPoolExecutor(8) as pool:
        for kind, records in batches(story, 12):
            url = f"{service.url}/api/v1/{kind}"
            answers = [*pool.map(lambda _, u=url, r=records: post(u, r), range(8))]
            assert sum(answer["accepted"] for answer in answers) == len(records)
            assert sum(answer["duplicates"] for answer in answers) == 7 * len(records)
    service.check([*story.sent.values()])


def test_a_client_that_leaves_before_the_answer_may_come_again(service):
    """It does not know whether its events count; sent again they do, once."""
    story = Story(2, revised=0.0)
    parts = urlsplit(service.url)
    for number, (kind, records) in enumerate(batches(story, 12)):
        body = "\n".join(map(json.dumps, records)).encode()
        head = f"POST /api/v1/{kind} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
        cut = len(body) // 2 if number % 3 == 0 else len(body)
        with socket.create_connection((parts.hostname, parts.port)) as client:
            client.sendall(head.encode() + body[:cut])
            client.shutdown(socket.SHUT_WR)
        answer = post(f"{service.url}/api/v1/{kind}", records)
        assert answer["accepted"] + answer["duplicates"] == len(records)
    service.check([*story.sent.values()])


def test_sigterm_keeps_what_was_acknowledged(tmp_path, stop):
    """Ten graceful ends under load: each exits with 0, and clients try again."""
    service = Service(tmp_path, "{http: {}}")
    way = Posting(service.url)
    clients = [Client(seed, stop, way) for seed in range(3)]
    try:
        for client in clients:
            client.start()
        service.restarts(10, 0.3, service.stop)
        service.check(all_sent(clients, stop))
        assert way.retries
    finally:
        service.kill()
    log = (tmp_path / "run.log").read_text()
    assert log.count("; 0 commits came after the last snapshot") >= 10
    assert "Traceback" not in log


def test_one_state_has_one_service(service):
    """A second one refuses and says why; the first goes on, and loses nothing by that."""
    story = Story(3)
    command = [sys.executable, "-m", "losswatch", "run", str(service.config)]
    command += ["--web.listen-address", f"127.0.0.1:{free_port()}"]
    for kind, records in story.batches(200):
        assert post(f"{service.url}/api/v1/{kind}", records)
        second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert second.returncode == 1
        assert second.stderr.endswith(
            "losswatch.db: is used by another process; stop that one, or name another file\n"
        )
    service.check([*story.sent.values()])
    service.kill()
    service.start()
    service.wait()
    service.check([*story.sent.values()])


def test_of_services_started_at_once_on_a_new_state_one_serves_at_most(tmp_path):
    """They may all refuse, as each sees another; the next one starts."""
    service = Service(tmp_path, "{http: {}}")
    ports = [free_port() for _ in range(3)]
    command = [sys.executable, "-m", "losswatch", "run", str(service.config)]
    started = [
        subprocess.Popen(
            [*command, "--web.listen-address", f"127.0.0.1:{port}"], stderr=subprocess.PIPE
        )
        for port in ports
    ]
    try:
        serving = lambda: [p for p in ports if answers(f"http://127.0.0.1:{p}/-/ready")]  # noqa: E731
        ended = lambda: [p for p in started if p.poll() is not None]  # noqa: E731
        wait_for(lambda: len(serving()) + len(ended()) == len(ports), about="for three services")
        assert len(serving()) <= 1
        for process in ended():
            assert b"is used by another process" in process.stderr.read()
    finally:
        for process in started:
            process.kill()
            process.communicate()
    service.start()
    service.wait()
    service.kill()
