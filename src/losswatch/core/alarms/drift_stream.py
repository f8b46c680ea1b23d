"""The alarm for a typical error that grew since a warm-up, on one stream, event by event."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from math import sqrt
from typing import TYPE_CHECKING

from losswatch.core.alarms.bets import rank_bets
from losswatch.core.alarms.evidence import CALM
from losswatch.core.alarms.stream import NOTHING, Stream, check_weight, mean
from losswatch.core.validity import as_float

if TYPE_CHECKING:
    from losswatch.core.alarms.latch import Change
    from losswatch.core.alarms.settings import DriftAlarm

__all__ = ["DriftStream"]


class DriftStream(Stream):
    """A :class:`Watch` of one stream of errors: the same changes at the same events, to the bit.

    The rate of false alarms is calibrated by simulation and not proved. An
    event takes about 0.4 µs in blocks of 10; the state is 32 bytes for each
    block of the warm-up.

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
    >>> from losswatch.core.alarms.settings import DriftAlarm
    >>> stream = DriftStream(DriftAlarm(name="drift"))
    >>> for event in range(5000):
    ...     changes = stream.update(event % 7 - 3.0)
    >>> while not stream.active[0]:
    ...     changes = stream.update(9.0)
    >>> changes[0].events
    5040
    """

    __slots__ = ("_blocks", "_growth", "_learnt")

    def __init__(self, alarm: DriftAlarm) -> None:
        self._blocks = alarm.blocks
        super().__init__(alarm)
        self._growth = (1.0 + alarm.tolerance) ** 0.25
        self._learnt: list[float] = []

    @property
    def waiting(self) -> int:
        """How many blocks of the warm-up are lacking."""
        return self._blocks - len(self._learnt)

    def update(self, error: float, w: float = 1.0) -> tuple[Change, ...]:
        """Take an error, of either sign; return what went on or off by it.

        Raises
        ------
        RejectedEvent
            The error is not finite, or its weight no finite number of at least
            0; nothing is changed.
        """
        if (
            w.__class__ is not float
            or w != 1.0
            or error.__class__ is not float
            or not -1.7976931348623157e308 <= error <= 1.7976931348623157e308
        ):
            error, w = as_float("error", error), check_weight(w)
        self._sum += w * sqrt(abs(error))
        self._weight += w
        self._filled = filled = self._filled + 1
        return self._close() if filled == self._length else NOTHING

    def _find_bets(self) -> None:
        self._bets = self._mirror_bets = rank_bets(self._blocks)

    def _close(self) -> tuple[Change, ...]:
        """End the block; learn from it or judge it."""
        typical = mean(self._sum, self._weight)
        self._filled, self._sum, self._weight = 0, 0.0, 0.0
        self._ended += self._length
        if len(self._learnt) < self._blocks:
            insort(self._learnt, typical)
            self._calm = self._ended
            return NOTHING
        return self._judge(typical / self._growth)

    def _judge(self, typical: float) -> tuple[Change, ...]:
        if self._active[0]:
            recovered = self._has_recovered(bisect_right(self._learnt, typical))
            return self.reset() if recovered else NOTHING
        rank = self._blocks - bisect_left(self._learnt, typical)
        evidence = self._bets.step(self._excess[0], rank, 1.0)
        if evidence >= self._threshold:
            return (self._raise(0),)
        if evidence < CALM * self._threshold:
            self._calm = self._ended
        return NOTHING
