"""``/metrics`` in applications of others, by WSGI and ASGI, of this process and of an owner."""

import asyncio
import gzip
import random
import threading

import pytest
from working import Owner

import losswatch
import losswatch.asgi
import losswatch.wsgi
from losswatch.codec.frames import LARGEST_FRAME
from losswatch.core.monitors import Monitors

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def by_wsgi(shown, method="GET", query="", **headers):
    told = []
    environ = {"REQUEST_METHOD": method, "QUERY_STRING": query}
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    body = losswatch.wsgi.metrics_app(shown)(environ, lambda *start: told.extend(start))
    return int(told[0].split()[0]), dict(told[1]), b"".join(body)


def by_asgi(shown, method="GET", query="", **headers):
    sent = []

    async def send(message):
        sent.append(message)

    raw = [(n.replace("_", "-").encode(), value.encode()) for n, value in headers.items()]
    scope = {"type": "http", "method": method, "query_string": query.encode(), "headers": raw}
    asyncio.run(losswatch.asgi.metrics_app(shown)(scope, None, send))
    start, body = sent
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], told, body["body"]


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def ask(request):
    return request.param


@pytest.fixture
def monitor():
    monitor = losswatch.Monitor("eta")
    monitor.update(10, 12)
    return monitor


@pytest.mark.parametrize("collect", [lambda m: m, lambda m: [m], lambda m: Monitors([m])])
def test_monitors_of_this_process_are_shown(ask, monitor, collect):
    """One, several, or a collection."""
    status, headers, body = ask(collect(monitor))
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert int(headers["content-length"]) == len(body)
    assert b'losswatch_mse{model="eta",window="lifetime"} 4.0\n' in body


def test_the_scraper_chooses_format_packing_and_names(ask, monitor):
    """As at an address of losswatch itself."""
    status, headers, body = ask(monitor, accept=OPENMETRICS, accept_encoding="br, gzip;q=0.5")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert gzip.decompress(body).endswith(b"# EOF\n")
    for refused in ("", "br", "gzip;q=0", "br, gzip; q=0.0"):
        assert "content-encoding" not in ask(monitor, accept_encoding=refused)[1]
    named = ask(monitor, query="name[]=losswatch_mse&name%5B%5D=losswatch_mae")[2].decode()
    assert {line.split("{")[0] for line in named.splitlines() if line[0] != "#"} == {
        "losswatch_mse",
        "losswatch_mae",
    }


def test_head_has_no_body_and_others_are_refused(ask, monitor):
    """HEAD tells how long the page is; what changes things is not allowed."""
    status, headers, body = ask(monitor, "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 1000
    status, headers, _ = ask(monitor, "POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_the_owner_is_shown_or_why_not(ask, tmp_path, monkeypatch):
    """Its page goes through with its type; while it is away, or not ready, it is 503."""
    monkeypatch.chdir(tmp_path)
    with losswatch.connect("s", "eta") as connection:
        status, _, body = ask(connection)
        assert status == 503
        assert b"`losswatch run` with this socket must run\n" in body
        owner = Owner(tmp_path / "s")
        assert b"the owner is not ready yet" in ask(connection)[2]
        owner.source.page = lambda accept, names: (f"{accept} {names}".encode(), "text/x")
        assert ask(connection, accept="a/b", query="name[]=c")[::2] == (200, b"a/b ['c']")
        owner.close()


@pytest.mark.parametrize("more", [-8, -7, -6, 0, LARGEST_FRAME + 5])
def test_a_page_of_any_length_comes_whole(ask, tmp_path, monkeypatch, more):
    """One that fills frames to their end, too."""
    monkeypatch.chdir(tmp_path)
    page = random.Random(1).randbytes(LARGEST_FRAME + more)
    with losswatch.connect("s", "eta") as connection:
        owner = Owner(tmp_path / "s")
        owner.source.page = lambda *_: (page, "text/x")
        status, headers, body = ask(connection)
        owner.close()
    assert (status, headers["content-type"]) == (200, "text/x")
    assert body == page


def test_the_event_loop_goes_on_while_a_page_is_made():
    """A page that waits for the loop to do something else is answered."""
    gone_on = threading.Event()

    class Slow(losswatch.Monitor):
        def snapshot(self, now=None):
            assert gone_on.wait(10)
            return super().snapshot(now)

    async def both():
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "headers": []}
        page = asyncio.ensure_future(losswatch.asgi.metrics_app(Slow("eta"))(scope, None, send))
        await asyncio.sleep(0.05)
        gone_on.set()
        await page
        return sent

    assert b"losswatch_collector_success 1.0" in asyncio.run(both())[1]["body"]


def test_what_is_no_http_is_refused(monitor):
    """A web socket cannot be scraped."""
    with pytest.raises(RuntimeError, match="speaks http and not websocket"):
        asyncio.run(losswatch.asgi.metrics_app(monitor)({"type": "websocket"}, None, None))
