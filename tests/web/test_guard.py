"""Basic authentication: who gets in, and what a flood of wrong passwords costs."""

from __future__ import annotations

import base64
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import pytest
from servers import fetch, wait_for

import losswatch
from losswatch.config.model import RateLimitConfig, WebConfig
from losswatch.core.monitors import Monitors
from losswatch.service.doors import make_doors
from losswatch.web import passwords
from losswatch.web.app import make_app
from losswatch.web.doors import Doors
from losswatch.web.guard import OPEN_PATHS
from losswatch.web.passwords import Passwords
from losswatch.web.rate import Rate
from losswatch.web.server import WebServer

LONG = "x" * 100
USERS = {
    name: bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    for name, password in {"alice": "päss:word", "bob": "b", "long": LONG}.items()
}
HEADERS = ((b"x-frame-options", b"deny"),)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def looks(monkeypatch):
    """Every hash that bcrypt was asked to look at; it waits while ``go`` is not set."""

    class Looks(list):
        go = threading.Event()

    seen, real = Looks(), bcrypt.checkpw

    def counted(password, hashed):
        seen.append(hashed)
        seen.go.wait(20)
        return real(password, hashed)

    seen.go.set()
    monkeypatch.setattr(passwords.bcrypt, "checkpw", counted)
    yield seen
    seen.go.set()


@contextmanager
def serving(**more):
    monitors = Monitors([losswatch.Monitor("eta")])
    app = make_app(
        lambda *_: (b"metrics", "text/plain"), monitors.snapshot, lambda: True, monitors.acknowledge
    )
    doors = Doors(passwords=Passwords(USERS), headers=HEADERS, **more)
    with WebServer(app, "127.0.0.1", 0, doors) as server:
        yield server


def status(server, authorization: str | None = None, path: str = "metrics") -> int:
    more = {} if authorization is None else {"Authorization": authorization}
    return fetch(server.url + path, **more)[0]


@pytest.mark.parametrize(
    ("authorization", "wanted", "costs"),
    [
        (basic("alice", "päss:word"), 200, 1),
        (basic("long", LONG), 200, 1),
        (basic("bob", "b").replace("Basic", "bASIC"), 200, 1),
        (basic("alice", "wrong"), 401, 1),
        (basic("alice", ""), 401, 1),
        (basic("alice", "b"), 401, 1),
        (basic("nobody", "b"), 401, 1),
        (basic("", ""), 401, 1),
        (None, 401, 0),
        ("Basic", 401, 0),
        ("Basic !!!", 401, 0),
        ("Basic " + base64.b64encode(b"no colon").decode(), 401, 0),
        (basic("alice", "x" * 5000), 401, 0),
        ("Bearer abc", 401, 0),
    ],
)
def test_who_gets_in(looks, authorization, wanted, costs):
    """Only a user with his password; one that is not there costs as much as a wrong one."""
    with serving() as server:
        assert status(server, authorization) == wanted
        assert len(looks) == costs


def test_an_unknown_user_costs_the_dearest_hash(looks):
    """The hash that stands in has the largest cost of all, and fits nothing."""
    users = {"a": USERS["alice"], "b": bcrypt.hashpw(b"b", bcrypt.gensalt(5)).decode()}
    assert not Passwords(users).check(basic("c", "b").encode())
    assert looks[0][4:6] == b"05"


def test_every_path_but_the_probes_asks(looks):
    """Pages, the API and what is not there need a password; probes do not."""
    with serving() as server:
        for path in ("", "metrics", "api/v1/cost", "api/v1/openapi.json", "nope", "-/reload"):
            code, headers, body = fetch(server.url + path)
            assert (code, headers["x-frame-options"]) == (401, "deny")
            assert headers["www-authenticate"].startswith('Basic realm="losswatch"')
            assert b"losswatch_" not in body
        for path in OPEN_PATHS:
            code, headers, _ = fetch(server.url + path[1:])
            assert (code, headers["x-frame-options"]) == (200, "deny")
    assert not looks


def test_a_rate_has_a_burst_and_then_a_pace():
    """What nobody took in time is gone: the bucket holds no more."""
    now = [5.0]
    rate = Rate(2.0, 3, lambda: now[0])
    assert [rate.take() for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]
    now[0] = 6.5
    assert rate.take() == 0.5
    now[0] = 7.0
    assert [rate.take(), rate.take()] == [0.0, 2.0]
    now[0] = 1e6
    assert [rate.take() for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]


