"""The windows are river's, exact, and metrics themselves: drop-in and then some."""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle
import random
import warnings
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import datasets, evaluate, linear_model, metrics, preprocessing, utils

from losswatch.core.cost import Cost
from losswatch.errors import Reason
from losswatch.river import MAE, MSE, RMSE, Bias, Rolling, TimeRolling

OURS = [MSE, RMSE, MAE, Bias]
PAIRS = [(MSE, metrics.MSE), (RMSE, metrics.RMSE), (MAE, metrics.MAE)]
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SECOND = dt.timedelta(seconds=1)

events = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), max_size=40)


def minutes(number: float) -> dt.datetime:
    """Return a moment so many minutes after the start."""
    return START + dt.timedelta(minutes=number)


def windows(metric: Any, clock: Any = None) -> list[Any]:
    """Return both kinds of window, of 3 events and of 3 minutes."""
    return [Rolling(metric, 3), TimeRolling(metric, dt.timedelta(minutes=3), clock=clock)]


def feed(window: Any, errors: list[float]) -> Any:
    """Give a window one error a minute."""
    for minute, error in enumerate(errors):
        window.update(error, 0.0, **({"t": minutes(minute)} if hasattr(window, "period") else {}))
    return window


def exact(ours: Any, errors: list[float]) -> float:
    """Return what a metric reads of these errors alone."""
    metric = ours()
    for error in errors:
        metric.update(error, 0.0)
    return metric.get()


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(stream=events, size=st.integers(1, 10))
def test_equals_river_over_events(ours, theirs, stream, size):
    """A stream without outliers has river's number after every event, but for rounding."""
    rolling, expected = Rolling(ours, window_size=size), utils.Rolling(theirs, window_size=size)
    assert rolling.get() == expected.get() == 0.0
    for y_true, y_pred in stream:
        rolling.update(y_true, y_pred)
        expected.update(y_true, y_pred)
        wanted = expected.get()
        # Where a perfect window follows, river's rounding may leave a negative mean.
        wanted = 0.0 if isinstance(wanted, complex) else wanted
        assert math.isclose(rolling.get(), wanted, rel_tol=1e-6, abs_tol=2e-5)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(stream=events, days=st.integers(1, 10))
def test_equals_river_over_time(ours, theirs, stream, days):
    """So it does over time, with naive times as river wants them, in order."""
    period = dt.timedelta(days=days)
    rolling, expected = TimeRolling(ours, period), utils.TimeRolling(theirs, period=period)
    time = dt.datetime(2024, 1, 1)  # noqa: DTZ001  # naive on purpose
    for index, (y_true, y_pred) in enumerate(stream):
        time += dt.timedelta(hours=1 + index % 30)
        for window in (rolling, expected):
            window.update(y_true=y_true, y_pred=y_pred, t=time)
        wanted = expected.get()
        wanted = 0.0 if isinstance(wanted, complex) else wanted
        assert math.isclose(rolling.get(), wanted, rel_tol=1e-6, abs_tol=2e-5)


@pytest.mark.parametrize("ours", OURS)
def test_forgets_a_spike(ours):
    """One error of up to 1e10 among small ones leaves no trace in any of 200 runs."""
    rng = random.Random(11)
    for _ in range(200):
        errors = [rng.gauss(0.0, 1.0) for _ in range(300)]
        errors[rng.randrange(200)] = 10.0 ** rng.uniform(6.0, 10.0)
        rolling = Rolling(ours, window_size=100)
        over_time = TimeRolling(ours, dt.timedelta(minutes=100))
        for window in (rolling, over_time):
            assert feed(window, errors).get() == exact(ours, errors[-100:])
            assert type(window.get()) is float


@pytest.mark.parametrize("ours", OURS)
def test_takes_a_class_or_a_metric(ours):
    """Both make an empty window of that kind; the metric keeps its events and is not warned of."""
    made = ours()
    made.update(9.0, 0.0)
    with warnings.catch_warnings(action="error"):
        for metric in (ours, made):
            for window in windows(metric):
                assert window.get() == 0.0
                assert feed(window, [5.0, 1.0, 2.0, 4.0]).get() == exact(ours, [1.0, 2.0, 4.0])
                assert repr(window) == str(window) == repr(window._inner)
                assert repr(window).startswith(f"{ours.__name__}: ")
    assert made.get() == exact(ours, [9.0])


@pytest.mark.parametrize("metric", [metrics.MSE, metrics.R2(), Cost, None, "RMSE"])
def test_takes_no_other_metric(metric):
    """What is none of ours is sent to river's own window."""
    with pytest.raises(TypeError, match=r"^Rolling got .*: use river\.utils\.Rolling for others$"):
        Rolling(metric, window_size=3)
    with pytest.raises(TypeError, match=r"use river\.utils\.TimeRolling for others$"):
        TimeRolling(metric, period=SECOND)


