"""A worker and its owner, in one process."""

import pytest
from working import Hand, Owner

import losswatch


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A path that is short, whatever the folder of the test is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path.joinpath("s").relative_to(tmp_path)


@pytest.fixture
def connection(path):
    connection = losswatch.connect(path, "eta")
    yield connection
    connection.close(timeout=0.0)


@pytest.fixture
def owner(path):
    """An owner that commits all that comes."""
    owner = Owner(path)
    with owner.serving():
        yield owner
    owner.close()


@pytest.fixture(autouse=True)
def _no_hand_is_left():
    yield
    while Hand.opened:
        Hand.opened.pop().close()
