"""The server of this process is started once, and never stops a model."""

import logging

import pytest

import losswatch
from losswatch.errors import ListenError
from losswatch.service.address import split_address
from losswatch.service.live import serve_live


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
    """Host and port, also of IPv6 and without a host."""
    assert split_address("[::1]:9") == ("::1", 9)
    assert split_address(":9") == ("127.0.0.1", 9)


def test_a_port_that_is_none_is_a_listen_error():
    """A port beyond 65535 is refused like one in use."""
    with pytest.raises(ListenError, match="99999"):
        losswatch.serve(losswatch.Monitor("m"), port=99_999)
