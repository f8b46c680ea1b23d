"""Exact windows over a metric, and the one of the last so many events."""

from __future__ import annotations

from collections import Counter
from math import isnan
from typing import TYPE_CHECKING, Any

from river import metrics

from losswatch.core.rolling import RollingCost
from losswatch.errors import Reason, RejectedEvent
from losswatch.river.metrics import MAE, MSE, RMSE, Bias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.core.time_rolling import TimeRollingCost

__all__ = ["Rolling", "WindowedMetric"]

_Metric = MSE | RMSE | MAE | Bias


class WindowedMetric(metrics.base.RegressionMetric):
    """What windows share: a metric that reads the cost of a window.

    An event that cannot be scored is counted in ``rejected`` and changes
    nothing, and takes no place in the window. Without events ``get`` returns
    0, as river does; ask ``cost.n`` whether there were.
    """

    def __init__(
        self, metric: Any, cost: RollingCost | TimeRollingCost, kwargs: dict[str, Any]
    ) -> None:
        self.metric = metric
        self.kwargs = kwargs
        self.cost: Any = cost
        self.rejected: Counter[Reason] = Counter()
        self._inner = _make_metric(type(self).__name__, metric, kwargs)
        self._inner.cost = cost  # type: ignore[assignment]  # what it reads
        self._number = self._inner._number  # noqa: SLF001  # one call less than asking it

    def get(self) -> float:
        """Return the number; 0 without events, as river does."""
        value: float = getattr(self.cost, self._number)
        return 0.0 if isnan(value) else value

    def revert(self, y_true: float, y_pred: float, w: float = 1.0) -> None:
        """Take the oldest such event out of the window; nothing if it has left.

        The cost is one look at each event in the window: windows forget by
        themselves, so this is for corrections. A refused event is taken out
        of ``rejected``.
        """
        try:
            self.cost.discard(y_true, y_pred, w)
        except RejectedEvent as rejection:
            self.rejected[rejection.reason] -= 1

    @property
    def bigger_is_better(self) -> bool:
        """Tell whether a high value is better, as the metric says."""
        return bool(self._inner.bigger_is_better)

    def is_better_than(self, other: metrics.base.Metric) -> bool:
        """Tell whether this one is better, as the metric says."""
        return bool(self._inner.is_better_than(other))

    def works_with(self, model: Any) -> bool:
        """Tell whether the metric works with a model."""
        return bool(self._inner.works_with(model))

    def __repr__(self) -> str:
        return repr(self._inner)


class Rolling(WindowedMetric):
    """A metric over the last ``window_size`` events, exact: ``river.utils.Rolling``.

    For the metrics of losswatch, and itself a metric: it can be added to
    others, cloned and evaluated. Its number has the bits of the metric of just
    the last events. Reading after each event takes as long as river's, reading
    now and then a sixth of it.

    Parameters
    ----------
    metric
        ``MSE``, ``RMSE``, ``MAE`` or ``Bias`` of losswatch: the class, or a
        metric made of it, of which the kind is taken and not the events.
    window_size
        How many events, 1 or more.
    **kwargs
        What the class is made with.

    Attributes
    ----------
    cost
        The :class:`RollingCost` of the window.
    rejected
        Events refused so far, by reason.

    Raises
    ------
    TypeError
        The metric is none of losswatch's.
    ValueError
        ``window_size`` is no whole number of at least 1.

    Examples
    --------
    >>> from losswatch.river import MAE, RMSE, Rolling
    >>> metric = Rolling(RMSE, window_size=2) + Rolling(MAE, window_size=2)
    >>> for y_pred in (1e8, 0.1, 0.1):
    ...     metric.update(0.0, y_pred)
    >>> metric
    RMSE: 0.1
    MAE: 0.1
    """

    def __init__(self, metric: Any, window_size: int, **kwargs: Any) -> None:
        super().__init__(metric, RollingCost(window_size), kwargs)

    @property
    def window_size(self) -> int:
        """How many events the window takes."""
        return int(self.cost.window_size)

    def update(self, y_true: float, y_pred: float, w: float = 1.0) -> None:
        """Add one event; one that cannot be scored only counts as rejected."""
        try:
            error = y_true - y_pred
            # What RollingCost.update does first, here to save the call: a third of the time.
            if (
                error * error <= 1.7976931348623157e308
                and w == 1.0
                and error.__class__ is w.__class__ is float
            ):
                self.cost._pending.append(error)  # noqa: SLF001
                return
        except Exception:  # noqa: BLE001, S110  # what is wrong is found out below
            pass
        try:
            self.cost.update(y_true, y_pred, w)
        except RejectedEvent as rejection:
            self.rejected[rejection.reason] += 1

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"metric": MSE, "window_size": 3}


def _make_metric(window: str, metric: Any, kwargs: dict[str, Any]) -> _Metric:
    """Return a fresh metric of the class, or of the kind of the instance."""
    kind = metric if isinstance(metric, type) else type(metric)
    if not issubclass(kind, _Metric):
        raise TypeError(
            f"{window} got {metric!r:.60}; must be MSE, RMSE, MAE or Bias of losswatch.river:"
            f" use river.utils.{window} for others"
        )
    if isinstance(metric, type):
        return kind(**kwargs)
    if kwargs:
        raise TypeError(
            f"{window} got a metric that is made already, and {', '.join(kwargs)};"
            " give it the class"
        )
    fresh: _Metric = metric.clone()
    return fresh
