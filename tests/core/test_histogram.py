"""Losses fall into the right buckets of each slot."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch.core.histogram import LossHistograms

losses = st.lists(st.floats(0, 1e300), max_size=600)


@given(losses)
def test_counts_are_cumulative(values):
    """Each bucket counts what is at most its bound, the last one all."""
    bounds = (0.0, 1e-3, 1.0, 1e10)
    histograms = LossHistograms(bounds, size=3)
    for start in range(0, len(values), 100):
        part = np.array(values[start : start + 100])
        histograms.add(np.full(part.size, 1), part)
    counts = histograms.cumulative(np.array([0, 1])).tolist()
    assert counts[0] == [0] * 5
    assert counts[1] == [
        *(sum(value <= bound for value in values) for bound in bounds),
        len(values),
    ]


def test_slots_are_apart_grow_and_are_forgotten():
    """Each slot has counts of its own; clearing one leaves the others."""
    histograms = LossHistograms((1.0,), size=2)
    histograms.add(np.array([0, 1, 1]), np.array([0.5, 0.5, 2.0]))
    histograms.grow(4)
    histograms.add(np.array([3]), np.array([9.0]))
    histograms.clear(np.array([1]))
    assert histograms.cumulative(np.arange(4)).tolist() == [[1, 1], [0, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize(
    "bounds", [(2.0, 1.0), (1.0, 1.0), (math.nan,), (math.inf,), (-math.inf,), (-1.0, 1.0)], ids=str
)
def test_bad_bounds_are_refused(bounds):
    """Bounds must be finite, increasing, and not below 0."""
    with pytest.raises(ValueError, match="must be finite, increasing, and not below 0"):
        LossHistograms(bounds, size=1)
