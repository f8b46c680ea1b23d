"""How many requests are answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Rate"]


class Rate:
    """A bucket of tokens: one for each request, a new one each so often. For one thread.

    Parameters
    ----------
    interval
        Seconds until there is another one.
    burst
        So many at most, as there are at the start.
    clock
        Returns seconds that never go back.
    """

    def __init__(
        self, interval: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._burst = burst
        self._slack = (burst - 1) * interval
        self._clock = clock
        self._next = clock() - self._slack  # of a full bucket the next token is so old

    def is_of(self, interval: float, burst: int) -> bool:
        """Tell whether it is as one that is made of these."""
        return (self._interval, self._burst) == (interval, burst)

    def take(self) -> float:
        """Take a token; return 0, or if there is none the seconds until there is one."""
        now = self._clock()
        due = max(self._next, now - self._slack)
        if due > now:
            return due - now
        self._next = due + self._interval
        return 0.0
