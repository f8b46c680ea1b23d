"""Alarms on a rolling RMSE, at once and as a rule of Prometheus has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.alarms.errors import Errors
    from benchmarks.alarms.ours import Moment

__all__ = ["find_prometheus", "find_rolling"]

WINDOW = 1000
EVERY = 15
"""Seconds between two looks of Prometheus."""
LOOKS = 20
"""So many after the first one that is bad, it fires: 5 minutes."""


def find_rolling(errors: Errors, margin: float) -> list[Moment]:
    """Fire as long as the RMSE of the last 1,000 events is above the budget."""
    return _moments(_above(errors, margin), np.arange(1, errors.shape[1] + 1))


def find_prometheus(rate: int, errors: Errors, margin: float) -> list[Moment]:
    """Fire once that has been so for 5 minutes, looked at every 15 seconds, at a rate of events."""
    step = EVERY * rate
    bad = _above(errors, margin)[:, step - 1 :: step]
    looks = np.arange(bad.shape[1])
    last_good = np.maximum.accumulate(np.where(bad, -1, looks), axis=1)
    return _moments(looks - last_good > LOOKS, (looks + 1) * step)


def _above(errors: Errors, margin: float) -> NDArray[np.bool_]:
    total = np.cumsum(np.square(errors), axis=1)
    above = np.zeros(errors.shape, dtype=bool)
    above[:, WINDOW:] = total[:, WINDOW:] - total[:, :-WINDOW] > margin * WINDOW
    return above


def _moments(firing: NDArray[np.bool_], events: NDArray[np.int64]) -> list[Moment]:
    """Return when it begins and ends to fire; ``events`` is how many came by each column."""
    changed = np.diff(firing, axis=1, prepend=False)
    lanes, columns = np.nonzero(changed)
    raised = firing[lanes, columns]
    return list(zip(lanes.tolist(), events[columns].tolist(), raised.tolist(), strict=True))
