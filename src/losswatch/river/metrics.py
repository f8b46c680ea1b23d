"""river metrics on an exact cost."""

from __future__ import annotations

import math
from collections import Counter
from typing import ClassVar

from river import metrics

from losswatch.core.cost import Cost
from losswatch.errors import Reason, RejectedEvent

__all__ = ["MAE", "MSE", "RMSE", "Bias"]


class _ExactMetric(metrics.base.RegressionMetric):
    """What the metrics share: one exact cost, of which each reads a number.

    An event that cannot be scored is counted in ``rejected`` and changes
    nothing, so one NaN does not spoil an evaluation. ``revert`` takes it out
    of ``rejected`` again: in ``river.utils.Rolling`` both ``cost.n`` and
    ``rejected`` count what is in the window now. Without events ``get``
    returns 0, as all of river's metrics do; ask ``cost.n`` whether there were.
    """

    _number: ClassVar[str]
    """The property of a cost that is the number."""

    def __init__(self) -> None:
        self.cost = Cost()
        self.rejected: Counter[Reason] = Counter()

    def update(self, y_true: float, y_pred: float, w: float = 1.0) -> None:
        """Add one event; one that cannot be scored only counts as rejected."""
        try:
            self.cost.update(y_true, y_pred, None if w.__class__ is float and w == 1.0 else w)
        except RejectedEvent as rejection:
            self.rejected[rejection.reason] += 1

    def revert(self, y_true: float, y_pred: float, w: float = 1.0) -> None:
        """Take one event out again, rejected or not; undoes ``update`` bit for bit."""
        try:
            self.cost.revert(y_true, y_pred, None if w.__class__ is float and w == 1.0 else w)
        except RejectedEvent as rejection:
            self.rejected[rejection.reason] -= 1

    def get(self) -> float:
        """Return the number; 0 without events, as river does."""
        value: float = getattr(self.cost, self._number)
        return 0.0 if math.isnan(value) else value


class MSE(_ExactMetric):
    """Mean squared error, exact: ``river.metrics.MSE`` that never drifts.

    Works wherever river takes a regression metric. ``revert`` is exact, so
    ``river.utils.Rolling`` of it forgets an outlier when it leaves the window.

    Examples
    --------
    >>> from losswatch.river import MSE
    >>> metric = MSE()
    >>> for y_true, y_pred in zip([10, 11, 12, 13], [10, 12, 14, 11]):
    ...     metric.update(y_true, y_pred)
    >>> metric
    MSE: 2.25
    """

    _number = "mse"


class RMSE(_ExactMetric):
    """Root mean squared error, exact; see :class:`MSE`.

    Examples
    --------
    >>> from river import utils
    >>> from losswatch.river import RMSE
    >>> rolling = utils.Rolling(RMSE, window_size=2)
    >>> for y_pred in (1e8, 0.1, 0.1):
    ...     rolling.update(0.0, y_pred)
    >>> rolling
    RMSE: 0.1
    """

    _number = "rmse"


class MAE(_ExactMetric):
    """Mean absolute error, exact; see :class:`MSE`."""

    _number = "mae"


class Bias(_ExactMetric):
    """Mean of ``y_true - y_pred``, exact: above 0, predictions are too low.

    The better of two is the one closer to 0. What sorts metrics by ``get``
    instead of asking ``is_better_than``, such as river's successive halving,
    would prefer the most negative one: give it :class:`MAE`.
    """

    def is_better_than(self, other: metrics.base.Metric) -> bool:
        """Tell whether this bias is closer to 0."""
        return bool(abs(self.get()) < abs(other.get()))

    _number = "bias"
