"""Events that are sent to a running server: what is taken, what is answered, and when."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib

import pytest
from posting import GOOD, service
from servers import wait_for

from losswatch.errors import Reason
from losswatch.sources.base import Outcome, Refusal

PAIR = b'{"y_true": 1, "y_pred": 2}'


@pytest.fixture(scope="module")
def running():
    with service() as running:
        yield running


TAKEN = {
    "lines": (GOOD * 3, {}, 3),
    "lines without a last line feed": (GOOD + PAIR, {}, 2),
    "an array": (b"[%b,%b]" % (PAIR, PAIR), {"content_type": "application/json"}, 2),
    "an array as text": (b" [%b]" % PAIR, {"content_type": "text/plain; charset=utf-8"}, 1),
    "one object": (b'{\n"y_true": 1,\n"y_pred": 2}', {"content_type": "application/json"}, 1),
    "gzip": (gzip.compress(GOOD * 2), {"content_encoding": "gzip"}, 2),
    "two gzips": (gzip.compress(GOOD) + gzip.compress(GOOD), {"content_encoding": "x-gzip"}, 2),
    "identity": (GOOD, {"content_encoding": "identity"}, 1),
    "in chunks": (iter([GOOD[:5], GOOD[5:], GOOD]), {}, 2),
    "another protocol offered": (GOOD, {"connection": "Upgrade", "upgrade": "h2c"}, 1),
    "many": (GOOD * 2000, {}, 2000),
    "nothing": (b"", {}, 0),
    "an empty array": (b"[]", {}, 0),
}


@pytest.mark.parametrize(("body", "headers", "accepted"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken(running, body, headers, accepted):
    """Lines, arrays and single objects, packed or not, count one by one."""
    answer = running.post(body, **headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body == {"accepted": accepted, "duplicates": 0, "refused_total": 0, "refused": []}


def test_without_a_content_type(running):
    """What is not said to be something is seen from itself."""
    assert running.send("POST", "/api/v1/events", GOOD).status == 200


BOMB = gzip.compress(bytes(1 << 26))

NOT_TAKEN = {
    "a form": (GOOD, {"content_type": "application/x-www-form-urlencoded"}, 415, "must be one of"),
    "brotli": (GOOD, {"content_encoding": "br"}, 415, "must be gzip or none"),
    "two codings": (GOOD, {"content_encoding": "gzip, gzip"}, 415, "must be gzip or none"),
    "no gzip": (GOOD, {"content_encoding": "gzip"}, 400, "no gzip"),
    "half a gzip": (gzip.compress(GOOD)[:-9], {"content_encoding": "gzip"}, 400, "cut short"),
    "nothing as gzip": (b"", {"content_encoding": "gzip"}, 400, "cut short"),
    "more after gzip": (gzip.compress(GOOD) + b"x", {"content_encoding": "gzip"}, 400, "gzip"),
    "a thousand gzips": (gzip.compress(b"") * 1001, {"content_encoding": "gzip"}, 400, "send one"),
    "a bomb": (BOMB[:60_000], {"content_encoding": "gzip"}, 413, "more than 65536 bytes"),
    "too large": (b"x" * 65_537, {}, 413, "more than 65536 bytes"),
    "too large in chunks": (iter([b"x" * 40_000] * 2), {}, 413, "more than 65536 bytes"),
    "half an array": (b"[1,", {}, 400, "array cannot be read"),
    "not one event": (b"1\n2\n", {}, 422, "not one event counts"),
}


@pytest.mark.parametrize(("body", "headers", "status", "detail"), NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_what_is_not_taken(running, body, headers, status, detail):
    """Each failure has its status and says what is wrong, in one shape."""
    answer = running.post(body, **headers)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.body["status"] == status
    assert detail in answer.body["detail"]
    assert answer.body["title"]
    assert "retry-after" not in answer.headers


def test_refused_lines_are_listed_in_order_and_at_most_a_hundred():
    """The good ones count; the writer's refusals stand among those of the decoder."""

    def commit(_):
        return Outcome([Refusal(2, Reason.OVERFLOW, "too much")], [4])

    with service(commit=commit) as running:
        answer = running.post(b"nope\n" + GOOD * 3 + b'{"y_true": NaN, "y_pred": 1}\n' * 200)
    body = answer.body
    assert (answer.status, body["accepted"], body["duplicates"]) == (200, 1, 1)
    assert body["refused_total"] == 202
    assert len(body["refused"]) == 100
    assert [r["line"] for r in body["refused"]] == [1, 2, *range(5, 103)]
    assert [r["reason"] for r in body["refused"][:3]] == ["invalid_json", "overflow", "not_finite"]


def test_all_duplicates_are_no_failure():
    """A request that is sent again is told that it counted before."""
    with service(commit=lambda batch: Outcome(duplicates=[*batch.columns.line])) as running:
        answer = running.post(GOOD * 2)
    assert (answer.status, answer.body["duplicates"], answer.body["accepted"]) == (200, 2, 0)


METHODS = {
    ("GET", "/api/v1/events"): {"POST"},
    ("DELETE", "/api/v1/truths"): {"POST"},
    ("POST", "/api/v1/cost"): {"GET", "HEAD"},
}


@pytest.mark.parametrize(("method", "path"), METHODS)
def test_other_methods(running, method, path):
    """405 names those that there are."""
    answer = running.send(method, path)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == METHODS[method, path]
    assert answer.headers["content-type"] == "application/problem+json"
    assert method in answer.body["detail"]


def test_the_cost(running):
    """It is that of the snapshot; filters choose, and what is no filter is a mistake."""
    everything = running.send("GET", "/api/v1/cost").body["costs"]
    assert {cost["model"] for cost in everything} == {"eta"}
    some = running.send("GET", "/api/v1/cost?model=eta&model=x&window=5m").body["costs"]
    assert some == [cost for cost in everything if cost["window"] == "5m"]
    assert running.send("GET", "/api/v1/cost?model=x").body == {"costs": []}
    unknown = running.send("GET", "/api/v1/cost?modle=eta")
    assert (unknown.status, unknown.body["detail"]) == (
        400,
        "'modle' is unknown; must be one of model, window",
    )


def test_unknown_paths_are_problems_below_api_alone(running):
    """People see text, programs JSON."""
    assert running.send("GET", "/api/v1/x").headers["content-type"] == "application/problem+json"
    assert running.send("GET", "/x").body == b"Not Found"


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


HEAD = b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


def connected(running):
    return socket.create_connection(("127.0.0.1", running.port), timeout=20)


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


def test_answers_are_not_held_back(running):
    """Headers and body go out at once: else each answer takes 40 ms more where it is awaited."""
    from losswatch.web.server import _listen

    with _listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # by which asyncio tells
    assert running.post(GOOD).status == 200


def test_a_body_that_is_said_to_be_too_large_is_not_waited_for():
    """The answer comes before a byte of the body."""
    with service() as running, connected(running) as client:
        client.sendall(HEAD % (1 << 40))
        assert client.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_bomb_is_not_unpacked_further_than_the_limit():
    """What one stream or many hold is refused once it is too much."""
    from losswatch.web.body import BodyLimits, RefusedBodyError, gunzip

    limits = BodyLimits(size=100_000)
    for bomb in (
        BOMB,
        gzip.compress(bytes(60_000)) * 2,
        zlib.compress(b"x", wbits=31) * 999 + BOMB,
    ):
        with pytest.raises(RefusedBodyError) as refusal:
            gunzip(bomb, limits)
        assert refusal.value.status == 413
    assert gunzip(gzip.compress(bytes(100_000)), limits) == bytes(100_000)
