"""The server answers what it should, and stops when told."""

import gzip
import socket
import threading

import pytest
from servers import fetch

import losswatch
from losswatch.core.monitors import Monitors
from losswatch.errors import ListenError


@pytest.fixture
def monitor():
    monitor = losswatch.Monitor("eta <b>", unit="min & s")
    monitor.update(10, 12)
    return monitor


@pytest.fixture
def url(monitor):
    with losswatch.serve(monitor, port=0) as server:
        yield server.url


@pytest.mark.parametrize(
    ("path", "status", "start"),
    [
        ("metrics", 200, b"# HELP losswatch_l2_loss"),
        ("-/healthy", 200, b"losswatch is healthy."),
        ("-/ready", 200, b"losswatch is ready."),
        ("", 200, b"<!doctype html>"),
        ("nope", 404, b"there is no such path"),
        ("metrics/x", 404, b"there is no such path"),
        ("-/reload", 404, b"there is no such path"),
    ],
)
def test_paths(url, path, status, start):
    """Each path has its page and every other is 404."""
    found, headers, body = fetch(url + path)
    assert (found, body[: len(start)]) == (status, start)
    assert "server" not in headers


def test_who_sends_events_where_none_are_taken_is_told_why(url):
    """Without an http source that is a path like any other that is not there."""
    status, _, body = fetch(url + "api/v1/events")
    assert (status, b"that needs an http source in the config" in body) == (404, True)


def test_head_and_other_methods(url):
    """HEAD is GET without the body; what changes things is not allowed."""
    import urllib.error
    import urllib.request

    with urllib.request.urlopen(urllib.request.Request(url + "metrics", method="HEAD")) as answer:
        assert (answer.status, answer.read()) == (200, b"")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(urllib.request.Request(url + "metrics", data=b"x"))
    refusal.value.close()
    assert refusal.value.code == 405


def test_gzip_and_openmetrics_are_negotiated(url):
    """The scraper's headers decide about compression and format."""
    _, headers, body = fetch(url + "metrics", **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body).startswith(b"# HELP losswatch_l2_loss")
    _, headers, body = fetch(url + "metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    _, headers, _ = fetch(url + "metrics")
    assert headers["content-type"].startswith("text/plain; version=")


def test_names_are_passed_on(url):
    """``name[]`` leaves only the samples asked for."""
    _, _, body = fetch(url + "metrics?name[]=losswatch_mse")
    assert body.decode().splitlines()[-1] == 'losswatch_mse{model="eta <b>",window="lifetime"} 4.0'
    assert len(body.splitlines()) == 3


def test_the_landing_page_shows_the_cost_and_escapes_names(url):
    """The page links /metrics and shows each model's numbers; a name is no markup."""
    page = fetch(url)[2].decode()
    assert 'href="metrics"' in page
    assert "<h2>eta &lt;b&gt; <small>(min &amp; s)</small></h2>" in page
    assert "<td>lifetime</td><td>1</td><td>4</td><td>2</td><td>2</td><td>-2</td>" in page
    assert "<b>" not in page


def test_not_ready_is_503():
    """The readiness probe fails while no events are taken; health does not."""
    with losswatch.serve(losswatch.Monitor("m"), port=0, ready=lambda: False) as server:
        assert fetch(server.url + "-/ready")[0] == 503
        assert fetch(server.url + "-/healthy")[0] == 200
        assert b"no events yet" in fetch(server.url)[2]


def test_an_address_in_use_is_an_error_with_a_remedy():
    """Two servers cannot share a port; the message says which and what to do."""
    with (
        losswatch.serve(losswatch.Monitor("m"), port=0) as server,
        pytest.raises(ListenError, match=f"127.0.0.1:{server.port}: .*choose another port"),
    ):
        losswatch.serve(losswatch.Monitor("m"), port=server.port)


def test_an_address_of_another_machine_is_an_error_with_a_remedy():
    """No other port would help."""
    with pytest.raises(ListenError, match="name an address of this machine"):
        losswatch.serve(losswatch.Monitor("m"), host="192.0.2.1", port=0)


def test_stopping_frees_the_port_and_the_thread():
    """After stop nothing listens and no thread is left; stopping twice is fine."""
    before = threading.active_count()
    server = losswatch.serve(Monitors(), port=0)
    fetch(server.url + "metrics")
    server.stop()
    server.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
    assert threading.active_count() <= before + 1  # a worker of the pool may idle on


def test_ipv6_where_there_is_one():
    """An IPv6 address is listened on and written with brackets."""
    try:
        server = losswatch.serve(losswatch.Monitor("m"), host="::1", port=0)
    except ListenError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert server.url == f"http://[::1]:{server.port}/"
        assert fetch(server.url + "-/healthy")[0] == 200
