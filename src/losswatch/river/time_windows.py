"""The exact window of the last so much time over a metric."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from losswatch.core.time_rolling import TimeRollingCost
from losswatch.errors import RejectedEvent
from losswatch.river.metrics import MSE
from losswatch.river.windows import WindowedMetric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from river import metrics

__all__ = ["TimeRolling"]

_MICROSECOND = dt.timedelta(microseconds=1)
_NAIVE = dt.datetime(1970, 1, 1)  # noqa: DTZ001  # what naive times are counted from
_AWARE = _NAIVE.replace(tzinfo=dt.UTC)


class TimeRolling(WindowedMetric):
    """A metric over the last ``period`` of time, exact: ``river.utils.TimeRolling``.

    For the metrics of losswatch, and itself a metric, as :class:`Rolling` is.
    The window holds the events with ``t > now - period``, to the microsecond,
    however late they come: each takes its place by its time, and one that is
    older than the window when it comes is counted in ``cost.late``. An update
    takes about 0.7 µs however many events are inside, and 1 ns more for each
    event that is later than it.

    ``now`` is the newest time seen, of an event, of ``advance`` or ``get``, or
    of the clock; it never goes back.

    Parameters
    ----------
    metric
        As in :class:`Rolling`.
    period
        Length of the window.
    clock
        Returns what time it is, such as ``lambda: datetime.now(UTC)``. It is
        asked by ``get`` and for events that come without a time.
    **kwargs
        What the class is made with.

    Attributes
    ----------
    cost
        The :class:`TimeRollingCost` of the window; its times are microseconds
        since 1970. They are exact from 1685 to 2255, and to 32 microseconds
        (whole seconds: exact) in all other years.
    rejected
        Events refused so far, by reason.

    Raises
    ------
    TypeError
        The metric is none of losswatch's, or ``period`` is no timedelta.
    ValueError
        ``period`` is not more than 0.

    Examples
    --------
    >>> import datetime as dt
    >>> from losswatch.river import RMSE, TimeRolling
    >>> metric = TimeRolling(RMSE, period=dt.timedelta(minutes=5))
    >>> start = dt.datetime(2024, 3, 31, tzinfo=dt.UTC)
    >>> for minute, y_pred in ((0, 1e8), (5, 0.1), (6, 0.3)):
    ...     metric.update(0.0, y_pred, t=start + dt.timedelta(minutes=minute))
    >>> metric
    RMSE: 0.223607
    >>> metric.get(start + dt.timedelta(minutes=10))
    0.3
    """

    def __init__(
        self,
        metric: Any,
        period: dt.timedelta,
        clock: Callable[[], dt.datetime] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(period, dt.timedelta):
            raise TypeError(f"period is {period!r:.60}; must be a datetime.timedelta")
        if period <= dt.timedelta(0):
            raise ValueError(f"period is {period!r:.60}; must be more than 0")
        super().__init__(metric, TimeRollingCost(period / _MICROSECOND), kwargs)
        self.period = period
        self.clock = clock
        self._origin: dt.datetime | None = None  # naive or aware, as the first time is

    def update(
        self, y_true: float, y_pred: float, w: float = 1.0, *, t: dt.datetime | None = None
    ) -> None:
        """Add one event that happened at ``t``; one that cannot be scored only counts as rejected.

        Parameters
        ----------
        y_true, y_pred, w
            As in the metric.
        t
            Aware or naive, but all alike. Without it, the clock is asked.

        Raises
        ------
        TypeError
            ``t`` is no datetime, or is naive where the others are aware, or
            the other way round; or there is none, and no clock.
        """
        origin = self._origin
        if origin is not None and t.__class__ is dt.datetime and t.tzinfo is origin.tzinfo:
            # The usual case: _measure would take as long as all the rest.
            time = (t - origin) / _MICROSECOND
        else:
            time, origin = self._measure(self._now() if t is None else t)
        try:
            self.cost.update(
                y_true, y_pred, None if w.__class__ is float and w == 1.0 else w, time=time
            )
        except RejectedEvent as rejection:
            self.rejected[rejection.reason] += 1
        else:
            self._origin = origin

    def advance(self, t: dt.datetime) -> None:
        """Let time pass; events leave, and none comes back if the clock does.

        Raises
        ------
        TypeError
            As in :meth:`update`.
        """
        time, self._origin = self._measure(t)
        self.cost.advance(time)

    def get(self, t: dt.datetime | None = None) -> float:
        """Return the number at ``t``, or at the time of the clock; 0 without events.

        With neither, it is the number at the newest time seen.

        Raises
        ------
        TypeError
            As in :meth:`update`.
        """
        if t is None and self.clock is not None:
            t = self.clock()
        if t is not None:
            self.advance(t)
        return super().get()

    def is_better_than(self, other: metrics.base.Metric) -> bool:
        """Tell whether this one is better, as the metric says."""
        self.get()  # what is too old by now counts no more
        return super().is_better_than(other)

    def __repr__(self) -> str:
        self.get()
        return super().__repr__()

    def _now(self) -> dt.datetime:
        if self.clock is None:
            raise TypeError(
                "TimeRolling.update got no time: give it t, or give TimeRolling a clock"
            )
        return self.clock()

    def _measure(self, t: dt.datetime) -> tuple[float, dt.datetime]:
        """Return the microseconds since 1970, exact, and what they were counted from."""
        if not isinstance(t, dt.datetime):
            raise TypeError(f"t is {t!r:.60}; must be a datetime")
        origin = self._origin or (_NAIVE if t.utcoffset() is None else _AWARE)
        try:
            return (t - origin) / _MICROSECOND, origin
        except TypeError:
            kind, others = ("naive", "aware") if origin.tzinfo else ("aware", "naive")
            raise TypeError(
                f"t is {t!r:.60}, which is {kind}, and the times before it are {others};"
                " give all of them a time zone, or none"
            ) from None

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"metric": MSE, "period": dt.timedelta(days=1)}
