"""Drift detectors for river that tell how often they are wrong."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from river import base

from losswatch.core.alarms.budget_stream import BudgetStream
from losswatch.core.alarms.drift_stream import DriftStream
from losswatch.core.alarms.settings import BudgetAlarm, DriftAlarm
from losswatch.core.alarms.span import Span
from losswatch.core.alarms.stream import check_loss
from losswatch.core.validity import as_float
from losswatch.errors import RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BudgetDetector", "RankDetector"]


class _Detector(base.DriftDetector):
    """What the detectors share: a stream that begins anew after each detection."""

    _stream: BudgetStream | DriftStream

    def __init__(self) -> None:
        super().__init__()
        self._since_change: int | None = None

    @property
    def evidence(self) -> float:
        """How near a detection is, from 0 to 1, on the scale of logs."""
        return 1.0 if self._drift_detected else self._stream.evidence[0]

    @property
    def since_change(self) -> int | None:
        """How many events ago the change was when it was detected; a guess, rather too small."""
        return self._since_change


class BudgetDetector(_Detector):
    """Detects that the mean of a loss is above its budget, for sure.

    While the mean of the loss given the past is at most the budget, the
    expected number of detections in ``n`` updates is at most ``n /
    one_false_alarm_per``, proved for losses of any tails; ADWIN, Page-Hinkley
    and KSWIN state no such number for a loss without bounds. An update takes
    about 0.6 µs, and 2 µs with ``block=1``; the state is less than 1 kB.

    After a detection it begins anew, so while the loss stays too large it
    detects that again and again. Feed it with squared errors, or with errors
    of 0 and 1 and ``max_mean`` as the error rate.

    Parameters
    ----------
    max_rmse
        The budget, as the root of the largest mean that is well.
    max_mean
        The budget, as that mean; give this one or ``max_rmse``.
    one_false_alarm_per
        The promise: events for each false detection, at least 100 blocks.
    block
        Losses are averaged over so many events. Should be twice as long as
        errors remember each other; with 1 a detection comes sooner.
    loss_cap
        So many budgets count of a loss at most: then a single loss cannot make
        it detect.

    Raises
    ------
    ValueError
        A parameter is wrong, or none or both of ``max_rmse`` and ``max_mean``
        are given.

    Examples
    --------
    >>> import random
    >>> from losswatch.river import BudgetDetector
    >>> rng = random.Random(12345)
    >>> detector = BudgetDetector(max_rmse=1.1)
    >>> errors = [rng.gauss(0, 1) for _ in range(1000)] + [rng.gauss(0, 2) for _ in range(1000)]
    >>> for index, error in enumerate(errors):
    ...     detector.update(error * error)
    ...     if detector.drift_detected:
    ...         print(f"detected at {index}")
    ...         break
    detected at 1117
    """

    def __init__(
        self,
        max_rmse: float | None = None,
        max_mean: float | None = None,
        one_false_alarm_per: int = 1_000_000,
        block: int = 10,
        loss_cap: float | None = None,
    ) -> None:
        super().__init__()
        self.max_rmse = max_rmse
        self.max_mean = max_mean
        self.one_false_alarm_per = one_false_alarm_per
        self.block = block
        self.loss_cap = loss_cap
        try:
            self._stream = BudgetStream(
                BudgetAlarm(
                    name="budget",
                    max_rmse=_limit(max_rmse, max_mean),
                    one_false_alarm_per=_events("one_false_alarm_per", one_false_alarm_per),
                    block=_events("block", block),
                    loss_cap=loss_cap,
                )
            )
        except ValueError as error:
            raise ValueError(f"BudgetDetector {error}") from None

    def update(self, x: float) -> None:
        """Take a loss.

        Raises
        ------
        RejectedEvent
            It is no finite number of at least 0; nothing is changed.
        """
        changes = self._stream.update(x)
        self._drift_detected = bool(changes)
        if changes:
            self._since_change = changes[0].since_change
            self._stream.reset()

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"max_rmse": 1.5}
        yield {"max_mean": 0.25, "block": 1, "one_false_alarm_per": 1000}


class RankDetector(_Detector):
    """Detects that the typical loss has grown since a warm-up, where no budget is known.

    The rank of the mean of ``loss ** 0.25`` of a block among those of the warm-up
    is what counts, so a few huge losses weigh no more than large ones. The
    promise of ``one_false_alarm_per`` is calibrated by simulation and not
    proved: the warm-up is a sample, for whose error the tolerance makes room. An
    update takes about 0.5 µs; the state is 32 bytes for each block of the
    warm-up.

    After a detection it begins anew, with another warm-up. Feed it with squared
    errors.

    Parameters
    ----------
    tolerance
        By so much the mean loss may grow: 0.2 is 20 %.
    warmup
        Events that are learnt at first, 50 blocks or more; it detects nothing
        meanwhile.
    block
        Losses are averaged over so many events. Should be twice as long as
        errors remember each other.
    one_false_alarm_per
        Events for each false detection, at least 100 blocks.

    Raises
    ------
    ValueError
        A parameter is wrong.

    Examples
    --------
    >>> import random
    >>> from losswatch.river import RankDetector
    >>> rng = random.Random(12345)
    >>> detector = RankDetector()
    >>> errors = [rng.gauss(0, 1) for _ in range(9000)] + [rng.gauss(0, 2) for _ in range(1000)]
    >>> for index, error in enumerate(errors):
    ...     detector.update(error * error)
    ...     if detector.drift_detected:
    ...         print(f"detected at {index}")
    detected at 9059
    """

    def __init__(
        self,
        tolerance: float = 0.2,
        warmup: int = 5000,
        block: int = 10,
        one_false_alarm_per: int = 1_000_000,
    ) -> None:
        super().__init__()
        self.tolerance = tolerance
        self.warmup = warmup
        self.block = block
        self.one_false_alarm_per = one_false_alarm_per
        try:
            self._stream: DriftStream = DriftStream(
                DriftAlarm(
                    name="drift",
                    tolerance=tolerance,
                    warmup=_events("warmup", warmup),
                    block=_events("block", block),
                    one_false_alarm_per=_events("one_false_alarm_per", one_false_alarm_per),
                )
            )
        except ValueError as error:
            raise ValueError(f"RankDetector {error}") from None

    @property
    def waiting(self) -> int:
        """How many blocks of the warm-up are lacking."""
        return self._stream.waiting

    def update(self, x: float) -> None:
        """Take a loss.

        Raises
        ------
        RejectedEvent
            It is no finite number of at least 0; nothing is changed.
        """
        if x.__class__ is not float or not 0.0 <= x <= 1.7976931348623157e308:
            x = check_loss(x)
        changes = self._stream.update(sqrt(x))
        self._drift_detected = bool(changes)
        if changes:
            self._since_change = changes[0].since_change
            self._stream = DriftStream(self._stream.alarm)  # type: ignore[arg-type]

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {}
        yield {"tolerance": 0.1, "warmup": 500, "block": 5, "one_false_alarm_per": 10_000}


def _limit(max_rmse: float | None, max_mean: float | None) -> float:
    """Return the budget as an RMSE."""
    if (max_rmse is None) is (max_mean is None):
        raise ValueError(f"has max_rmse={max_rmse!r} and max_mean={max_mean!r}; give one of them")
    if max_mean is None:
        return max_rmse  # type: ignore[return-value]  # one of them is given
    try:
        return sqrt(as_float("max_mean", max_mean))
    except (RejectedEvent, ValueError):
        raise ValueError(f"has max_mean: {max_mean!r:.60}; must be a number above 0") from None


def _events(name: str, value: object) -> Span:
    try:
        span = Span.of(value)
    except ValueError as error:
        raise ValueError(f"has {name} which {error}") from None
    if span.timed:
        raise ValueError(
            f"has {name}: {value!r:.60}; must be a number of events: there is no clock"
        )
    return span