def test_wrong_arguments_are_refused():
    """What no window can be made of is named."""
    with pytest.raises(ValueError, match="window_size is 0"):
        Rolling(MSE, 0)
    with pytest.raises(TypeError, match=r"period is 5; must be a datetime\.timedelta"):
        TimeRolling(MSE, 5)
    with pytest.raises(ValueError, match="must be more than 0"):
        TimeRolling(MSE, dt.timedelta(0))
    with pytest.raises(TypeError, match="made already, and ddof; give it the class"):
        Rolling(MSE(), 3, ddof=0)


@pytest.mark.parametrize("ours", OURS)
def test_is_a_metric_of_river(ours):
    """It is added to others, weights reach it, and a clone of all is empty and of the same kind."""
    for window in windows(ours, clock=lambda: START):
        both = window + metrics.MAE()
        both.update(10.0, 12.0, 3.0)
        both.update(10.0, 8.0, 1.0)
        expected = ours()
        expected.update(10.0, 12.0, 3.0)
        expected.update(10.0, 8.0, 1.0)
        assert both.get() == [expected.get(), 2.0]
        fresh = both.clone()[0]
        assert (type(fresh), fresh.get(), fresh.cost.n) == (type(window), 0.0, 0)
        assert fresh.clone({"metric": RMSE})._inner.__class__ is RMSE
        assert window.works_with(linear_model.LinearRegression())
        assert not window.works_with(linear_model.LogisticRegression())
        assert not window.bigger_is_better
    assert Rolling(ours(), 7).clone().window_size == 7
    assert TimeRolling(ours(), SECOND).clone().period == SECOND
    assert isinstance(metrics.MAE() + Rolling(ours, 3), metrics.base.Metrics)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("ours", OURS)
def test_copy_goes_on_alone(ours, duplicate):
    """A copy made midway has the same number and refusals, and its own from then on."""
    for window in windows(ours):
        feed(window, [9.0, 1.0, math.nan, 2.0])
        copied = duplicate(window)
        assert (copied.get(), copied.rejected) == (window.get(), {Reason.NOT_FINITE: 1})
        feed(copied, [5.0] * 7)
        assert copied.get() == exact(ours, [5.0, 5.0, 5.0])
        assert window.get() != copied.get()


def test_bias_closer_to_zero_is_better():
    """Which is better is up to the metric, and decided by what is inside."""
    for small, large in zip(windows(Bias), windows(Bias), strict=True):
        feed(small, [-900.0, 1.0, 1.0, 1.0])
        feed(large, [0.0, -2.0, -2.0, -2.0])
        assert small.is_better_than(large)
        assert small > large
        assert not large > small


def test_is_evaluated():
    """River's evaluation shows the last window, alone and beside another metric."""

    def score(metric: Any) -> Any:
        model = preprocessing.StandardScaler() | linear_model.LinearRegression()
        return evaluate.progressive_val_score(datasets.TrumpApproval(), model, metric)

    wanted = score(utils.Rolling(RMSE, window_size=100)).get()
    assert score(Rolling(RMSE, window_size=100)).get() == wanted
    assert score(Rolling(RMSE, window_size=100) + MSE()).get()[0] == wanted
    ticks = (minutes(minute) for minute in range(10_000))
    timed = TimeRolling(RMSE, dt.timedelta(minutes=100), clock=lambda: next(ticks))
    score(timed)
    assert timed._inner.get() == wanted


def test_refused_event_takes_no_place():
    """An event that cannot be scored is counted and changes nothing, until it is reverted."""
    for window in windows(MSE):
        feed(window, [1.0, 2.0, 3.0])
        at = {"t": minutes(99)} if hasattr(window, "period") else {}
        window.update(math.nan, 0.0, **at)
        window.update(1.0, 0.0, -1.0, **at)
        assert window.rejected == {Reason.NOT_FINITE: 1, Reason.NEGATIVE_WEIGHT: 1}
        assert window.get() == exact(MSE, [1.0, 2.0, 3.0])
        window.revert(math.nan, 0.0)
        assert window.rejected.total() == 1


def test_revert_takes_out_what_is_inside():
    """The oldest equal event inside goes; one that has left is let be."""
    for window in windows(MSE):
        feed(window, [7.0, 1.0, 2.0, 1.0])
        window.revert(7.0, 0.0)
        assert window.cost.n == 3
        window.revert(1.0, 0.0)
        assert window.get() == 2.5
        window.update(6.0, 0.0, 2.0, **({"t": minutes(3)} if hasattr(window, "period") else {}))
        window.revert(6.0, 0.0)
        assert window.cost.n == 3
        window.revert(6.0, 0.0, 2.0)
        assert window.get() == 2.5
