"""Our alarms, as the benchmark runs them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.alarms.errors import BEFORE
from losswatch.core.alarms.budget_stream import BudgetStream
from losswatch.core.alarms.drift_stream import DriftStream
from losswatch.core.alarms.settings import BudgetAlarm, DriftAlarm
from losswatch.core.alarms.span import Span
from losswatch.core.alarms.watch import Watch
from losswatch.core.cells.scored import Scored

if TYPE_CHECKING:
    from benchmarks.alarms.errors import Errors

__all__ = ["OURS", "RENEW", "Kind", "Moment", "count_ours", "find_ours"]

Moment = tuple[int, int, bool]
"""The lane, how many events it had, and whether the alarm went on."""

WARMUP = Span(5000.0)
RENEW = 500_000
"""Events of a drift until it learns anew."""

_AT_ONCE = 100_000


@dataclass(frozen=True)
class Kind:
    """One of our alarms; ``margin`` is the budget, or what a drift tolerates, in true MSEs."""

    budget: bool
    block: int

    @property
    def name(self) -> str:
        """As the tables have it."""
        kind = "budget" if self.budget else "drift"
        return f"**{kind}, {'per event' if self.block == 1 else f'block {self.block}'}**"

    @property
    def guarantee(self) -> str:
        """What its promise rests on."""
        return "proved" if self.budget else "calibrated"

    def alarm(self, margin: float, *, lanes: bool = False) -> BudgetAlarm | DriftAlarm:
        """Return its settings."""
        block = Span(float(self.block))
        if self.budget:
            limit = math.sqrt(margin)
            return BudgetAlarm(name="budget", max_rmse=limit, block=block, per_segment=lanes)
        return DriftAlarm(
            name="drift", tolerance=margin - 1.0, warmup=WARMUP, block=block, per_segment=lanes
        )

    def stream(self, margin: float) -> BudgetStream | DriftStream:
        """Return it for one stream."""
        alarm = self.alarm(margin)
        return BudgetStream(alarm) if isinstance(alarm, BudgetAlarm) else DriftStream(alarm)


OURS = (
    Kind(budget=True, block=1),
    Kind(budget=True, block=10),
    Kind(budget=True, block=20),
    Kind(budget=False, block=10),
    Kind(budget=False, block=20),
)


def count_ours(kind: Kind, errors: Errors, margin: float) -> int:
    """Return how many alarms the only lane has, each reset at once.

    A drift learns anew now and then: one warm-up may be luckier than another.
    """
    stream, found = kind.stream(margin), 0
    values = np.square(errors[0]) if kind.budget else errors[0]
    for start in range(0, values.size, _AT_ONCE):
        if not kind.budget and start % RENEW == 0:
            stream = kind.stream(margin)
        update = stream.update
        for value in values[start : start + _AT_ONCE].tolist():
            if update(value):
                found += 1
                stream.reset()
    return found


def find_ours(kind: Kind, errors: Errors, margin: float) -> list[Moment]:
    """Return what goes on and off in many lanes, from a watch of as many segments."""
    if kind.block == 1:
        return _find_first(kind, errors, margin)
    lanes, events = errors.shape
    watch = Watch(kind.alarm(margin, lanes=True), "", lanes, 1)
    step = _AT_ONCE // lanes // kind.block * kind.block
    for start in range(0, events, step):
        error = errors[:, start : start + step].T.ravel()
        slot = np.tile(np.arange(lanes), error.size // lanes)
        batch = Scored(slot, error, error, None)
        watch.add(batch, error * error, np.zeros(error.size))
    return [(change.stream, change.events, change.raised) for change in watch.changes()]


def _find_first(kind: Kind, errors: Errors, margin: float) -> list[Moment]:
    """Return the same, but of each lane to the first alarm in its fault: single events are slow."""
    moments: list[Moment] = []
    for lane, row in enumerate(np.square(errors)):
        stream = kind.stream(margin)
        for event, loss in enumerate(row.tolist(), 1):
            changes = stream.update(loss)
            if changes:
                moments += [(lane, event, change.raised) for change in changes]
                if event > BEFORE:
                    break
    return moments
