"""The metrics are river metrics: wherever river takes one of its own, it takes these."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from river import (
    bandit,
    compose,
    datasets,
    evaluate,
    linear_model,
    metrics,
    model_selection,
    multioutput,
    optim,
    preprocessing,
)

from losswatch.errors import Reason
from losswatch.river import MAE, MSE, RMSE, Bias

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = [MSE, RMSE, MAE, Bias]
PAIRS = [
    pytest.param(MSE, metrics.MSE, id="mse"),
    pytest.param(RMSE, metrics.RMSE, id="rmse"),
    pytest.param(MAE, metrics.MAE, id="mae"),
]
EVENTS = [(10.0, 10.0), (11.0, 12.0), (12.0, 14.0), (13.0, 11.0)]
SHOWN = {MSE: "MSE: 2.25", RMSE: "RMSE: 1.5", MAE: "MAE: 1.25", Bias: "Bias: -0.25"}


@pytest.fixture(params=OURS, ids=lambda ours: ours.__name__)
def metric(request):
    """One of our metrics, with four events of errors 0, -1, -2 and 2."""
    metric = request.param()
    for y_true, y_pred in EVENTS:
        metric.update(y_true=y_true, y_pred=y_pred)
    return metric


def close(value: float) -> object:
    """Return what equals a number but for rounding."""
    return pytest.approx(value, rel=1e-12, abs=0.0)


def linear(rate: float = 0.01) -> compose.Pipeline:
    """Return a fresh linear model."""
    return preprocessing.StandardScaler() | linear_model.LinearRegression(optim.SGD(rate))


def by_time_of_year() -> compose.Pipeline:
    """Return a fresh linear model of the only feature of a series, its time."""

    def month_and_hour(x: dict[str, dt.datetime]) -> dict[str, int]:
        time = x.get("Time") or x["month"]
        return {"month": time.month, "hour": time.hour}

    return compose.FuncTransformer(month_and_hour) | linear()


def test_is_a_regression_metric_where_less_is_better(metric):
    """River finds an error of a regression that it weights and wants small."""
    assert isinstance(metric, metrics.base.RegressionMetric)
    assert not metric.bigger_is_better
    assert metric.works_with_weights


def test_is_shown_as_river_shows_its_own(metric):
    """Repr and str are the name and the number, written out without zeros at the end."""
    assert repr(metric) == str(metric) == SHOWN[type(metric)]


@pytest.mark.parametrize(
    ("model", "works"),
    [
        pytest.param(linear_model.LinearRegression(), True, id="regressor"),
        pytest.param(linear(), True, id="pipeline"),
        pytest.param(linear_model.LogisticRegression(), False, id="classifier"),
        pytest.param(
            preprocessing.StandardScaler() | linear_model.LogisticRegression(),
            False,
            id="pipeline of a classifier",
        ),
        pytest.param(preprocessing.StandardScaler(), False, id="transformer"),
        pytest.param(
            multioutput.RegressorChain(linear_model.LinearRegression()), False, id="several outputs"
        ),
    ],
)
def test_works_with_regressors_only(metric, model, works):
    """River may use it for whatever is a regressor in the end, and for nothing else."""
    assert metric.works_with(model) is works


@pytest.mark.parametrize(
    ("left", "right"),
    [(MSE, MAE), (MSE, metrics.MAE), (metrics.MAE, MSE), (Bias, metrics.R2), (metrics.R2, Bias)],
)
def test_is_added_to_other_metrics(left, right):
    """A sum holds both metrics, whoever made them and on whichever side they stand."""
    both = left() + right()
    for y_true, y_pred in EVENTS:
        both.update(y_true, y_pred)
    alone = left(), right()
    for y_true, y_pred in EVENTS:
        for metric in alone:
            metric.update(y_true, y_pred)
    assert isinstance(both, metrics.base.Metrics)
    assert both.get() == [metric.get() for metric in alone]


def test_is_added_to_a_collection():
    """A third metric joins the two of a sum, weights reach all, and a clone is empty."""
    three = MSE() + metrics.MAE() + Bias()
    three.update(10.0, 12.0, 3.0)
    three.update(10.0, 8.0, 1.0)
    three.revert(10.0, 8.0, 1.0)
    assert [type(metric) for metric in three] == [MSE, metrics.MAE, Bias]
    assert three.get() == [4.0, 2.0, -2.0]
    assert three.clone().get() == [0.0, 0.0, 0.0]


def test_is_not_added_to_a_classification_metric(metric):
    """River refuses a sum of errors of numbers and errors of classes."""
    with pytest.raises(ValueError, match="not compatible"):
        metric + metrics.Accuracy()


def test_clone_is_empty(metric):
    """A clone has no events and lets the original keep its own."""
    metric.update(float("nan"), 1.0)
    clone = metric.clone()
    assert (type(clone), clone.get(), clone.cost.n) == (type(metric), 0.0, 0)
    assert not clone.rejected
    assert metric.cost.n == 4


@pytest.mark.parametrize(
    "duplicate",
    [lambda metric: pickle.loads(pickle.dumps(metric)), copy.deepcopy],
    ids=["pickle", "deepcopy"],
)
def test_copy_keeps_its_events_and_goes_its_own_way(metric, duplicate):
    """A copy shows the same number and refusals, and what it gets later is its own."""
    metric.update(float("nan"), 1.0)
    copied = duplicate(metric)
    assert repr(copied) == SHOWN[type(metric)]
    assert copied.rejected == {Reason.NOT_FINITE: 1}
    copied.update(0.0, 100.0)
    copied.update(None, 1.0)
    assert repr(metric) == SHOWN[type(metric)]
    assert metric.rejected.total() == 1


@pytest.mark.parametrize("ours", [MSE, RMSE, MAE])
@pytest.mark.parametrize("theirs", [MSE, metrics.MAE])
def test_smaller_error_is_better(ours, theirs):
    """Of two metrics the one with the smaller error is better, and is so by ``>`` too."""
    good, bad = ours(), theirs()
    good.update(1.0, 2.0)
    bad.update(1.0, 3.0)
    assert good.is_better_than(bad)
    assert good > bad
    assert not bad.is_better_than(good)
    assert not bad > good
    assert not good.is_better_than(good)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bias_closer_to_zero_is_better(sign):
    """A large negative bias is no better than a small positive one, or the other way round."""
    small, large = Bias(), Bias()
    small.update(sign, 0.0)
    large.update(0.0, 2 * sign)
    assert small.is_better_than(large)
    assert small > large
    assert not large > small


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(
    ("data", "make", "when"),
    [
        pytest.param(datasets.TrumpApproval, linear, {}, id="approval"),
        pytest.param(
            datasets.WaterFlow,
            by_time_of_year,
            {"moment": "Time", "delay": dt.timedelta(hours=36)},
            id="water_flow, a day and a half late",
        ),
        pytest.param(
            datasets.AirlinePassengers,
            by_time_of_year,
            {"moment": "month", "delay": dt.timedelta(days=100)},
            id="passengers, a hundred days late",
        ),
    ],
)
def test_progressive_validation(ours, theirs, data, make, when):
    """River's evaluation comes to the same number at every step, answers late or not."""

    def steps(metric: Any) -> list[tuple[float, int]]:
        found = evaluate.iter_progressive_val_score(data(), make(), metric, step=50, **when)
        return [(step[type(metric).__name__].get(), step["Step"]) for step in found]

    expected = [(close(value), step) for value, step in steps(theirs())]
    last = evaluate.progressive_val_score(data(), make(), ours(), **when)
    assert steps(ours()) == expected
    assert isinstance(last, ours)
    assert last.get() == expected[-1][0]
    assert last.cost.n == data().n_samples


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(
    "select",
    [
        pytest.param(model_selection.GreedyRegressor, id="greedy"),
        pytest.param(
            lambda models, metric: model_selection.SuccessiveHalvingRegressor(
                models, metric, budget=1000
            ),
            id="halving",
        ),
        pytest.param(
            lambda models, metric: model_selection.BanditRegressor(
                models, metric, bandit.EpsilonGreedy(epsilon=0.1, burn_in=20, seed=7)
            ),
            id="bandit",
        ),
    ],
)
def test_selects_the_same_models(ours, theirs, select):
    """A selection by our metric predicts just what a selection by river's predicts."""
    rates = [1e-5, 1e-2, 1e-4, 1e-3]

    def predictions(metric: Any) -> Iterator[float]:
        model = select([linear(rate) for rate in rates], metric)
        for x, y in datasets.TrumpApproval().take(400):
            yield model.predict_one(x)
            model.learn_one(x, y)
        yield rates[model.models.index(model.best_model)]

    assert list(predictions(ours())) == list(predictions(theirs()))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(
    "wrap", [metrics.multioutput.MacroAverage, metrics.multioutput.MicroAverage]
)
def test_averages_over_outputs(ours, theirs, wrap):
    """River's averages over outputs come to the same, weighted and after a revert."""
    wrapped, expected = wrap(ours()), wrap(theirs())
    for metric in (wrapped, expected):
        metric.update({"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 5.0}, 2.0)
        metric.update({"a": 4.0, "b": 2.0}, {"a": 2.0, "b": 2.5})
        metric.update({"a": 9.0, "b": 9.0}, {"a": 1.0, "b": 1.0})
        metric.revert({"a": 9.0, "b": 9.0}, {"a": 1.0, "b": 1.0})
    assert wrapped.get() == close(expected.get())
    assert repr(wrapped) == repr(expected)


def test_counts_per_output():
    """River's metric per output keeps one of ours for each, with its own refusals."""
    metric = metrics.multioutput.PerOutput(MSE())
    metric.update({"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 5.0})
    metric.update({"a": 1.0, "b": float("nan")}, {"a": 4.0, "b": 5.0})
    assert repr(metric) == "a - MSE: 5.\nb - MSE: 9."
    assert {output: one.rejected.total() for output, one in metric.get().items()} == {
        "a": 0,
        "b": 1,
    }
