"""Losses fall into the right buckets and their sum is exact."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.core.histogram import LossHistogram

losses = st.lists(st.floats(0, 1e300), max_size=600)


@given(losses)
def test_counts_are_cumulative_and_the_sum_is_exact(values):
    """Each bucket counts what is at most its bound; the sum rounds once."""
    bounds = (0.0, 1e-3, 1.0, 1e10)
    histogram = LossHistogram(bounds)
    for value in values:
        histogram.update(value)
    snapshot = histogram.snapshot()
    assert snapshot.counts == tuple(sum(value <= bound for value in values) for bound in bounds)
    assert snapshot.count == len(values)
    assert snapshot.sum == float(sum(map(Fraction, values), Fraction(0)))


@given(losses)
def test_the_sum_never_falls(values):
    """Read after every loss, the sum only grows: no phantom counter reset."""
    histogram = LossHistogram()
    last = 0.0
    for value in values[:60]:
        histogram.update(value)
        total = histogram.snapshot().sum
        assert total >= last
        last = total


@pytest.mark.parametrize(
    "bounds", [(2.0, 1.0), (1.0, 1.0), (math.nan,), (math.inf,), (-math.inf,), (-1.0, 1.0)], ids=str
)
def test_bad_bounds_are_refused(bounds):
    """Bounds must be finite, increasing, and not below 0."""
    with pytest.raises(ValueError, match="must be finite, increasing, and not below 0"):
        LossHistogram(bounds)
