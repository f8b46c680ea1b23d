"""Numbers are spelled as ``prometheus_client`` does, and parse to the same float."""

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.utils import floatToGoString

from losswatch.prometheus.spelling import spell, spell_column

EDGES = [0.0, -0.0, 999_999.9999999999, 1e6, 1e15, 9999999999999998.0, 1e16, 1.5e16, -1e7, 5e-324]
EDGES += [math.inf, -math.inf, math.nan, 1e22, 1234567.5, 100000.0, 1e300]


@given(st.one_of(st.floats(), st.floats(1e5, 1e17), st.integers(-(10**17), 10**17).map(float)))
@example(1e6)
def test_a_number_is_spelled_as_go_does(value):
    """The same text as the client's, and the same number when it is read."""
    text = spell(value)
    assert text == floatToGoString(value)
    assert math.isnan(value) or float(text) == value


@given(st.lists(st.one_of(st.floats(), st.floats(1e5, 1e17), st.sampled_from(EDGES))))
def test_a_column_is_spelled_like_its_numbers(values):
    """All at once or one by one is the same."""
    assert spell_column(np.array(values)) == [floatToGoString(value) for value in values]


@given(st.lists(st.one_of(st.integers(0, 2**53), st.integers(999_990, 1_000_010))))
def test_counts_are_spelled_as_floats(counts):
    """Whole numbers are floats on the page."""
    column = np.array(counts, dtype=np.int64)
    assert spell_column(column) == [floatToGoString(count) for count in counts]


def test_edges():
    """Where the spelling changes, and what is no number."""
    assert spell_column(np.array(EDGES)) == [floatToGoString(value) for value in EDGES]
