"""Scrapes are answered in time, one page at a time, and none with old numbers."""

import gzip
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from servers import fetch, wait_for

from losswatch.core.monitors import Monitors
from losswatch.errors import OutOfTimeError
from losswatch.web.app import make_app
from losswatch.web.scrapes import timeout_of
from losswatch.web.server import WebServer

SCRAPERS = 60
"""More than there are worker threads."""


class Pages:
    """Makes pages that tell when they were begun, while ``go`` is set."""

    def __init__(self):
        self.asked = []
        self.busy = self.most = 0
        self.go = threading.Event()
        self.go.set()

    def render(self, accept, names, deadline=None):
        began = time.monotonic()
        self.busy += 1
        self.most = max(self.most, self.busy)
        self.asked.append((accept, sorted(names), deadline))
        try:
            while deadline is None or time.monotonic() < deadline:
                if self.go.wait(0.01):
                    break
            else:
                raise OutOfTimeError
        finally:
            self.busy -= 1
        if "broken" in names:
            raise RuntimeError("the disk is on fire")
        return f"{began!r}\n".encode(), "text/plain"


@contextmanager
def serving(pages):
    app = make_app(pages.render, Monitors().snapshot, lambda: True, lambda *_: 0)
    with WebServer(app, "127.0.0.1", 0) as server:
        try:
            yield server.url
        finally:
            pages.go.set()


def scrape(url, query="", **headers):
    """Return when it was asked, the status and the body."""
    asked = time.monotonic()
    status, _, body = fetch(f"{url}metrics{query}", **headers)
    return asked, status, body


def test_a_crowd_shares_pages_and_none_is_old():
    """While one page is made all others wait for the next; each was begun after its request."""
    pages = Pages()
    pages.go.clear()
    with serving(pages) as url, ThreadPoolExecutor(SCRAPERS) as pool:
        first = pool.submit(scrape, url)
        wait_for(lambda: pages.asked)
        others = [pool.submit(scrape, url) for _ in range(SCRAPERS - 1)]
        time.sleep(0.5)  # most have asked by now
        assert len(pages.asked) == 1
        assert fetch(url + "-/healthy")[0] == 200  # no thread is taken by those who wait
        pages.go.set()
        answers = [each.result() for each in (first, *others)]
    assert all(status == 200 and float(body) >= asked for asked, status, body in answers)
    assert len(pages.asked) < SCRAPERS / 4
    assert pages.most == 1


def test_different_pages_are_made_one_after_another():
    """Formats and names are not mixed up, and nothing is made twice at a time."""
    pages = Pages()
    pages.go.clear()
    with serving(pages) as url, ThreadPoolExecutor(8) as pool:
        asks = [(f"?name[]={name}", {"Accept": accept}) for name in "ab" for accept in ("x", "y")]
        found = [pool.submit(scrape, url, query, **more) for query, more in asks * 2]
        time.sleep(0.3)
        pages.go.set()
        assert {each.result()[1] for each in found} == {200}
    wanted = {(accept, (name,)) for name in "ab" for accept in "xy"}
    assert {(accept, tuple(names)) for accept, names, _ in pages.asked} == wanted
    assert pages.most == 1


def test_a_scrape_that_cannot_be_in_time_is_told_so(caplog):
    """503 before the timeout, with the reason; the next scrape is answered."""
    pages = Pages()
    pages.go.clear()
    with serving(pages) as url:
        with caplog.at_level(logging.WARNING):
            _, status, body = scrape(url, **{"X-Prometheus-Scrape-Timeout-Seconds": "0.8"})
        assert status == 503  # while the page is being made still
        assert b"within 0.8 s" in body
        assert "timeout of 0.8 s" in caplog.text
        wait_for(lambda: not pages.busy, about="for the late page to be given up")
        pages.go.set()
        assert scrape(url, **{"X-Prometheus-Scrape-Timeout-Seconds": "10"})[1] == 200
    assert pages.asked[0][2] is not None


def test_who_waits_longer_gets_the_page():
    """A page that two wait for is not given up for the one with less patience."""
    pages = Pages()
    pages.go.clear()
    with serving(pages) as url, ThreadPoolExecutor(3) as pool:
        pool.submit(scrape, url)
        wait_for(lambda: pages.asked)
        hasty = pool.submit(scrape, url, **{"X-Prometheus-Scrape-Timeout-Seconds": "0.5"})
        patient = pool.submit(scrape, url, **{"X-Prometheus-Scrape-Timeout-Seconds": "60"})
        assert hasty.result()[1] == 503
        pages.go.set()
        assert patient.result()[1] == 200


def test_nobody_waits_no_page():
    """A page whose scrapers have all gone is not begun."""
    pages = Pages()
    pages.go.clear()
    with serving(pages) as url, ThreadPoolExecutor(2) as pool:
        first = pool.submit(scrape, url)
        wait_for(lambda: pages.asked)
        late = {"X-Prometheus-Scrape-Timeout-Seconds": "0.3"}
        assert scrape(url, "?name[]=a", **late)[1] == 503
        pages.go.set()
        assert first.result()[1] == 200
        assert scrape(url)[1] == 200
    assert [names for _, names, _ in pages.asked] == [[], []]


def test_a_page_that_fails_is_an_error_for_those_who_asked():
    """500, and the next one is made."""
    pages = Pages()
    with serving(pages) as url:
        assert scrape(url, "?name[]=broken")[1] == 500
        assert scrape(url)[1] == 200


def test_it_is_zipped_where_that_is_asked_for():
    """The same page, zipped once; caches are told that it depends."""
    with serving(Pages()) as url:
        status, headers, body = fetch(url + "metrics", **{"Accept-Encoding": "deflate, gzip"})
        assert (status, headers["content-encoding"]) == (200, "gzip")
        assert headers["vary"] == "Accept, Accept-Encoding"
        assert int(headers["content-length"]) == len(body)
        assert float(gzip.decompress(body)) > 0
        for other in ("identity", "gzip;q=0", "gzip; q=0.000, identity", "*;q=0.1", ""):
            _, headers, body = fetch(url + "metrics", **{"Accept-Encoding": other})
            assert "content-encoding" not in headers
            assert float(body) > 0
        for same in ("GZIP", "gzip;q=0.001", "br;q=1, gzip ; q=0.8"):
            assert fetch(url + "metrics", **{"Accept-Encoding": same})[1]["content-encoding"]


@pytest.mark.parametrize("told", ["", "soon", "nan", "inf", "-1", "0", "1e400"])
def test_a_timeout_that_makes_no_sense_is_none(told):
    """What is no number above 0 does not make a scrape fail."""
    assert timeout_of({"x-prometheus-scrape-timeout-seconds": told}) == float("inf")
    with serving(Pages()) as url:
        assert scrape(url, **{"X-Prometheus-Scrape-Timeout-Seconds": told})[1] == 200
