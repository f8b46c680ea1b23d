"""Clients that are too many: who is silent or slow makes room, who waits is not cut."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest
from paging import HEAD, PAGE, connections, is_over, plain, serving
from posting import GOOD
from posting import service as posting
from servers import fetch, wait_for

from losswatch.web import clients as clients_module
from losswatch.web.doors import Doors


def test_unsent_answers_are_bounded_together(monkeypatch):
    """Of many slow readers only so many stay as memory is for."""
    monkeypatch.setattr(clients_module, "_MOST_UNSENT", 2 * len(PAGE) + 1000)
    with serving(seconds=30.0) as (server, _), ExitStack() as stack:
        slow = [stack.enter_context(plain(server)) for _ in range(4)]
        for connection in slow:
            connection.sendall(b"GET /metrics?name[]=a HTTP/1.1\r\nhost: a\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        wait_for(lambda: connections(server) == 2, about="for the end of two")
        assert sum(has_all(connection) for connection in slow) == 2


def has_all(connection: socket.socket) -> bool:
    """Tell whether the rest of a whole page comes."""
    count = 1000
    try:
        while count < len(PAGE) and (data := connection.recv(1 << 16)):
            count += len(data)
    except OSError:
        return False
    return count >= len(PAGE)


def test_silent_clients_make_room():
    """With all connections taken by clients that say nothing, a scrape is answered."""
    with serving(connections=8, seconds=30.0) as (server, _), ExitStack() as stack:
        silent = [stack.enter_context(plain(server)) for _ in range(8)]
        wait_for(lambda: connections(server) == 8, about="for all")
        for _ in range(3):
            assert fetch(server.url + "metrics")[0] == 200
        assert is_over(silent[0])
        silent[7].sendall(HEAD + b"\r\n")
        assert silent[7].recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", [b"/api/v1/events", b"/api/v1/alarms/acknowledge"])
def test_bodies_that_do_not_come_make_room(path):
    """Who was to send more waits for no answer: others are not refused in its favour."""
    half = b"POST " + path + b" HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    with posting() as running, ExitStack() as stack:
        running.server.doors = Doors(connections=8, seconds=30.0)
        slow = [stack.enter_context(plain(running)) for _ in range(8)]
        for connection in slow:
            connection.sendall(half + b"content-length: 99\r\n\r\n{")
        wait_for(lambda: len(running.server._server.server_state.tasks) == 8, about="for all")
        for _ in range(3):
            assert running.post(GOOD).status == 200


def test_slow_readers_make_room():
    """With all connections taken by clients that do not read, a scrape is answered."""
    with serving(connections=8, seconds=30.0) as (server, _), ExitStack() as stack:
        slow = [stack.enter_context(plain(server)) for _ in range(8)]
        for connection in slow:
            connection.sendall(HEAD.replace(b"metrics", b"metrics?name[]=a") + b"\r\n")
        for connection in slow:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        for _ in range(3):
            assert fetch(server.url + "metrics")[0] == 200


def test_with_all_at_work_a_further_one_is_refused():
    """Who is waited upon is not cut; one more is told to come back."""
    with serving(connections=8, seconds=30.0) as (server, pages), ExitStack() as stack:
        pages.go.clear()
        busy = [stack.enter_context(plain(server)) for _ in range(8)]
        for connection in busy:  # not scrapes: those share a page
            connection.sendall(HEAD.replace(b"/metrics", b"/api/v1/cost") + b"\r\n")
        wait_for(lambda: pages.asked == 8, about="for all")
        status, headers, _ = fetch(server.url + "metrics")
        assert (status, headers["retry-after"]) == (503, "1")
        server.doors = Doors(connections=9)
        with plain(server) as further:
            further.sendall(HEAD + b"\r\n")
            pages.go.set()
            assert further.recv(1000).startswith(b"HTTP/1.1 200")
        for connection in busy:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
