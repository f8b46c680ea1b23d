"""Clients that do not get on: they are cut, and meanwhile harm nobody."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import pytest
from certificates import ask, client, connect
from paging import HEAD, PAGE, connections, is_over, plain, received, serving
from posting import GOOD
from posting import service as posting
from servers import wait_for


def test_fifty_silent_connections_of_tls_hold_up_nobody(authority, certificates):
    """Scrapes over TLS are answered beside clients that never shake hands; those are cut."""
    context = client(authority)
    with serving(certificates=certificates, seconds=2.0) as (server, _), ExitStack() as stack:
        silent = [stack.enter_context(plain(server)) for _ in range(50)]
        for connection in silent[:25]:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a handshake
        for _ in range(5):
            with connect(server.port, context) as connection:
                assert ask(connection).endswith(b"ok")
        assert all(map(is_over, silent))
        with connect(server.port, context) as connection:
            assert ask(connection).endswith(b"ok")


def test_silent_connections_hold_up_no_events():
    """Events are taken and answered while others connect and say nothing."""
    with posting() as running, ExitStack() as stack:
        for _ in range(150):  # of the first sketch 130 were enough
            stack.enter_context(plain(running))
        for _ in range(5):
            assert running.post(GOOD).status == 200
            assert running.send("GET", "/metrics").status == 200


SLOW = {
    "nothing": (b"", b""),
    "half a head": (HEAD, b""),
    "a head, a line now and then": (HEAD, b"a: b\r\n"),
    "a line feed now and then": (b"", b"\r\n"),
}


@pytest.mark.parametrize(("first", "again"), SLOW.values(), ids=SLOW)
def test_who_sends_no_head_is_cut(first, again):
    """A request that does not begin ends, however often something comes."""
    with serving(seconds=0.5) as (server, pages), plain(server) as connection:
        connection.sendall(first)
        connection.settimeout(0.2)
        for _ in range(100):
            try:
                if connection.recv(100) == b"":
                    break
            except TimeoutError:
                connection.sendall(again)
            except ConnectionError:
                break
        else:
            pytest.fail("it was never cut")
        assert not pages.asked


def test_who_goes_on_after_an_answer_is_cut():
    """A body that nobody waits for, and half of a second head, have an end too."""
    with serving(seconds=0.5) as (server, _):
        for rest in (
            b"POST /-/healthy HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\nhalf",
            HEAD + b"\r\n" + HEAD,
        ):
            with plain(server) as connection:
                connection.sendall(rest)
                assert connection.recv(1000).startswith(b"HTTP/1.1")
                if rest.startswith(b"GET"):
                    connection.sendall(b"a: b\r\n")
                while not is_over(connection):
                    pass


def test_between_two_scrapes_a_client_may_be_silent():
    """A connection that is kept is not cut as one that never says anything."""
    with serving(seconds=0.2) as (server, _), plain(server) as kept:
        for _ in range(3):
            kept.sendall(HEAD + b"\r\n")
            answer = b""
            while not answer.endswith(b"ok"):
                answer += kept.recv(1000)
            with plain(server) as silent:
                assert is_over(silent)


def test_a_slow_page_is_not_a_slow_client():
    """Who waits for an answer longer than that is not cut."""
    with serving(seconds=0.2) as (server, pages), plain(server) as connection:
        pages.go.clear()
        connection.sendall(HEAD + b"\r\n")
        with plain(server) as silent:
            assert is_over(silent)
        with plain(server) as silent:
            assert is_over(silent)
        pages.go.set()
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_who_does_not_read_is_cut(secure, authority, certificates):
    """A large page waits for its reader only so long; others read it meanwhile."""
    options = {"certificates": certificates} if secure else {}
    large = b"GET /metrics?name[]=a HTTP/1.1\r\nhost: a\r\n"
    with serving(seconds=1.0, **options) as (server, _):

        def opened() -> socket.socket:
            return connect(server.port, client(authority)) if secure else plain(server)

        with opened() as slow, opened() as good:
            slow.sendall(large + b"\r\n")
            assert slow.recv(1000).startswith(b"HTTP/1.1 200")
            good.sendall(large + b"connection: close\r\n\r\n")
            assert received(good) > len(PAGE)
            wait_for(lambda: not connections(server), about="for the end of the slow one")
            assert received(slow) < len(PAGE)


def test_who_reads_slowly_but_reads_is_not_cut():
    """A page that takes longer than a client may be silent comes whole, if it moves."""
    with serving(seconds=0.4) as (server, _), plain(server) as connection:
        connection.sendall(
            b"GET /metrics?name[]=a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        )
        count = 0
        for _ in range(20):
            time.sleep(0.1)
            for _ in range(16):
                count += len(connection.recv(1 << 16))
        assert count + received(connection) > len(PAGE)
