"""Clients that do not get on: they are cut, and meanwhile harm nobody."""

from __future__ import annotations

import gc
import socket
import struct
import threading
from contextlib import ExitStack, contextmanager

import pytest
from certificates import Authority, ask, client, connect
from posting import GOOD
from posting import service as posting
from servers import fetch, wait_for

import losswatch
from losswatch.core.monitors import Monitors, MonitorsSnapshot
from losswatch.web import clients as clients_module
from losswatch.web.app import make_app
from losswatch.web.connection import Connection
from losswatch.web.doors import Doors
from losswatch.web.server import WebServer
from losswatch.web.tls import Certificates, TlsSettings

PAGE = b"x" * (32 << 20)
HEAD = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def certificates(authority):
    return Certificates(TlsSettings(*authority.sign("server", "DNS:localhost")))


class Pages:
    """A page that may be held up, and is large if asked for."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.asked = 0

    def render(self, _: str, names: list[str], deadline: float) -> tuple[bytes, str]:
        del deadline
        self.asked += 1
        self.go.wait(20)
        return (PAGE if names else b"ok"), "text/plain"


@contextmanager
def serving(**doors):
    """Serve a page; yield the server and the page."""
    monitors, pages = Monitors([losswatch.Monitor("eta")]), Pages()

    def read() -> MonitorsSnapshot:
        pages.asked += 1
        pages.go.wait(20)
        return monitors.snapshot()

    app = make_app(pages.render, read, lambda: True, monitors.acknowledge)
    with WebServer(app, "127.0.0.1", 0, Doors(**doors)) as server:
        try:
            yield server, pages
        finally:
            pages.go.set()


def plain(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def is_over(connection: socket.socket) -> bool:
    """Wait until the server ends a connection; tell whether it sent nothing before."""
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


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


def connections(server) -> int:
    return len(server._server.server_state.connections)


def received(connection: socket.socket) -> int:
    count = 0
    try:
        while data := connection.recv(1 << 16):
            count += len(data)
    except OSError:
        pass
    return count


def test_who_reads_slowly_but_reads_is_not_cut():
    """A page that takes longer than a client may be silent comes whole, if it moves."""
    import time

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
