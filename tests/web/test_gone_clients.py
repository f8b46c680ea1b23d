"""Clients that go away or speak no HTTP: nothing of them stays, and the log is not full of them."""

from __future__ import annotations

import gc
import socket
import struct
from contextlib import ExitStack

import pytest
from certificates import client, connect
from paging import HEAD, connections, is_over, plain, serving
from servers import fetch, wait_for

from losswatch.web.connection import Connection


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_reset_leaves_nothing_behind(secure, authority, certificates):
    """Who resets a connection that was to be kept takes all memory of it along."""
    options = {"certificates": certificates} if secure else {}
    before = set(map(id, lasting()))
    with serving(**options) as (server, _):
        for _ in range(5):
            with connect(server.port, client(authority)) if secure else plain(server) as rude:
                rude.sendall(HEAD + b"\r\n")
                assert rude.recv(1000).startswith(b"HTTP/1.1 200")
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_for(lambda: not connections(server), about="for the end of all")
        wait_for(lambda: set(map(id, lasting())) <= before, about="for the memory")


def lasting() -> list[Connection]:
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is Connection]


@pytest.mark.parametrize(
    ("path", "begun"), [(b"/metrics?name[]=%d", 1), (b"/api/v1/cost?model=%d", 40)]
)
def test_for_who_is_gone_no_page_is_made(path, begun):
    """Pages that nobody waits for any more are in nobody's way; those begun come to an end."""
    with serving() as (server, pages):
        pages.go.clear()
        tasks = server._server.server_state.tasks
        with ExitStack() as stack:
            for number in range(60):
                connection = stack.enter_context(plain(server))
                connection.sendall(b"GET " + path % number + b" HTTP/1.1\r\nhost: a\r\n\r\n")
            wait_for(lambda: pages.asked == begun and len(tasks) == 60, about="for all")
        wait_for(lambda: not connections(server), about="for the end of all")
        pages.go.set()
        wait_for(lambda: not tasks, about="for those that began")
        assert pages.asked == begun
        assert fetch(server.url + "metrics")[0] == 200


BAD_CHUNK = b"POST %s HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
BAD_CHUNK += b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("path", [b"/nope", b"/api/v1/alarms/acknowledge", b"/api/v1/cost"])
def test_what_is_no_http_fills_no_log(path, secure, authority, certificates, caplog):
    """A line of the log for many such clients, and no traceback, whenever it comes."""
    options = {"certificates": certificates} if secure else {}
    with serving(**options) as (server, _):
        for _ in range(5):
            with connect(server.port, client(authority)) if secure else plain(server) as bad:
                bad.sendall(BAD_CHUNK % path)
                if path == b"/nope":
                    assert bad.recv(1000).startswith(b"HTTP/1.1 404")
                bad.sendall(b"no chunk\r\n")
                while not is_over(bad):
                    pass
        wait_for(lambda: not server._server.server_state.tasks, about="for the end of all")
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "was refused: what it sent is no HTTP" in told[0]


def test_the_rest_of_many_is_told_once(monkeypatch, caplog):
    """Also where no other one comes after them."""
    monkeypatch.setattr("losswatch.web.clients._TELL_SECONDS", 1.5)
    with serving(seconds=0.4) as (server, _):
        for _ in range(5):
            with plain(server) as bad:
                bad.sendall(b"no HTTP\r\n\r\n")
                while not is_over(bad):
                    pass
        wait_for(lambda: "so were 4 more clients" in caplog.text)
    assert len(caplog.records) == 2
