"""What raises alarms: ours, rules on a rolling RMSE, detectors of river, and controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from river import drift

from benchmarks.alarms.ours import OURS, Kind, count_ours, find_ours
from benchmarks.alarms.rolling import find_prometheus, find_rolling

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.alarms.errors import Errors
    from benchmarks.alarms.ours import Moment
    from benchmarks.charts import Role

__all__ = ["CONTENDERS", "FACTORS", "ONE_PER", "Contender", "oracle"]

ONE_PER = 1_000_000
"""Events for each false alarm, where that can be asked for."""

FACTORS = (1.1, 1.5, 2.0, 4.0)
"""By so much the MSE grows in a fault."""


@dataclass(frozen=True)
class Contender:
    """Something that raises alarms.

    ``count`` returns how many alarms one long lane has, each acknowledged at
    once; ``find`` the moments at which alarms go on and off in many short
    lanes; both take errors and the budget in true MSEs. ``share`` is the part
    of the long lane that it gets, ``lanes`` how many of the short ones.
    """

    name: str
    role: Role
    promise: str
    count: Callable[[Errors, float], int]
    find: Callable[[Errors, float], list[Moment]]
    share: float = 1.0
    lanes: int = 100
    budgeted: bool = True
    """Whether it depends on the budget."""


def _count_found(
    find: Callable[[Errors, float], list[Moment]], errors: Errors, margin: float
) -> int:
    return sum(raised for _, _, raised in find(errors, margin))


def _found(
    name: str,
    role: Role,
    find: Callable[[Errors, float], list[Moment]],
    **more: Any,
) -> Contender:
    return Contender(name, role, "none", partial(_count_found, find), find, **more)


_INPUTS: dict[str, Callable[[Errors], Errors]] = {
    "L": np.square,
    "abs e": np.abs,
    "sqrt abs e": lambda errors: np.sqrt(np.abs(errors)),
    "log L": lambda errors: np.log(np.maximum(np.square(errors), 1e-300)),
}


def _find_river(
    make: Callable[[], Any],
    transform: Callable[[Errors], Errors],
    block: int,
    errors: Errors,
    margin: float,
) -> list[Moment]:
    """Return the detections; a detection is an alarm that is over at once."""
    del margin
    values = transform(errors)
    whole = values.shape[1] // block * block
    values = values[:, :whole].reshape(values.shape[0], -1, block).mean(axis=2)
    moments: list[Moment] = []
    for lane, row in enumerate(values):
        detector = make()
        update = detector.update
        for place, value in enumerate(row.tolist(), 1):
            update(value)
            if detector.drift_detected:
                moments.append((lane, place * block, True))
    return moments


def _river(name: str, make: Callable[[], Any], inputs: str, block: int, **more: Any) -> Contender:
    find = partial(_find_river, make, _INPUTS[inputs], block)
    return _found(name, "peer", find, budgeted=False, **more)


def _always(errors: Errors, margin: float) -> list[Moment]:
    del margin
    lanes, events = errors.shape
    return [(lane, event + 1, True) for lane in range(lanes) for event in range(events)]


def _never(errors: Errors, margin: float) -> list[Moment]:
    del errors, margin
    return []


def oracle(factor: float) -> Contender:
    """Return the test that knows the densities before and after: Gaussian, MSE 1 and a factor."""

    def find(errors: Errors, margin: float) -> list[Moment]:
        del margin
        gain = 0.5 * (1.0 - 1.0 / factor)
        moments: list[Moment] = []
        for lane, row in enumerate(np.exp(gain * np.square(errors)) / math.sqrt(factor)):
            evidence = 0.0
            for event, ratio in enumerate(row.tolist(), 1):
                evidence = (evidence + 1.0) * ratio
                if evidence >= ONE_PER:
                    evidence = 0.0
                    moments.append((lane, event, True))
        return moments

    return _found(f"oracle, x{factor:g}", "exact", find, budgeted=False)


def _ours(kind: Kind) -> Contender:
    return Contender(
        kind.name,
        "ours",
        f"1, {kind.guarantee}",
        partial(count_ours, kind),
        partial(find_ours, kind),
        lanes=50 if kind.block == 1 else 100,
    )


CONTENDERS = (
    _found("always fires", "other", _always, share=1e-4, lanes=10, budgeted=False),
    _found("never fires", "other", _never, budgeted=False),
    _found("rolling RMSE of 1,000", "peer", find_rolling),
    _found("Prometheus `for: 5m`, 10 events/s", "peer", partial(find_prometheus, 10)),
    _found("Prometheus `for: 5m`, 1 event/s", "peer", partial(find_prometheus, 1)),
    *(
        _river(f"ADWIN on {inputs}", drift.ADWIN, inputs, 1, share=0.1, lanes=25)
        for inputs in _INPUTS
    ),
    _river("ADWIN on sqrt abs e, block 10", drift.ADWIN, "sqrt abs e", 10),
    *(
        _river(
            f"PageHinkley on {inputs}",
            partial(drift.PageHinkley, mode="up"),
            inputs,
            1,
            share=0.03,
            lanes=10,
        )
        for inputs in _INPUTS
    ),
    _river("KSWIN on L", partial(drift.KSWIN, seed=1), "L", 1, share=5e-4, lanes=0),
    *(_ours(kind) for kind in OURS),
)
