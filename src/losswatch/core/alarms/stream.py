"""One stream of events by itself, taken event by event: what its kinds share."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.alarms.evidence import nearness
from losswatch.core.alarms.latch import Change
from losswatch.core.validity import as_float
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from losswatch.core.alarms.bets import Bets
    from losswatch.core.alarms.settings import BudgetAlarm, DriftAlarm

__all__ = ["NOTHING", "Stream", "check_loss", "check_weight", "mean"]

NOTHING: tuple[Change, ...] = ()

_SHARED = ("_bets", "_mirror_bets")
"""What streams of the same settings share; it is not saved with each of them."""


class Stream:
    """The open block of a stream, its evidence, and whether its alarm is on. Not thread-safe.

    Parameters
    ----------
    alarm
        What was declared; its blocks must be of events.
    """

    __slots__ = (
        "_active",
        "_begun",
        "_bets",
        "_calm",
        "_ended",
        "_excess",
        "_filled",
        "_length",
        "_mirror",
        "_mirror_bets",
        "_sum",
        "_threshold",
        "_weight",
        "alarm",
    )
    _bets: Bets
    _mirror_bets: Bets

    def __init__(self, alarm: BudgetAlarm | DriftAlarm) -> None:
        if alarm.block.timed:
            raise ValueError(f"has a block of {alarm.block}; must be events: there is no clock")
        self.alarm = alarm
        self._length = int(alarm.block.size)
        self._threshold = alarm.threshold
        self._filled, self._sum, self._weight = 0, 0.0, 0.0
        self._ended = 0  # events in blocks that ended
        self._calm = 0  # events when there was no evidence yet
        self._begun = 0  # the same, when the alarm went on
        self._find_bets()
        self._active = (False,) * len(alarm.severities)
        self._excess = [[0.0] * self._bets.size for _ in alarm.severities]
        self._mirror: array[float] | None = None  # while the alarm is off

    @property
    def seen(self) -> int:
        """How many events there were."""
        return self._ended + self._filled

    @property
    def active(self) -> tuple[bool, ...]:
        """Whether the alarm is on, at each severity."""
        return self._active

    @property
    def evidence(self) -> tuple[float, ...]:
        """How near each severity is to its alarm, from 0 to 1, where it is on."""
        levels = np.array([self._level(severity) for severity in range(len(self._active))])
        near = nearness(levels, self._bets.idle, self._threshold).tolist()
        return tuple(1.0 if on else each for on, each in zip(self._active, near, strict=True))

    def reset(self) -> tuple[Change, ...]:
        """Turn the alarm off and begin anew, but for what was learnt."""
        changes = tuple(
            Change(0, name, raised=False, time=math.nan, events=self.seen)
            for name, on in zip(self.alarm.severities, self._active, strict=True)
            if on
        )
        self._calm = self.seen
        self._active = (False,) * len(self._active)
        self._excess = [[0.0] * len(row) for row in self._excess]
        self._mirror = None
        return changes

    def __getstate__(self) -> dict[str, Any]:
        names = (*Stream.__slots__, *type(self).__slots__)
        return {name: getattr(self, name) for name in names if name not in _SHARED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._find_bets()

    def _find_bets(self) -> None:
        raise NotImplementedError

    def _has_recovered(self, score: float) -> bool:
        """Take a block while the alarm is on; tell whether it is sure that all is well again."""
        row = self._mirror
        if row is None:
            return False
        return self._mirror_bets.step(row, score, 1.0) >= self.alarm.clear_threshold

    def _level(self, severity: int) -> float:
        """Return the evidence."""
        total = 0.0
        for part, one in zip(self._bets.parts, self._excess[severity], strict=True):
            total += part * one  # and not ``sum``: from Python 3.12 on it rounds less
        return total

    def _raise(self, severity: int) -> Change:
        """Turn the alarm on: a change, as of the last event."""
        self._active = tuple(on or k == severity for k, on in enumerate(self._active))
        self._excess[severity] = [0.0] * self._bets.size
        if severity == 0:
            self._begun = min(self._calm, self.seen)
            self._mirror = array("d", bytes(8 * self._mirror_bets.size))
        name = self.alarm.severities[severity]
        since = self.seen - self._begun
        return Change(0, name, True, math.nan, self.seen, since)  # noqa: FBT003


def check_loss(loss: object) -> float:
    """Return a loss as float64.

    Raises
    ------
    RejectedEvent
        It is no finite number of at least 0.
    """
    number = as_float("loss", loss)
    if number < 0.0:
        raise RejectedEvent(Reason.WRONG_TYPE, f"loss is {number!r}; must be at least 0")
    return number


def check_weight(w: object) -> float:
    """Return a weight as float64.

    Raises
    ------
    RejectedEvent
        It is no finite number of at least 0.
    """
    weight = as_float("w", w)
    if weight < 0.0:
        raise RejectedEvent(Reason.NEGATIVE_WEIGHT, f"w is {weight!r}; must be at least 0")
    return weight


def mean(total: float, weight: float) -> float:
    """Return the mean of a block; where both overflow there is nothing to be learnt: 0."""
    found = total / weight if weight else 0.0
    return found if found == found else 0.0  # noqa: PLR0124  # NaN
