"""What is told beside alarms: a lower bound of the MSE, how long errors remember each other."""

import math

import numpy as np
import pytest

from losswatch.core.alarms.bound import LowerBound
from losswatch.core.alarms.correlation import Correlation
from losswatch.core.tree import Node

STREAMS = {
    "gauss": lambda rng, n: rng.normal(0, 1, n),
    "t3": lambda rng, n: rng.standard_t(3, n) / math.sqrt(3),
    "lognormal": lambda rng, n: np.exp(rng.normal(0, 1, n)) / math.exp(1.0),
}


def bounds(error, every: int = 100) -> list[float]:
    bound, seen = LowerBound(), []
    for start in range(0, error.size, every):
        part = error[start : start + every]
        bound.add(part * part, None, np.zeros(part.size))
        seen.append(bound.mse)
    return seen


@pytest.mark.parametrize("name", STREAMS)
def test_the_mse_is_never_below_its_bound(name):
    """At all looks of 200 streams at once: at most 5 % of them are wrong at any look."""
    wrong = sum(
        max(bounds(STREAMS[name](np.random.default_rng(seed), 10_000))[1:]) > 1.0
        for seed in range(200)
    )
    assert wrong <= 10


def test_the_bound_comes_near():
    """After 100,000 Gaussian errors it is within 5 % of the MSE, and it follows a growth."""
    rng = np.random.default_rng(1)
    seen = bounds(rng.normal(0, 1, 100_000), 1000)
    assert 0.95 < seen[-1] < 1.0
    grown = bounds(np.append(rng.normal(0, 1, 10_000), rng.normal(0, 10, 90_000)), 1000)
    assert 80.0 < grown[-1] < 90.1


def test_one_outlier_does_not_make_the_bound_wrong():
    """It is cut: the bound stays below what the others show, and recovers."""
    rng = np.random.default_rng(2)
    error = rng.normal(0, 1, 100_000)
    error[50_000] = 1e150
    seen = bounds(error, 1000)
    assert all(0.0 <= bound < 2.0 for bound in seen[1:])


@pytest.mark.parametrize("error", [0.0, 1e-200])
def test_without_a_scale_there_is_no_bound(error):
    """Losses of 0 tell no scale: there is none yet, not 0."""
    assert all(math.isnan(bound) for bound in bounds(np.full(1000, error)))


def remembered(memory: float, n: int = 100_000) -> float:
    from itertools import accumulate

    noise = np.random.default_rng(5).normal(0, 1, n).tolist()
    error = np.fromiter(accumulate(noise, lambda x, e: memory * x + e), float, n)
    correlation, seen = Correlation(), []
    for start in range(0, n, 5000):
        part = error[start : start + 5000]
        correlation.add(part, np.zeros(part.size))
        seen.append(correlation.events)
    return float(np.mean(seen))


@pytest.mark.parametrize(
    ("memory", "least", "most"), [(0.0, 0.8, 1.2), (0.5, 1.1, 1.8), (0.9, 5, 9)]
)
def test_memory_is_measured(memory, least, most):
    """As in the published measurements: iid 0.8 to 1.3, AR 0.5 1.2 to 1.6, AR 0.9 some 6.5."""
    assert least < remembered(memory) < most


def test_memory_is_not_known_before_it_was_measured():
    """Less than 5,000 events, or errors that are all alike: not known, not 0."""
    correlation = Correlation()
    correlation.add(np.random.default_rng(0).normal(0, 1, 4999), np.zeros(4999))
    assert math.isnan(correlation.events)
    correlation = Correlation()
    correlation.add(np.full(10_000, 3.0), np.zeros(10_000))
    assert math.isnan(correlation.events)


@pytest.mark.parametrize("kind", ["bound", "memory"])
def test_batches_and_restarts_do_not_matter(kind):
    """Every bit is the same, whatever the batches, also over a restart."""
    error = np.random.default_rng(3).standard_t(3, 12_345)
    shown = []
    for size in (12_345, 7, 1000):
        one = LowerBound() if kind == "bound" else Correlation()
        for start in range(0, error.size, size):
            part = error[start : start + size]
            clock = np.zeros(part.size)
            if kind == "bound":
                one.add(part * part, None, clock)
            else:
                one.add(part, clock)
            if start // size % 50 == 9:
                state, one = one.dump(), type(one)()
                one.load(Node(state))
        shown.append(one.mse if kind == "bound" else one.events)
    assert shown[0] == shown[1] == shown[2]
    assert not math.isnan(shown[0])
