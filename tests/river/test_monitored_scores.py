"""What a monitored model scores: the prediction made before learning, if there is one."""

from __future__ import annotations

import gc
import itertools
import math
from typing import Any

import numpy as np
import pytest
from river import base, dummy, linear_model, multioutput, stats

from losswatch.errors import Reason
from losswatch.river import Monitored
from losswatch.service.live import live_snapshot

serial = itertools.count()


class LastTarget(base.Regressor):
    """Predicts the last target learned, and keeps what it was asked and told."""

    def __init__(self, first: Any = 0.0) -> None:
        self.first = first
        self.last = first
        self.asked: list[Any] = []
        self.told: list[Any] = []

    def predict_one(self, x: Any, plus: float = 0.0) -> Any:
        """Predict the last target, or more."""
        self.asked.append(x)
        return self.last + plus if plus else self.last

    def learn_one(self, x: Any, y: Any) -> None:
        """Remember the target."""
        self.told.append((x, y))
        self.last = y


class Several(LastTarget, base.MultiTargetRegressor):  # type: ignore[misc]
    """The same with dicts of targets."""


def watched(model: Any) -> Any:
    """Return a monitored model with a name of its own, of which nothing is served."""
    return Monitored(model, name=f"scores {next(serial)}", listen=None)


def live(model: Any) -> Any:
    """Return what this process has scored under the name of a model."""
    return next(one for one in live_snapshot().monitors if one.model == model.name)


def test_scores_the_prediction_made_before_learning():
    """Each event is scored against what the model said when it did not know the target."""
    model = watched(LastTarget())
    for y in (1.0, 3.0, 6.0):
        model.learn_one({"a": 1.0}, y)
    assert (model.cost.n, model.cost.loss) == (3, 1.0 + 4.0 + 9.0)
    assert live(model).pooled == model.cost


def test_uses_the_prediction_just_made():
    """The model is not asked again for the same features object, and the error is the same."""
    model = watched(LastTarget())
    for y in (1.0, 3.0):
        x = {"a": 1.0}
        model.predict_one(x)
        model.learn_one(x, y)
    assert len(model.asked) == 2
    assert model.cost.loss == 1.0 + 4.0


def test_passes_keywords_of_a_prediction_on():
    """What the model takes to predict it gets, and what it then said is scored."""
    model, x = watched(LastTarget()), {"a": 1.0}
    assert model.predict_one(x, plus=2.0) == 2.0
    model.learn_one(x, 5.0)
    assert model.cost.loss == 9.0


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        pytest.param("l0", 1, id="never predicted"),
        pytest.param("p0 l0", 1, id="just predicted"),
        pytest.param("p0 l1", 2, id="another was predicted"),
        pytest.param("p0 p1 l0", 3, id="another was predicted later"),
        pytest.param("p0 l0 l0", 2, id="learned twice"),
        pytest.param("p0 l1 l0", 3, id="another was learned before"),
    ],
)
def test_asks_again_unless_just_predicted(steps, asked):
    """Only the latest prediction counts, only for its own features and only once."""
    model, events = watched(LastTarget()), [{"a": 1.0}, {"a": 1.0}]
    for step, index in steps.split():
        if step == "p":
            model.predict_one(events[int(index)])
        else:
            model.learn_one(events[int(index)], 1.0)
    assert len(model.asked) == asked
    assert model.told == [(events[int(i)], 1.0) for step, i in steps.split() if step == "l"]


@pytest.mark.parametrize(
    ("make", "target"),
    [
        pytest.param(lambda: LastTarget(None), 1.0, id="none"),
        pytest.param(lambda: Several({}), {"a": 1.0}, id="no outputs"),
    ],
)
def test_event_without_prediction_is_not_scored(make, target):
    """A model that cannot predict yet has no error and no refusal, and learns."""
    model = watched(make())
    x = {"a": 1.0}
    model.learn_one(x, target)
    assert [model.cost] == [None]
    model.learn_one(x, target)
    assert model.told == [(x, target), (x, target)]
    assert (live(model).pooled.n, live(model).rejected) == (1, {})


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        pytest.param(math.nan, Reason.NOT_FINITE, id="nan"),
        pytest.param(math.inf, Reason.NOT_FINITE, id="infinity"),
        pytest.param(None, Reason.WRONG_TYPE, id="none"),
        pytest.param(1e200, Reason.OVERFLOW, id="square beyond float64"),
        pytest.param({"a": 1.0}, Reason.WRONG_TYPE, id="several outputs"),
    ],
)
def test_refused_event_is_counted_logged_and_learned(y, reason, caplog):
    """A target that cannot be scored is counted and logged; the model gets it all the same."""
    model = watched(LastTarget())
    model.learn_one({"a": 1.0}, y)
    assert model.told == [({"a": 1.0}, y)]
    assert live(model).rejected == {reason: 1}
    assert live(model).pooled.n == model.cost.n == 0
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("losswatch.river.monitored", "WARNING")
    assert model.name in record.getMessage()
    assert reason in record.getMessage()


def test_only_the_first_of_each_reason_is_logged(caplog):
    """A model that one NaN has spoiled does not fill the log, but every event is counted."""
    model = watched(linear_model.LinearRegression())
    model.learn_one({"a": 1.0}, math.nan)
    for _ in range(50):
        model.learn_one({"a": 1.0}, 1.0)
    assert math.isnan(model.weights["a"])
    assert live(model).rejected == {Reason.NOT_FINITE: 51}
    assert len(caplog.records) == 1


