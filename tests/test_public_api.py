"""The names that users import."""

import pytest

import losswatch
import losswatch.river


def test_every_public_name_exists():
    """Whatever ``__all__`` lists can be used."""
    for module in (losswatch, losswatch.river):
        assert all(getattr(module, name) is not None for name in module.__all__)


def test_dir_lists_the_public_names():
    """What is loaded late is listed all the same."""
    assert dir(losswatch) == sorted(losswatch.__all__)


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match="module 'losswatch' has no attribute 'Kost'"):
        losswatch.Kost  # noqa: B018
