"""How soon an alarm comes after a fault, how often, and when it is over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.alarms.errors import BEFORE, FAULT, RECOVERY, make_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.alarms.contenders import Contender
    from benchmarks.alarms.errors import Errors
    from benchmarks.alarms.ours import Moment

__all__ = ["Response", "faulty_errors", "measure_response"]


@dataclass(frozen=True)
class Response:
    """What an alarm made of faults that it was not on before.

    Delays are in events, ``inf`` where more faults than that were missed;
    ``alarms`` is how many there are for each fault that was not missed, to the
    end of the recovery; ``clear`` is the median time from the end of the fault
    until the alarm is off, ``nan`` where there is no such thing.
    """

    runs: int
    median: float
    p95: float
    missed: float
    alarms: float
    clear: float


def faulty_errors(name: str, factor: float, lanes: int) -> Errors:
    """Return errors whose MSE grows by a factor for a while."""
    errors = make_errors(name, 2, lanes, BEFORE + FAULT + RECOVERY)
    errors[:, BEFORE : BEFORE + FAULT] *= math.sqrt(factor)
    return errors


def measure_response(contender: Contender, errors: Errors, margin: float) -> Response | None:
    """Return what it makes of the faults; none if it was on before all of them."""
    errors = errors[: contender.lanes]
    lanes: list[list[Moment]] = [[] for _ in errors]
    for moment in sorted(contender.find(errors, margin)):
        lanes[moment[0]].append(moment)
    fair = [lane for lane in lanes if not _is_on(lane, BEFORE)]
    if not fair:
        return None
    raises = [[event for _, event, raised in lane if raised and event > BEFORE] for lane in fair]
    delays = [
        events[0] - BEFORE if events and events[0] <= BEFORE + FAULT else math.inf
        for events in raises
    ]
    found = [len(events) for events, delay in zip(raises, delays, strict=True) if delay < math.inf]
    return Response(
        runs=len(fair),
        median=_quantile(delays, 0.5),
        p95=_quantile(delays, 0.95),
        missed=1.0 - len(found) / len(fair),
        alarms=float(np.mean(found)) if found else math.nan,
        clear=_clear(fair),
    )


def _is_on(lane: Sequence[Moment], event: int) -> bool:
    """Tell whether an alarm that goes off again was on."""
    if all(raised for _, _, raised in lane):
        return False
    before = [raised for _, at, raised in lane if at <= event]
    return bool(before) and before[-1]


def _clear(lanes: Sequence[Sequence[Moment]]) -> float:
    end = BEFORE + FAULT
    times = [
        next((at - end for _, at, raised in lane if at > end and not raised), math.inf)
        for lane in lanes
        if _is_on(lane, end)
    ]
    return _quantile(times, 0.5) if times else math.nan


def _quantile(values: Sequence[float], part: float) -> float:
    """Return the least value that at least this part is not above."""
    ordered = sorted(values)
    return ordered[max(math.ceil(part * len(ordered)) - 1, 0)]