def test_goes_on_after_a_refused_event():
    """The events around a refused one are scored as if it had not been."""
    model = watched(dummy.StatisticRegressor(stats.Count()))
    for y in (0.0, math.nan, 5.0):
        model.learn_one({"a": 1.0}, y)
    assert (model.cost.n, model.cost.loss) == (2, 0.0 + (5.0 - 2.0) ** 2)


def test_refused_weight_does_not_stop_learning(caplog):
    """A weight that cannot be scored is the model's business."""
    model, bare = watched(linear_model.LinearRegression()), linear_model.LinearRegression()
    for one in (model, bare):
        one.learn_one({"a": 1.0}, 1.0, w=-1.0)
    assert model.weights == bare.weights
    assert live(model).rejected == {Reason.NEGATIVE_WEIGHT: 1}
    assert "negative_weight" in caplog.text


@pytest.mark.parametrize("bad", [math.nan, None, {}, {"a": 1.0}, {"a": math.nan, "b": 1.0}])
def test_outputs_are_found_after_a_bad_first_target(bad):
    """A first target without its outputs is refused and does not decide what they are."""
    model = watched(Several({"a": 0.0, "b": 0.0}))
    model.learn_one({"x": 1.0}, bad)
    model.model.last = {"a": 0.0, "b": 0.0}
    model.learn_one({"x": 1.0}, {"a": 1.0, "b": 2.0})
    assert {name: cost.mse for name, cost in model.cost.items()} == {"a": 1.0, "b": 4.0}
    assert model.cost.pooled.mse == live(model).pooled.mse == 2.5
    assert sum(live(model).rejected.values()) == 1


def test_outputs_may_have_any_key():
    """River's keys of outputs may be numbers; the cost names them by their text."""
    model = watched(multioutput.RegressorChain(linear_model.LinearRegression(), order=[0, 1]))
    for _ in range(3):
        model.learn_one({"x": 0.0}, {0: 1.0, 1: 2.0})
    assert model.cost.outputs == tuple(live(model).outputs) == ("0", "1")
    assert live(model).pooled == model.cost.pooled


def test_models_of_the_same_name_share_a_series():
    """The live series counts the events of all its models, each cost only its own."""
    first, second = watched(LastTarget()), watched(LastTarget())
    second.name = first.name
    copied = first.clone()
    for model in (first, first, second, copied):
        model.learn_one({"a": 1.0}, 2.0)
    assert (first.cost.n, second.cost.n, copied.cost.n) == (2, 1, 1)
    assert live(first).pooled.n == 4


def test_live_counters_outlive_their_model():
    """When a model is gone its events still count, and a later one adds to them."""
    model = watched(LastTarget())
    model.learn_one({"a": 1.0}, 3.0)
    model.learn_one({"a": 1.0}, math.nan)
    later = model.clone()
    del model
    gc.collect()
    assert (live(later).pooled.loss, live(later).rejected) == (9.0, {Reason.NOT_FINITE: 1})
    later.learn_one({"a": 1.0}, 4.0)
    assert live(later).pooled.loss == 9.0 + 16.0


def test_cost_is_kept_where_another_kind_of_model_has_the_name(caplog):
    """A series of one output refuses a model with several, which still has its own cost."""
    one, several = watched(LastTarget()), watched(Several({"a": 0.0}))
    several.name = one.name
    one.learn_one({"x": 1.0}, 1.0)
    several.learn_one({"x": 1.0}, {"a": 2.0})
    assert several.cost["a"].mse == 4.0
    assert live(one).pooled.mse == 1.0
    assert live(one).rejected == {Reason.WRONG_TYPE: 1}
    assert len(caplog.records) == 1


def test_a_reused_dict_is_another_event():
    """A prediction for the old contents of a dict is not taken for the new ones."""
    model = watched(linear_model.LinearRegression())
    x = {"a": 1.0}
    model.learn_one(x, 5.0)
    model.predict_one(x)
    x["a"] = 100.0
    wanted = model.model.predict_one(x)
    before = model.cost.loss
    model.learn_one(x, 0.0)
    assert model.cost.loss - before == wanted**2


@pytest.mark.parametrize("listen", [80, "a\0b:0", "no address"], ids=["number", "NUL", "text"])
def test_a_wrong_address_does_not_stop_the_model(listen, caplog):
    """Whatever is wrong with the serving, the model learns, and the log says it once."""
    model = LastTarget()
    watching = Monitored(model, name=f"wrong {next(serial)}", listen=listen)
    for y in (1.0, 2.0, 3.0):
        watching.learn_one({}, y)
    assert [y for _, y in model.told] == [1.0, 2.0, 3.0]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "settings", [{"name": 5}, {"name": ""}, {"buckets": (2.0, 1.0)}], ids=["5", "empty", "buckets"]
)
def test_wrong_names_and_buckets_are_told_at_once(settings):
    """They would leave the model without a cost: the constructor refuses them."""
    with pytest.raises(ValueError, match="must be"):
        Monitored(LastTarget(), **settings)


def test_a_model_that_cannot_predict_yet_learns_all_the_same(caplog):
    """An exception of predict_one is logged once; when it can predict it is scored."""

    class Late(LastTarget):
        def predict_one(self, x):
            if not self.told:
                raise RuntimeError("not fitted")
            return super().predict_one(x)

    watching = watched(Late())
    for y in (1.0, 4.0):
        watching.learn_one({}, y)
    assert watching.cost.loss == 9.0
    assert len(caplog.records) == 1


def test_a_prediction_that_is_an_array_does_not_stop_the_model(caplog):
    """What is no number is refused and logged once."""
    model = LastTarget(first=np.array([1.0, 2.0]))
    watching = watched(model)
    for y in (1.0, 2.0):
        watching.learn_one({}, y)
    assert model.last == 2.0
    assert len(caplog.records) == 1
