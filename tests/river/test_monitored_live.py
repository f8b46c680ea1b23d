"""A monitored model is live at ``/metrics`` from its first event on."""

from __future__ import annotations

import itertools
import pickle
import socket
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from river import linear_model, multioutput

from losswatch.river import Monitored
from losswatch.service.live import serve_live

if TYPE_CHECKING:
    from collections.abc import Iterator

serial = itertools.count()


@pytest.fixture
def address() -> Iterator[str]:
    """Yield a free address of this machine; stop what is served there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen = f"127.0.0.1:{port}"
    yield listen
    server = serve_live(listen)
    assert server is not None
    server.stop()


def watched(listen: str, make: Any = linear_model.LinearRegression) -> Any:
    """Return a monitored model with a name of its own."""
    return Monitored(make(), name=f"live {next(serial)}", listen=listen)


def scrape(listen: str) -> list[str]:
    """Return the lines of the page."""
    with urllib.request.urlopen(f"http://{listen}/metrics", timeout=10) as page:
        return str(page.read(), "utf-8").splitlines()


def test_is_served_after_one_event(address):
    """After one event the page has the model's error under its name."""
    model = watched(address)
    model.learn_one({"a": 1.0}, 3.0)
    lines = scrape(address)
    assert f'losswatch_mse{{model="{model.name}",window="lifetime"}} 9.0' in lines
    assert f'losswatch_l2_loss_count{{model="{model.name}"}} 1.0' in lines


def test_page_counts_scored_and_refused_events(address):
    """The page follows the model, and counts by reason what was not scored."""
    model = watched(address)
    model.learn_one({"a": 0.0}, 2.0)
    model.learn_one({"a": 0.0}, float("nan"))
    lines = scrape(address)
    reason = f'{{model="{model.name}",reason="not_finite"}}'
    assert f"losswatch_rejected_events_total{reason} 1.0" in lines
    assert f'losswatch_events{{model="{model.name}",window="lifetime"}} 1.0' in lines


def test_models_share_a_page(address):
    """Two models in one process are on one page, whichever began to serve it."""
    models = watched(address), watched(address)
    for model in models:
        model.learn_one({"a": 1.0}, 3.0)
    lines = scrape(address)
    for model in models:
        assert f'losswatch_l2_loss_sum{{model="{model.name}"}} 9.0' in lines


def test_outputs_with_numbers_as_keys_are_on_the_page(address):
    """Outputs that river keys by numbers have labels like any others."""
    model = watched(
        address, lambda: multioutput.RegressorChain(linear_model.LinearRegression(), order=[0, 1])
    )
    for _ in range(2):
        model.learn_one({"a": 0.0}, {0: 1.0, 1: 2.0})
    lines = scrape(address)
    for output in (0, 1):
        count = f'losswatch_l2_loss_count{{model="{model.name}",output="{output}"}} 1.0'
        assert count in lines


def test_restored_model_is_served(address):
    """A model out of a pickle is on the page with what it scored since."""
    model = watched(address)
    restored = pickle.loads(pickle.dumps(model))
    restored.learn_one({"a": 1.0}, 2.0)
    assert f'losswatch_l2_loss_sum{{model="{model.name}"}} 4.0' in scrape(address)


def test_taken_port_is_one_warning_and_learning_goes_on(caplog):
    """Where something else listens, one warning says so, for all events and all models."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        models = [watched(listen), watched(listen)]
        for model in models * 3:
            model.learn_one({"a": 1.0}, 3.0)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("losswatch.service.live", "WARNING")
    assert listen in record.getMessage()
    assert [model.cost.n for model in models] == [3, 3]


def test_nothing_is_served_before_the_first_event():
    """A model that has learned nothing opens no port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    model = watched(f"127.0.0.1:{port}")
    model.predict_one({"a": 1.0})
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
