"""Clients that wait, come all at once, are slow, or go away."""

from __future__ import annotations

import socket
import threading

from posting import GOOD, service
from servers import wait_for

HEAD = b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


def connected(running):
    return socket.create_connection(("127.0.0.1", running.port), timeout=20)


def test_an_answer_comes_after_the_commit_and_not_before():
    """Clients wait while the writer does; then all are answered by one commit."""
    with service() as running:
        running.go.clear()
        answers = []
        clients = [
            threading.Thread(target=lambda: answers.append(running.post(GOOD)), daemon=True)
            for _ in range(20)
        ]
        for client in clients:
            client.start()
        wait_for(lambda: running.source._events == 20)
        assert answers == []
        running.go.set()
        for client in clients:
            client.join(20)
    assert [answer.status for answer in answers] == [200] * 20
    assert [batch.lines for batch in running.batches] == [20]


def test_many_clients_at_once():
    """Every request is answered by what became of its own events."""
    with service(queue=100_000) as running:
        answers = {}

        def send(number):
            for count in range(1, 30):
                answers[number, count] = running.post(GOOD * count + b"nope\n" * (number % 3))

        clients = [threading.Thread(target=send, args=(number,)) for number in range(16)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(60)
    assert len(answers) == 16 * 29
    for (number, count), answer in answers.items():
        assert (answer.body["accepted"], answer.body["refused_total"]) == (count, number % 3)
        lines = [refused["line"] for refused in answer.body["refused"]]
        assert lines == [*range(count + 1, count + 1 + number % 3)]


def test_a_full_queue_is_told_to_come_back():
    """429 says when; after the commit there is room."""
    with service(queue=2) as running:
        running.go.clear()
        waiting = threading.Thread(target=running.post, args=(GOOD * 2,), daemon=True)
        waiting.start()
        wait_for(lambda: running.source.full)
        answer = running.post(GOOD)
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        with connected(running) as client:  # a body that nobody wants is not waited for
            client.sendall(HEAD % 100)
            assert client.recv(1000).startswith(b"HTTP/1.1 429")
        running.go.set()
        waiting.join(20)
        assert running.post(GOOD).status == 200


def test_so_many_requests_wait_and_no_more(monkeypatch):
    """Further ones come back later, and pages are still read."""
    monkeypatch.setattr("losswatch.web.intake.MOST_REQUESTS", 1)
    with service() as running:
        running.go.clear()
        waiting = threading.Thread(target=running.post, args=(GOOD,), daemon=True)
        waiting.start()
        wait_for(lambda: running.source._events == 1)
        assert running.post(GOOD).status == 429
        assert running.send("GET", "/api/v1/cost").status == 200
        running.go.set()
        waiting.join(20)
        assert running.post(GOOD).status == 200


def test_a_commit_that_failed_is_503_with_its_reason():
    """The client knows that nothing counts, and when to try again."""
    with service(commit=lambda _: "losswatch.db cannot be written: no space") as running:
        answer = running.post(GOOD)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.body["detail"] == "losswatch.db cannot be written: no space"


def test_who_waits_when_the_service_stops_is_told_so():
    """503 at once, for those who wait and those who come."""
    with service() as running:
        running.go.clear()
        answers = []
        client = threading.Thread(target=lambda: answers.append(running.post(GOOD)), daemon=True)
        client.start()
        wait_for(lambda: running.source._events == 1)
        running.source.close()
        client.join(20)
        assert [answer.status for answer in answers] == [503]
        assert running.post(GOOD).status == 503


def test_a_client_that_sends_slowly_holds_nobody_up():
    """Others are answered meanwhile, and it is in the end."""
    with service() as running, connected(running) as slow:
        slow.sendall(HEAD % len(GOOD) + GOOD[:5])
        assert running.post(GOOD).status == 200
        slow.sendall(GOOD[5:])
        assert slow.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_client_that_goes_away_leaves_nothing_behind():
    """Half a body counts nothing; who goes after sending it all has been counted."""
    with service() as running:
        with connected(running) as client:
            client.sendall(HEAD % len(GOOD) + GOOD[:5])
        running.go.clear()
        with connected(running) as client:
            client.sendall(HEAD % len(GOOD) + GOOD)
            wait_for(lambda: running.source._events == 1)
        running.go.set()
        wait_for(lambda: running.source._events == 0)
        assert running.post(GOOD).status == 200
    assert sum(batch.lines for batch in running.batches) == 2


def test_answers_are_not_held_back():
    """Headers and body go out at once: else each answer takes 40 ms more where it is awaited."""
    from losswatch.web.server import _listen

    with _listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # by which asyncio tells


def test_a_body_that_is_said_to_be_too_large_is_not_waited_for():
    """The answer comes before a byte of the body."""
    with service() as running, connected(running) as client:
        client.sendall(HEAD % (1 << 40))
        assert client.recv(1000).startswith(b"HTTP/1.1 413")
