"""The metrics equal river's own on clean streams and stay exact where river's do not."""

from __future__ import annotations

import datetime as dt
import functools
import math
import random
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import datasets, evaluate, linear_model, metrics, preprocessing, utils

from losswatch.errors import Reason
from losswatch.river import MAE, MSE, RMSE, Bias
from losswatch.river.streams import demo_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRS = [(MSE, metrics.MSE), (RMSE, metrics.RMSE), (MAE, metrics.MAE)]
NAMES = ["mse", "rmse", "mae"]
STREAMS = ["approval", "water_flow", "chick_weight", "sp500_return"]

sizes = st.floats(1e-6, 1e6)
numbers = st.just(0.0) | sizes | sizes.map(float.__neg__)
near_weights = st.floats(0.5, 2.0)  # river loses digits where weights differ much
far_weights = st.floats(1e-6, 1e6)

REFUSED = [
    pytest.param(math.nan, 1.0, None, Reason.NOT_FINITE, id="nan target"),
    pytest.param(1.0, math.nan, None, Reason.NOT_FINITE, id="nan prediction"),
    pytest.param(math.inf, 1.0, None, Reason.NOT_FINITE, id="infinity"),
    pytest.param(1.0, -math.inf, None, Reason.NOT_FINITE, id="minus infinity"),
    pytest.param(None, 1.0, None, Reason.WRONG_TYPE, id="no target"),
    pytest.param(1.0, None, None, Reason.WRONG_TYPE, id="no prediction"),
    pytest.param("1", 1.0, None, Reason.WRONG_TYPE, id="text"),
    pytest.param(1e200, 1.0, None, Reason.OVERFLOW, id="square beyond float64"),
    pytest.param(1.0, 2.0, -1.0, Reason.NEGATIVE_WEIGHT, id="negative weight"),
    pytest.param(1.0, 2.0, math.nan, Reason.NOT_FINITE, id="nan weight"),
]


@functools.cache
def predicted(stream: str) -> list[tuple[float, float]]:
    """Return the targets of a real stream, with the predictions of a model that learns it."""
    found = next(demo for demo in demo_streams() if demo.name == stream)
    events = []
    for x, y in found:
        events.append((y, found.model.predict_one(x)))
        found.model.learn_one(x, y)
    return events


def exact(ours: Any, errors: list[float]) -> float:
    """Return the number that a metric must show for unweighted errors."""
    terms = {MAE: map(abs, errors), Bias: errors}.get(ours, [e * e for e in errors])
    mean = float(sum(map(Fraction, terms), Fraction(0)) / len(errors))
    return math.sqrt(mean) if ours is RMSE else mean


def assert_same_at_every_prefix(
    ours: Any, theirs: Any, events: Sequence[tuple[float, ...]]
) -> None:
    """Feed both and compare before the first event and after each."""
    assert ours.get() == theirs.get() == 0.0
    for event in events:
        ours.update(*event)
        theirs.update(*event)
        assert math.isclose(ours.get(), theirs.get(), rel_tol=1e-12, abs_tol=0.0)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=NAMES)
@given(events=st.lists(st.tuples(numbers, numbers), max_size=40))
def test_equals_river_unweighted(ours, theirs, events):
    """Any clean stream has river's number at every prefix, 0 before the first event."""
    assert_same_at_every_prefix(ours(), theirs(), events)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=NAMES)
@given(events=st.lists(st.tuples(numbers, numbers, near_weights), max_size=40))
def test_equals_river_weighted(ours, theirs, events):
    """Any clean stream with weights has river's number at every prefix."""
    assert_same_at_every_prefix(ours(), theirs(), events)


@given(events=st.lists(st.tuples(numbers, numbers, far_weights), min_size=1, max_size=40))
def test_weighted_means_are_exact(events):
    """Weights that differ by twelve digits cost none: each mean is rounded just once."""
    every: Any = MSE() + RMSE() + MAE() + Bias()
    for event in events:
        every.update(*event)
    weighted = [(y_true - y_pred, w) for y_true, y_pred, w in events]
    weight = sum(Fraction(w) for _, w in weighted)
    losses = sum(Fraction(w * (error * error)) for error, w in weighted)
    terms = [Fraction(w * error) for error, w in weighted]
    mse = float(losses / weight)
    mae, bias = float(sum(map(abs, terms)) / weight), float(sum(terms) / weight)
    assert every.get() == [mse, math.sqrt(mse), mae, bias]


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=NAMES)
def test_equals_river_on_real_data(ours, theirs, stream, weighted):
    """A real model on real data has river's number at every prefix."""
    events: list[tuple[float, ...]] = list(predicted(stream))
    if weighted:
        events = [(*event, 0.1 + index % 7) for index, event in enumerate(events)]
    assert_same_at_every_prefix(ours(), theirs(), events)


@pytest.mark.parametrize("stream", STREAMS)
def test_bias_is_the_exact_mean_error(stream):
    """The bias of real predictions is the mean of target minus prediction, rounded once."""
    metric = Bias()
    for y_true, y_pred in predicted(stream):
        metric.update(y_true, y_pred)
    assert metric.get() == exact(Bias, [y_true - y_pred for y_true, y_pred in predicted(stream)])


