"""The alarm for a mean loss above its budget, on one stream, event by event."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losswatch.core.alarms.bets import CAP, clearing_bets, excess_bets
from losswatch.core.alarms.evidence import CALM
from losswatch.core.alarms.stream import NOTHING, Stream, check_loss, check_weight, mean
from losswatch.core.validity import LARGEST
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from losswatch.core.alarms.latch import Change
    from losswatch.core.alarms.settings import BudgetAlarm

__all__ = ["BudgetStream"]

_LARGEST_STAKE = 0.9  # of blocks of several events
_ROUNDING = 1.0 - 1e-9


class BudgetStream(Stream):
    """A :class:`Watch` of one stream of losses: the same changes at the same events, to the bit.

    While the mean loss of a block given the past is at most the budget, at
    most one alarm in ``one_false_alarm_per`` events is expected, for losses of
    any tails. An event takes about 0.4 µs in blocks of 10, and 2 µs by itself;
    the state is less than 1 kB.

    Parameters
    ----------
    alarm
        What was declared; its blocks must be of events.

    Raises
    ------
    ValueError
        Its blocks are of time.

    Examples
    --------
    >>> from losswatch.core.alarms.settings import BudgetAlarm
    >>> stream = BudgetStream(BudgetAlarm(name="budget", max_rmse=2.0))
    >>> while not stream.active[0]:
    ...     changes = stream.update(9.0)
    >>> changes[0].events
    165
    """

    __slots__ = ("_budgets", "_cap", "_capped", "_fresh", "_spent", "_sure", "_weighted")

    def __init__(self, alarm: BudgetAlarm) -> None:
        super().__init__(alarm)
        self._budgets = alarm.budgets
        cap = math.inf if alarm.loss_cap is None else alarm.loss_cap
        self._cap = cap * alarm.budgets[0]
        self._capped = 0.0
        self._fresh = False  # raised within the block that is open
        self._spent = False  # and turned off since: the block does not count
        self._weighted = False
        self._sure = self._find_sure()

    def update(self, loss: float, w: float = 1.0) -> tuple[Change, ...]:
        """Take a loss; return what went on or off by it.

        Raises
        ------
        RejectedEvent
            The loss or its weight is no finite number of at least 0; nothing
            is changed.
        """
        if (
            w.__class__ is not float
            or w != 1.0
            or loss.__class__ is not float
            or not 0.0 <= loss <= 1.7976931348623157e308  # LARGEST; a global name costs 2 %
        ):
            loss, w = self._check(loss, w)
        capped = loss / self._budgets[0]
        if capped > 20.0:  # noqa: PLR1730  # CAP; ``min`` is a call
            capped = 20.0
        if loss > self._cap:  # noqa: PLR1730
            loss = self._cap
        self._sum = total = self._sum + w * loss
        self._capped += w * capped
        self._weight += w
        self._filled = filled = self._filled + 1
        if filled == self._length:
            return self._close()
        return NOTHING if total < self._sure else self._glance()

    def reset(self) -> tuple[Change, ...]:
        """Turn the alarm off and begin anew; a block that led to it does not count any more."""
        changes = super().reset()
        self._spent, self._fresh = self._spent or self._fresh, False
        self._sure = self._find_sure()
        return changes

    def _find_bets(self) -> None:
        self._bets = excess_bets(single=self._length == 1)
        self._mirror_bets = clearing_bets()

    def _check(self, loss: object, w: object) -> tuple[float, float]:
        """Return a loss and its weight; from the first weight on no alarm comes early."""
        number, weight = check_loss(loss), check_weight(w)
        if not weight * number <= LARGEST:
            detail = f"the weighted loss of {number!r} and {weight!r} is beyond float64"
            raise RejectedEvent(Reason.OVERFLOW, detail)
        if weight != 1.0:
            self._weighted, self._sure = True, math.inf
        return number, weight

    def _close(self) -> tuple[Change, ...]:
        """End the block and judge it."""
        loss, capped = mean(self._sum, self._weight), mean(self._capped, self._weight)
        self._filled, self._sum, self._capped, self._weight = 0, 0.0, 0.0, 0.0
        self._ended += self._length
        if self._spent:
            self._spent, changes = False, NOTHING
            self._sure = self._find_sure()
        else:
            changes = self._judge(loss, capped)
        return changes

    def _judge(self, loss: float, capped: float) -> tuple[Change, ...]:
        changes, sure = NOTHING, math.inf
        early = not self._weighted and self._length > 1
        for severity, budget in enumerate(self._budgets):
            if not self._active[severity]:
                score = loss / budget - 1.0
                evidence = self._bets.step(self._excess[severity], score, 1.0)
                if evidence >= self._threshold:
                    changes = (*changes, self._raise(severity))
                    continue
                if early:
                    sure = min(sure, self._bound(evidence, budget))
                if severity == 0 and evidence < CALM * self._threshold:
                    self._calm = self._ended
        self._sure = sure
        if self._active[0]:
            changes += self._try_to_clear(capped)
        return changes

    def _try_to_clear(self, capped: float) -> tuple[Change, ...]:
        if self._fresh:
            self._fresh = False
            return NOTHING
        return self.reset() if self._has_recovered(min(capped, CAP) - 1.0) else NOTHING

    def _raise(self, severity: int) -> Change:
        self._fresh = self._fresh or severity == 0
        return super()._raise(severity)

    def _glance(self) -> tuple[Change, ...]:
        """Turn on what the block will lead to whatever comes: no loss is below 0."""
        if self._weighted or self._spent:  # and the sum is infinite
            return NOTHING
        least, changes = self._sum / self._length, NOTHING
        for severity, budget in enumerate(self._budgets):
            if not self._active[severity]:
                row = self._excess[severity].copy()
                if self._bets.step(row, least / budget - 1.0, 1.0) >= self._threshold:
                    changes = (*changes, self._raise(severity))
        if changes:
            self._sure = self._find_sure()
        return changes

    def _find_sure(self) -> float:
        """Return a sum below which no block that goes on is sure to lead to an alarm."""
        if self._weighted or self._spent:
            return math.inf
        bounds = (
            self._bound(self._level(severity), budget)
            for severity, budget in enumerate(self._budgets)
            if not self._active[severity]
        )
        return min(bounds, default=math.inf)

    def _bound(self, evidence: float, budget: float) -> float:
        """Return a sum below which the block cannot bring evidence to the threshold.

        No factor is above that of the largest stake, so evidence ``E`` will be at
        most ``(E + 1) * (1 + stake * score)``.
        """
        if evidence + 1.0 >= self._threshold:
            return 0.0
        score = (self._threshold / (evidence + 1.0) - 1.0) / _LARGEST_STAKE
        return (1.0 + score) * budget * self._length * _ROUNDING