def test_a_reload_does_not_fill_the_bucket():
    """Unless the rate is another one."""

    def doors(burst, before=None):
        limit = RateLimitConfig(interval="1h", burst=burst)
        return make_doors(WebConfig(rate_limit=limit), Path(), before)

    first = doors(1)
    assert first.rate.take() == 0.0
    again = doors(1, first)
    assert again.rate.take() > 3000.0
    assert doors(2, again).rate.take() == 0.0
    assert make_doors(WebConfig(), Path(), again).rate is None


def test_more_requests_than_the_rate_are_told_to_come_later(looks):
    """Also those with a wrong password, before it is looked at; probes are not counted."""
    with serving(rate=Rate(3600.0, 2)) as server:
        for _ in range(3):
            assert status(server, path="-/healthy") == 200
        assert status(server, basic("alice", "wrong")) == 401
        assert status(server, basic("alice", "päss:word")) == 200
        code, headers, body = fetch(server.url + "metrics", Authorization=basic("bob", "b"))
        assert (code, headers["retry-after"], headers["x-frame-options"]) == (429, "3600", "deny")
        assert b"more requests than rate_limit" in body
        assert status(server, path="-/ready") == 200
    assert len(looks) == 2


def test_two_headers_are_refused():
    """Nobody can say whose two passwords are."""
    import http.client

    with serving() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.putrequest("GET", "/metrics")
        connection.putheader("Authorization", basic("alice", "päss:word"))
        connection.putheader("Authorization", basic("alice", "wrong"))
        connection.endheaders()
        assert connection.getresponse().status == 401
        connection.close()


def test_two_lengths_of_a_body_are_refused():
    """What a proxy before it may read in another way ends the connection: nothing is smuggled."""
    head = b"GET /-/healthy HTTP/1.1\r\nhost: a\r\n"
    both = b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    with (
        serving() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection,
    ):
        connection.sendall(head + both + head + b"\r\n")
        answer = b""
        while data := connection.recv(1000):
            answer += data
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_what_was_right_is_known_and_what_was_wrong_is_not(looks):
    """A scraper costs one bcrypt, a wrong password one each time."""
    with serving() as server:
        assert [status(server, basic("bob", "b")) for _ in range(5)] == [200] * 5
        assert len(looks) == 1
        assert [status(server, basic("bob", "c")) for _ in range(3)] == [401] * 3
        assert len(looks) == 4
        server.doors = Doors(passwords=Passwords({"bob": USERS["alice"]}))
        assert status(server, basic("bob", "b")) == 401


def test_what_is_known_ends_and_is_bounded():
    """Ten minutes after the last use a header is looked at again; few are kept."""
    now = [0.0]
    known = Passwords(USERS, lambda: now[0])
    mark = known.mark(basic("bob", "b").encode())
    assert known.check(basic("bob", "b").encode())
    for _ in range(3):
        now[0] += 599.0
        assert known.knows(mark)
    now[0] += 601.0
    assert not known.knows(mark)
    for number in range(1000):
        known.check(f"{basic('bob', 'b')}{' ' * number}".encode())
    assert len(known._known) <= 256
    assert USERS["bob"] not in repr(vars(known)["_known"])


def test_a_flood_of_wrong_passwords_is_bounded(looks):
    """While bcrypt has its hands full, who is known and who probes are answered at once."""
    with serving() as server, ThreadPoolExecutor(60) as pool:
        assert status(server, basic("bob", "b")) == 200
        looks.go.clear()
        flood = [pool.submit(status, server, basic("bob", f"wrong {i}")) for i in range(50)]
        wait_for(lambda: sum(each.done() for each in flood) == 50 - 32, about="for the refused")
        assert len(looks) == 2  # one thread
        assert status(server, basic("bob", "b")) == 200
        assert status(server, path="-/healthy") == 200
        assert status(server, basic("alice", "päss:word")) == 503
        looks.go.set()
        codes = [each.result(30) for each in flood]
        assert sorted(set(codes)) == [401, 503]
        assert codes.count(503) == 50 - 32
        assert status(server, basic("alice", "päss:word")) == 200


def test_the_same_password_is_looked_at_once_at_a_time(looks):
    """Many who come together with one password wait for one bcrypt."""
    with serving() as server, ThreadPoolExecutor(20) as pool:
        looks.go.clear()
        together = [pool.submit(status, server, basic("bob", "b")) for _ in range(20)]
        wait_for(lambda: looks, about="for the first look")
        wait_for(lambda: len(server._guard._waiting) == 1, about="for the others")
        looks.go.set()
        assert [each.result(30) for each in together] == [200] * 20
        assert len(looks) == 1
