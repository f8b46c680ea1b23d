"""The server of this process is started once, and never stops a model."""

import logging
import os
import signal

import pytest

import losswatch
from losswatch.errors import ListenError
from losswatch.service.address import split_address
from losswatch.service.live import live_monitor, live_snapshot, serve_live


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999"])
def test_a_wrong_address_is_logged_once(listen, caplog):
    """What cannot be listened on is a warning with a remedy, and an error where that is wanted."""
    with caplog.at_level(logging.WARNING):
        assert serve_live(listen) is None
        assert serve_live(listen) is None
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("the cost is not served: cannot listen on ")
    with pytest.raises(ListenError):
        serve_live(listen, required=True)


def test_an_address_is_served_once():
    """Asking again returns the same server."""
    server = serve_live("localhost:0")
    assert server is not None
    assert serve_live("localhost:0") is server
    server.stop()


def test_addresses_split():
    """Host and port, also of IPv6; without a host it is not clear which is meant."""
    assert split_address("[::1]:9") == ("::1", 9)
    with pytest.raises(ListenError):
        split_address(":9")


def test_a_port_that_is_none_is_a_listen_error():
    """A port beyond 65535 is refused like one in use."""
    with pytest.raises(ListenError, match="99999"):
        losswatch.serve(losswatch.Monitor("m"), port=99_999)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_forked_child_starts_anew():
    """Its page has none of its parent's events, and a lock held while forking is free."""
    monitor = live_monitor("forked", lambda: losswatch.Monitor("forked"))
    monitor.update(1.0, 3.0)
    with monitor._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(10)  # a lock that is not free must fail the test, not hang it
            mine = live_monitor("forked", lambda: losswatch.Monitor("forked"))
            mine.update(1.0, 2.0)
            events = live_snapshot().events
            os._exit(0 if events == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert monitor.snapshot().pooled.n == 1
