"""Arrivals in parts that can be decided together, each id's in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.join.records import PREDICTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from losswatch.core.join.arrivals import Arrivals
    from losswatch.core.join.records import Records

__all__ = ["in_parts"]

_LOOKS = 2
"""Rounds after which it is looked for arrivals that change nothing."""


def in_parts(arrivals: Arrivals, records: Records) -> Iterator[Arrivals]:
    """Yield arrivals in parts; each is to be written to the records before the next is asked for.

    In a part no id is there twice, but where none of it can change a record:
    who sends one id with everything holds up nobody.
    """
    looks = _LOOKS
    while looks and len(arrivals):
        first, rest = arrivals.split()
        yield first
        if not len(rest):  # the usual case
            return
        idle = _are_idle(rest, records)
        if idle.any():
            yield rest.take(np.flatnonzero(idle))
        arrivals = rest.take(np.flatnonzero(~idle))
        looks -= 1
    if len(arrivals):
        yield from arrivals.rounds()


def _are_idle(arrivals: Arrivals, records: Records) -> NDArray[np.bool_]:
    """Tell which change nothing, now or later: a prediction that is known stays as it is."""
    rows = records.find(arrivals.ids)
    known = (rows >= 0) & (records.bits[rows] & PREDICTED != 0)
    known &= records.deadline[rows] >= arrivals.clock
    same = (records.y_pred[:, rows] == arrivals.y_pred).all(axis=0)
    same &= records.w[rows] == arrivals.w
    idle: NDArray[np.bool_] = known & arrivals.has_pred & (~same | ~arrivals.has_true)
    return idle
