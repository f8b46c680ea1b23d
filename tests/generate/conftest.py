"""Series on the rules of a config that has everything."""

import pytest
from promtool import FULL, Series, rules_of


@pytest.fixture
def series():
    return Series(rules_of(FULL))