@pytest.mark.parametrize("ours", [MSE, RMSE, MAE, Bias])
def test_event_of_weight_zero_changes_nothing(ours):
    """An event of weight 0 counts for nothing, even as the first one."""
    metric = ours()
    metric.update(1.0, 5.0, 0.0)
    assert (metric.get(), metric.cost.n, metric.rejected.total()) == (0.0, 0, 0)


@pytest.mark.parametrize("ours", [MSE, RMSE, MAE, Bias])
def test_rolling_forgets_an_outlier(ours):
    """Once an outlier of up to 1e10 has left the window, the number is exact again."""
    rng = random.Random(20240229)
    for _ in range(200):
        rolling: Any = utils.Rolling(ours, window_size=100)
        errors = [rng.gauss(0.0, 1.0) for _ in range(rng.randrange(50))]
        errors.append(rng.choice([-1, 1]) * 10 ** rng.uniform(6.0, 10.0))
        errors += [rng.gauss(0.0, 0.1) for _ in range(100)]
        for error in errors:
            rolling.update(error, 0.0)
        value = rolling.get()
        assert type(value) is float
        assert value == exact(ours, errors[-100:])


@pytest.mark.parametrize("ours", [MSE, RMSE, MAE, Bias])
def test_time_rolling_is_exact(ours):
    """The metric over two days of hourly data is that of just the last two days, each hour."""
    rolling: Any = utils.TimeRolling(ours, period=dt.timedelta(days=2))
    window: deque[tuple[dt.datetime, float]] = deque()
    times = [x["Time"].replace(tzinfo=None) for x, _ in datasets.WaterFlow()]  # as river wants it
    for time, (y_true, y_pred) in zip(times, predicted("water_flow"), strict=True):
        rolling.update(y_true=y_true, y_pred=y_pred, t=time)
        window.append((time, y_true - y_pred))
        while window[0][0] <= time - dt.timedelta(days=2):
            window.popleft()
        assert rolling.get() == exact(ours, [error for _, error in window])


def test_rolling_is_evaluated():
    """River's evaluation takes a rolling metric and shows the last window."""
    model = preprocessing.StandardScaler() | linear_model.LinearRegression()
    errors = []
    for x, y in datasets.TrumpApproval():
        errors.append(y - model.predict_one(x))
        model.learn_one(x, y)
    rolling: Any = utils.Rolling(RMSE, window_size=100)
    model = preprocessing.StandardScaler() | linear_model.LinearRegression()
    evaluate.progressive_val_score(datasets.TrumpApproval(), model, rolling)
    assert rolling.get() == exact(RMSE, errors[-100:])


@pytest.mark.parametrize("ours", [MSE, RMSE, MAE, Bias])
@pytest.mark.parametrize(("y_true", "y_pred", "w", "reason"), REFUSED)
def test_refused_event_changes_nothing(ours, y_true, y_pred, w, reason):
    """One event that cannot be scored is counted by its reason and changes no number."""
    metric, clean = ours(), ours()
    weight = () if w is None else (w,)
    for one in (metric, clean):
        one.update(3.0, 1.0)
    metric.update(y_true, y_pred, *weight)
    assert metric.rejected == {reason: 1}
    for one in (metric, clean):
        one.update(2.0, 5.0)
    assert metric.get() == clean.get()
    assert metric.cost == clean.cost


@pytest.mark.parametrize(("y_true", "y_pred", "w", "reason"), REFUSED)
def test_refused_event_leaves_a_window(y_true, y_pred, w, reason):
    """In a rolling window ``rejected`` counts a refused event until it has left."""
    rolling: Any = utils.Rolling(MSE, window_size=3)
    event = {"y_true": y_true, "y_pred": y_pred} | ({} if w is None else {"w": w})
    rolling.update(y_true=1.0, y_pred=2.0)
    rolling.update(**event)
    for error, events in ((3.0, 2), (4.0, 2), (5.0, 3)):
        assert rolling.rejected == {reason: 1}
        rolling.update(y_true=error, y_pred=0.0)
        assert rolling.cost.n == events
    assert rolling.rejected.total() == 0
    assert rolling.get() == (9.0 + 16.0 + 25.0) / 3


@given(
    errors=st.lists(st.sampled_from([0.5, -2.0, 1e9, 1e200, math.nan, math.inf]), max_size=40),
    size=st.integers(1, 8),
)
def test_window_counts_every_event_once(errors, size):
    """Whatever passes through it, a window shows its scored events and counts the others."""
    rolling: Any = utils.Rolling(MSE, window_size=size)
    for error in errors:
        rolling.update(error, 0.0)
    window = errors[-size:]
    scored = [error for error in window if abs(error) <= 1e9]
    assert rolling.cost.n == len(scored)
    assert rolling.rejected.total() == len(window) - len(scored)
    assert rolling.get() == (exact(MSE, scored) if scored else 0.0)
