"""Watching changes nothing: a monitored model behaves as the bare one does."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import pytest
from river import (
    base,
    compose,
    datasets,
    evaluate,
    linear_model,
    metrics,
    multioutput,
    neighbors,
    optim,
    preprocessing,
    tree,
)

from losswatch.core.cost import Cost
from losswatch.core.outputs import MultiOutputCost
from losswatch.river import MSE, Monitored

serial = itertools.count()


def linear() -> compose.Pipeline:
    """Return a fresh linear model of scaled features."""
    return preprocessing.StandardScaler() | linear_model.LinearRegression(optim.SGD(0.01))


def chain() -> compose.Pipeline:
    """Return a fresh model of three kinds of solar flares."""
    words = compose.SelectType(str) | preprocessing.OneHotEncoder()
    features = compose.TransformerUnion(compose.SelectType(int), words)
    return features | multioutput.RegressorChain(linear_model.LinearRegression())


def neighbours() -> neighbors.KNNRegressor:
    """Return a fresh model that predicts from the nearest events."""
    return neighbors.KNNRegressor(engine=neighbors.LazySearch(window_size=50))


def watched(model: Any, **options: Any) -> Any:
    """Return a monitored model with a name of its own, of which nothing is served."""
    return Monitored(model, **({"name": f"behaviour {next(serial)}", "listen": None} | options))


def learn(model: Any, events: Any) -> list[Any]:
    """Let a model learn events; return what it predicted for each before."""
    predictions = []
    for x, y in events:
        predictions.append(model.predict_one(x))
        model.learn_one(x, y)
    return predictions


MODELS = [
    pytest.param(linear, datasets.TrumpApproval, id="pipeline"),
    pytest.param(tree.HoeffdingTreeRegressor, datasets.ChickWeights, id="tree"),
    pytest.param(neighbours, datasets.ChickWeights, id="neighbours"),
    pytest.param(chain, datasets.SolarFlare, id="several outputs"),
]


@pytest.mark.parametrize(("make", "data"), MODELS)
def test_predicts_as_the_bare_model(make, data):
    """Over a whole dataset every prediction is that of the model alone."""
    assert learn(watched(make()), data()) == learn(make(), data())


@pytest.mark.parametrize(("make", "data"), MODELS)
def test_learns_as_the_bare_model_without_being_asked_to_predict(make, data):
    """Scoring leaves no trace: what the model learned is what it learns alone."""
    monitored, bare = watched(make()), make()
    for x, y in data():
        monitored.learn_one(x, y)
        bare.learn_one(x, y)
    for x, _ in data():
        assert monitored.model.predict_one(x) == bare.predict_one(x)


def test_learns_as_the_bare_model_at_the_end_of_a_pipeline():
    """As the last step of a pipeline it predicts and learns the same weights."""
    monitored = preprocessing.StandardScaler() | watched(linear_model.LinearRegression())
    bare = preprocessing.StandardScaler() | linear_model.LinearRegression()
    assert learn(monitored, datasets.TrumpApproval()) == learn(bare, datasets.TrumpApproval())
    assert monitored["Monitored"].weights == bare["LinearRegression"].weights
    assert monitored["Monitored"].cost.n == 1001


def test_passes_weights_on():
    """``w`` weights both what the model learns and what its error is."""
    monitored, bare, metric = watched(linear()), linear(), metrics.MSE()
    for index, (x, y) in enumerate(datasets.TrumpApproval()):
        w = 0.5 + index % 3
        metric.update(y, bare.predict_one(x), w)
        monitored.learn_one(x, y, w=w)
        bare.learn_one(x, y, w=w)
    assert monitored.model[-1].weights == bare[-1].weights
    assert monitored.cost.mse == pytest.approx(metric.get(), rel=1e-12)


def test_takes_weights_of_a_dataset():
    """River's evaluation hands the weights of a dataset to it, as to the bare model."""
    events = [(x, y, 1.0 + index % 2) for index, (x, y) in enumerate(datasets.TrumpApproval())]
    monitored, bare = watched(linear()), linear()
    for model in (monitored, bare):
        weighted: Any = [(x, y, {"w": w}) for x, y, w in events]
        evaluate.progressive_val_score(weighted, model, MSE())
    assert monitored.model[-1].weights == bare[-1].weights
    assert monitored.cost.weight == sum(w for _, _, w in events)


@pytest.mark.parametrize("whole", [True, False], ids=["around a pipeline", "at its end"])
def test_is_evaluated_as_the_bare_model(whole):
    """River's evaluation comes to the same number, with the model watched or not."""
    bare = evaluate.progressive_val_score(datasets.TrumpApproval(), linear(), metrics.RMSE())
    model = watched(linear()) if whole else linear()[0] | watched(linear()[1])
    found = evaluate.progressive_val_score(datasets.TrumpApproval(), model, metrics.RMSE())
    assert found.get() == bare.get()
    if whole:
        assert model.cost.rmse == pytest.approx(bare.get(), rel=1e-12)


