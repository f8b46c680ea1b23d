"""Log refused events: all kinds at once, none of them too often."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from losswatch.service.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.errors import Reason
    from losswatch.sources.base import Refusal

__all__ = ["RefusalLog"]

logger = logging.getLogger("losswatch.refused")


class RefusalLog:
    """Shows the first refusals of each reason, then one summary a period.

    Parameters
    ----------
    clock
        Seconds, never going back.
    first
        How many of each reason are shown in a period.
    period
        Seconds from one summary to the next.
    """

    def __init__(self, clock: Callable[[], float], *, first: int = 5, period: float = 10.0) -> None:
        self._clock = clock
        self._first = first
        self._period = period
        self._shown: Counter[Reason] = Counter()
        self._held_back: Counter[Reason] = Counter()
        self._since = clock()

    def add(self, source: str, refusal: Refusal) -> None:
        """Log one refusal, or count it for the summary."""
        self.tick()
        if self._shown[refusal.reason] < self._first:
            self._shown[refusal.reason] += 1
            logger.warning(
                "%s%s refused: %s (%s)",
                source,
                f" line {refusal.line}" if refusal.line else "",  # a worker refused it itself
                printable(refusal.detail),
                refusal.reason,
            )
        else:
            self._held_back[refusal.reason] += 1

    def tick(self) -> None:
        """Log the summary if the period is over."""
        if self._clock() - self._since >= self._period:
            self.flush()

    def flush(self) -> None:
        """Log the summary now and begin a new period."""
        if self._held_back:
            counts = ", ".join(f"{reason} {n:,}" for reason, n in self._held_back.most_common())
            logger.warning("%d more refused: %s", self._held_back.total(), counts)
        self._shown.clear()
        self._held_back.clear()
        self._since = self._clock()
