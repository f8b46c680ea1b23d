"""A river regressor that is watched while it learns."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from river import base, linear_model

from losswatch.core.cost import Cost
from losswatch.core.histogram import DEFAULT_BUCKETS
from losswatch.core.monitor import Monitor
from losswatch.core.outputs import MultiOutputCost
from losswatch.errors import Reason, RejectedEvent
from losswatch.service.live import live_monitor, serve_live

__all__ = ["Monitored"]

logger = logging.getLogger(__name__)


class Monitored(base.Wrapper[Any], base.Estimator):
    """Scores each ``learn_one`` of a regressor, live at ``/metrics``.

    Wraps any river regressor, with one output or several, or a pipeline that
    ends in one, and behaves as it does. Each event is scored against the
    prediction made before the model learned it; one that cannot be scored is
    counted, and learned all the same: watching never stops a model. The first
    of each reason is logged. A prediction of ``None`` is not scored, nor is
    ``learn_many``, which is the model's own.

    Put it around a pipeline rather than at its end: there it sees features
    that the steps before it have learned already.

    ``cost`` is the cost of this model: it goes along with pickle and deepcopy,
    and a clone starts anew. ``/metrics`` shows what this process has scored
    under ``name`` since it started, all copies and clones together, so its
    counters never go down. Outputs are named by ``str`` of river's keys.

    The cost is one prediction an event, none if the event was just predicted.

    Parameters
    ----------
    model
        The model to watch.
    name
        The value of the label ``model``. Models of the same name share one
        series; it shows the outputs of the first and refuses other ones.
    listen
        Where ``/metrics`` is served, from the first event on; ``None`` serves
        nothing. If the address is taken, a warning says so.
    buckets
        Upper bounds of the buckets of ``losswatch_l2_loss``.

    Raises
    ------
    TypeError
        The model is a classifier.
    ValueError
        The name is no text, or the buckets do not increase.

    Examples
    --------
    >>> from river import datasets, linear_model, preprocessing
    >>> from losswatch.river import Monitored
    >>> model = preprocessing.StandardScaler() | linear_model.LinearRegression()
    >>> model = Monitored(model, name="approval", listen="127.0.0.1:0")
    >>> for x, y in datasets.TrumpApproval():
    ...     model.learn_one(x, y)
    >>> model.cost
    Cost(n=1001, mse=15.3036, rmse=3.91198, mae=1.31455, bias=0.303789)
    """

    def __init__(
        self,
        model: Any,
        name: str = "model",
        listen: str | None = "127.0.0.1:18100",
        buckets: tuple[float, ...] = DEFAULT_BUCKETS,
    ) -> None:
        if isinstance(model, base.Classifier):
            raise TypeError(f"{model} is a classifier; only regressors have an L2 loss")
        Monitor(name, buckets=buckets)  # raises now what is wrong with them, not in learn_one
        self.model = model
        self.name = name
        self.listen = listen
        self.buckets = buckets
        self.cost: Cost | MultiOutputCost | None = None
        self._predicted: tuple[object, object, Any] | None = None
        self._logged: set[Reason] = set()
        self._failed = False

    @property
    def url(self) -> str | None:
        """Where the cost is served; ``None`` if it is not, or cannot be."""
        server = None if self.listen is None else serve_live(self.listen)
        return None if server is None else f"{server.url}metrics"

    @property
    def _wrapped_model(self) -> Any:
        return self.model

    @property
    def _last_step(self) -> Any:
        # river asks a pipeline for this to learn what kind of model it is; answering
        # makes this one a Regressor or a MultiTargetRegressor, as the model is.
        return getattr(self.model, "_last_step", self.model)

    def predict_one(self, x: dict[Any, Any], **kwargs: Any) -> Any:
        """Predict as the model does."""
        y_pred = self.model.predict_one(x, **kwargs)
        self._predicted = (x, dict(x), y_pred)
        return y_pred

    def learn_one(self, x: dict[Any, Any], y: Any, **kwargs: Any) -> None:
        """Score the prediction for ``x``, then learn as the model does."""
        seen, features, y_pred = self._predicted or (None, None, None)
        if seen is not x or features != x:  # another event, maybe in the same dict
            y_pred = self._predict(x)
        self._predicted = None
        self._score(y, y_pred, kwargs.get("w"))
        self.model.learn_one(x, y, **kwargs)

    def __getattr__(self, name: str) -> Any:
        # Only what the wrapper lacks; private names would break copy and pickle.
        if name.startswith("_") or name == "model":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.model, name)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_predicted": None}

    def _predict(self, x: dict[Any, Any]) -> Any:
        """Predict for the score alone: where the model cannot yet, it must still learn."""
        try:
            return self.model.predict_one(x)
        except Exception as error:  # noqa: BLE001  # whatever a model raises
            self._log_failure("predicting failed", error)
            return None

    def _log_failure(self, what: str, error: Exception) -> None:
        if not self._failed:
            logger.error("model %s: %s; it learns on", self.name, what, exc_info=error)
        self._failed = True

    def _score(self, y_true: Any, y_pred: Any, w: float | None) -> None:
        if y_pred is None or (isinstance(y_pred, dict) and not y_pred):
            return  # river: the model cannot predict yet
        try:
            self._score_live(_with_names(y_true), _with_names(y_pred), w)
        except RejectedEvent as rejection:
            self._log(rejection)
        except Exception as error:  # noqa: BLE001  # watching must not stop the model
            self._log_failure("watching failed", error)

    def _score_live(self, y_true: Any, y_pred: Any, w: float | None) -> None:
        """Score for /metrics, which counts what is refused, and then for this model."""
        if self.cost is None:
            self.cost = MultiOutputCost() if isinstance(y_pred, dict) else Cost()
        outputs = _list_outputs(y_true, y_pred)
        live = live_monitor(
            self.name, lambda: Monitor(self.name, outputs=outputs, buckets=self.buckets)
        )
        if self.listen is not None:
            serve_live(self.listen)
        try:
            live.update(y_true, y_pred, w, at=time.time())
        except RejectedEvent as rejection:
            self._log(rejection)
        with suppress(RejectedEvent):  # logged above
            self.cost.update(y_true, y_pred, w)

    def _log(self, rejection: RejectedEvent) -> None:
        """Log the first of each reason: after one NaN, a model may predict nothing else."""
        if rejection.reason not in self._logged:
            self._logged.add(rejection.reason)
            logger.warning("model %s: event not scored: %s", self.name, rejection)

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"model": linear_model.LinearRegression(), "listen": None}


def _with_names(value: Any) -> Any:
    """Return one side of an event with its outputs, if any, named by text as labels are."""
    if isinstance(value, Mapping):
        return {str(output): number for output, number in value.items()}
    return value


def _list_outputs(y_true: Any, y_pred: Any) -> tuple[str, ...]:
    """Return the outputs that either side names: the first event may lack some on one side."""
    if not isinstance(y_pred, dict):
        return ()
    return tuple(y_true | y_pred if isinstance(y_true, dict) else y_pred)