def test_is_evaluated_with_several_outputs():
    """River takes a multi-output metric for it, and ``cost`` has the error of each output."""
    bare = metrics.multioutput.PerOutput(metrics.MSE())
    evaluate.progressive_val_score(datasets.SolarFlare(), chain(), bare)
    model, micro = watched(chain()), metrics.multioutput.MicroAverage(MSE())
    evaluate.progressive_val_score(datasets.SolarFlare(), model, micro)
    expected = {output: one.get() for output, one in bare.get().items()}
    found = {output: cost.mse for output, cost in model.cost.items()}
    assert found == pytest.approx(expected, rel=1e-12)
    assert micro.get() == model.cost.pooled.mse
    assert micro.get() == pytest.approx(sum(expected.values()) / 3, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "kind", "other"),
    [
        (linear_model.LinearRegression, base.Regressor, base.MultiTargetRegressor),
        (linear, base.Regressor, base.MultiTargetRegressor),
        (chain, base.MultiTargetRegressor, base.Regressor),
        (linear_model.LinearRegression, base.MiniBatchRegressor, base.Transformer),
        (tree.HoeffdingTreeRegressor, base.Regressor, base.MiniBatchRegressor),
    ],
)
def test_is_of_the_kind_of_its_model(make, kind, other):
    """River sees the same kind of estimator in it as in the model."""
    assert isinstance(watched(make()), kind)
    assert not isinstance(watched(make()), other)
    assert isinstance(watched(make()), base.Wrapper)


def test_clone_is_fresh():
    """A clone has the same parameters, has learned nothing and has no cost."""
    model = watched(linear(), name="cloned", buckets=(1.0, 2.0))
    learn(model, datasets.TrumpApproval().take(50))
    clone = model.clone()
    assert (clone.name, clone.listen, clone.buckets) == ("cloned", None, (1.0, 2.0))
    assert clone.cost is None
    assert clone.model[-1].weights == {}
    assert model.cost.n == 50
    assert model.clone({"name": "other"}).name == "other"


def test_clone_may_keep_what_was_learned_by_the_wrapper():
    """River's clone with attributes takes the cost along."""
    model = watched(linear())
    learn(model, datasets.TrumpApproval().take(50))
    assert model.clone(include_attributes=True).cost == model.cost


@pytest.mark.parametrize(
    "duplicate",
    [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy],
    ids=["pickle", "deepcopy"],
)
@pytest.mark.parametrize(("make", "data"), MODELS)
def test_copy_goes_on_where_the_model_was(make, data, duplicate):
    """A copy keeps cost and learning, and from there on each goes its own way."""
    events = list(data())
    model = watched(make())
    learn(model, events[:200])
    model.predict_one(events[200][0])
    copied = duplicate(model)
    assert copied.cost == model.cost
    before = duplicate(model.cost)
    assert learn(copied, events[200:300]) == learn(duplicate(model), events[200:300])
    assert copied.cost != model.cost
    assert model.cost == before


def test_has_no_cost_before_the_first_event():
    """There is no cost to show until an event tells whether the outputs are several."""
    models = [watched(linear()), watched(chain())]
    assert [model.cost for model in models] == [None, None]
    learn(models[0], datasets.TrumpApproval().take(2))
    learn(models[1], datasets.SolarFlare().take(3))
    assert [type(model.cost) for model in models] == [Cost, MultiOutputCost]


def test_is_shown_as_a_wrapper():
    """Str is short as that of river's wrappers; repr has every parameter."""
    model = watched(linear_model.LinearRegression(), name="shown")
    assert str(model) == "Monitored(LinearRegression)"
    assert str(watched(linear())) == "Monitored(StandardScaler | LinearRegression)"
    assert repr(model).startswith("Monitored (\n  model=LinearRegression (\n    optimizer=SGD (")
    assert '\n  name="shown"\n  listen=None\n  buckets=(' in repr(model)
    assert "Monitored" in watched(linear())._repr_html_()


def test_has_the_attributes_of_its_model():
    """What the wrapper lacks it asks its model for, and only that."""
    model = watched(linear_model.LinearRegression())
    learn(model, [({"a": 1.0}, 2.0)])
    assert model.weights == model.model.weights != {}
    assert list(watched(linear()).steps) == ["StandardScaler", "LinearRegression"]
    with pytest.raises(AttributeError, match="no_such_thing"):
        model.no_such_thing  # noqa: B018
    with pytest.raises(AttributeError, match="'Monitored' object has no attribute '_weights'"):
        model._weights  # noqa: B018


@pytest.mark.parametrize(
    ("make", "has"), [(linear_model.LinearRegression, True), (tree.HoeffdingTreeRegressor, False)]
)
@pytest.mark.parametrize("method", ["predict_many", "learn_many"])
def test_has_mini_batches_if_its_model_has(make, has, method):
    """Methods for mini-batches are there only if the model has them."""
    assert hasattr(watched(make()), method) is has


def test_a_classifier_is_refused():
    """Labels have no L2 loss."""
    with pytest.raises(TypeError, match="is a classifier; only regressors have an L2 loss"):
        Monitored(linear_model.LogisticRegression())
