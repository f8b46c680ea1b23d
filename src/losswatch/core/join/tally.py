"""What the join counts."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losswatch.core.cells.products import Floats

__all__ = ["DELAYS", "LIMIT", "PREDICTION", "TRUTH", "TTL", "JoinSnapshot", "Tally"]

TTL = "ttl"
"""Expired because its time was over."""

LIMIT = "limit"
"""Expired because too many waited."""

PREDICTION, TRUTH = "prediction", "truth"
"""What came twice."""

_HOUR, _DAY = 3600.0, 86_400.0

DELAYS = (1.0, 10.0, 60.0, 600.0, _HOUR, 6 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY)
"""Bounds of the histogram of delays, in seconds."""


@dataclass(frozen=True, slots=True)
class JoinSnapshot:
    """One reading of a join: what waits, and what was counted since the process started.

    ``ever_*`` and ``last_*`` are of the state: they go on over restarts.
    """

    pending_predictions: int
    pending_truths: int
    retained: int
    predicted: int
    scored: int
    revised: int
    expired: Mapping[str, int]
    unmatched: Mapping[str, int]
    duplicates: Mapping[str, int]
    delays: tuple[int, ...]  # cumulative; the last is all
    delay_sum: float
    ever_predicted: int
    ever_scored: int
    last_prediction: float | None
    last_truth: float | None

    @property
    def coverage(self) -> float:
        """The share of the predictions that were scored, since the state began."""
        return self.ever_scored / self.ever_predicted if self.ever_predicted else math.nan

    @property
    def is_used(self) -> bool:
        """Whether anything with an id ever came."""
        return self.last_prediction is not None or self.last_truth is not None


@dataclass(slots=True)
class Tally:
    """Counts of one process; only ``ever_*`` and ``last_*`` are of the state."""

    predicted: int = 0
    scored: int = 0
    revised: int = 0
    ever_predicted: int = 0
    ever_scored: int = 0
    last_prediction: float | None = None
    last_truth: float | None = None
    expired: Counter[str] = field(default_factory=lambda: Counter({TTL: 0, LIMIT: 0}))
    unmatched: Counter[str] = field(default_factory=lambda: Counter({TTL: 0, LIMIT: 0}))
    duplicates: Counter[str] = field(default_factory=lambda: Counter({PREDICTION: 0, TRUTH: 0}))
    delay_sum: float = 0.0
    _delays: list[int] = field(default_factory=lambda: [0] * (len(DELAYS) + 1))

    def add_predictions(self, count: int, at: float) -> None:
        """Count predictions that are new."""
        if count:
            self.predicted += count
            self.ever_predicted += count
            self.last_prediction = max(self.last_prediction or 0.0, at)

    def add_scored(self, delays: Floats) -> None:
        """Count events that were scored, with how long the truth took."""
        delays = np.maximum(delays, 0.0)  # the truth may be known first
        self.scored += delays.size
        self.ever_scored += delays.size
        self.delay_sum += float(delays.sum())
        buckets = np.searchsorted(DELAYS, delays, side="left")
        counts = np.bincount(buckets, minlength=len(self._delays)).tolist()
        self._delays = [a + b for a, b in zip(self._delays, counts, strict=True)]

    @property
    def delays(self) -> tuple[int, ...]:
        """The delays up to each bound; the last are all."""
        return tuple(np.cumsum(self._delays).tolist())

    def merged(self, other: Tally, predicted: int, scored: int) -> Tally:
        """Return the state of both, given what both had counted; it has counted nothing yet."""
        return Tally(
            ever_predicted=self.ever_predicted + other.ever_predicted - predicted,
            ever_scored=self.ever_scored + other.ever_scored - scored,
            last_prediction=_later(self.last_prediction, other.last_prediction),
            last_truth=_later(self.last_truth, other.last_truth),
        )


def _later(one: float | None, other: float | None) -> float | None:
    return max((time for time in (one, other) if time is not None), default=None)
