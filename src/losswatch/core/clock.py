"""The times of events, one by one and as columns."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from losswatch.core.validity import as_float
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats

__all__ = [
    "AHEAD",
    "LATEST",
    "as_time",
    "as_times",
    "check_time",
    "event_time",
    "fill_times",
    "future",
    "no_time",
    "unit_hint",
]

AHEAD = 300.0
"""Seconds that the clock of whoever sends an event may be ahead of ours."""

LATEST = 253_402_300_800.0
"""The year 10000, in seconds since 1970."""

_SMALLER_UNITS = {"milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


class Clock(Protocol):
    """What tells the time of the events so far, and whether an event must have one."""

    now: float
    needs_time: bool


def as_time(time: object) -> float:
    """Return a time in seconds since 1970.

    A number is taken as just that, a ``datetime`` must tell its time zone.

    Raises
    ------
    RejectedEvent
        It is no time, or is not from 1970 to 9999 (``invalid_time``).
    """
    if isinstance(time, dt.datetime):
        if time.tzinfo is None:
            detail = f"time is {time!r} without a time zone; add one: datetime.now(timezone.utc)"
            raise RejectedEvent(Reason.INVALID_TIME, detail)
        return check_time(time.timestamp())
    try:
        seconds = as_float("time", time)
    except RejectedEvent as rejection:
        raise RejectedEvent(Reason.INVALID_TIME, rejection.detail) from None
    return check_time(seconds)


def check_time(seconds: float) -> float:
    """Return a time if it can be that of an event.

    Raises
    ------
    RejectedEvent
        It is not from 1970 to 9999 (``invalid_time``).
    """
    if 0.0 <= seconds < LATEST:
        return seconds
    rule = f"must be seconds since 1970, up to the year 9999{unit_hint(seconds)}"
    raise RejectedEvent(Reason.INVALID_TIME, f"time is {seconds!r}; {rule}")


def event_time(time: object, at: float | None, clock: Clock) -> float:
    """Return when an event was: at its own time, or when it arrived.

    Raises
    ------
    RejectedEvent
        It is no time or ahead of the clock, or it is needed and not there.
    """
    if time is None:
        if at is None and clock.needs_time:
            raise no_time()
        return clock.now if at is None else at
    if time.__class__ is float and 0.0 <= time < LATEST:
        when: float = time
    else:
        when = as_time(time)
    if at is not None and when > at + AHEAD:
        raise future(when, at)
    return when


def unit_hint(seconds: float) -> str:
    """Return what a number that is too large for seconds may have been meant as."""
    for unit, per_second in _SMALLER_UNITS.items():
        if LATEST <= seconds < LATEST * per_second:
            return f"; it looks like {unit}: divide it by {per_second:,}"
    return ""


def future(time: float, at: float) -> RejectedEvent:
    """Return the refusal of an event that is ahead of our clock."""
    detail = (
        f"time is {time!r}, {time - at:,g} s ahead of this machine's clock; at most"
        f" {AHEAD:g} s are taken: set the clock of the sender"
    )
    return RejectedEvent(Reason.FUTURE_TIME, detail)


def no_time(index: int | None = None) -> RejectedEvent:
    """Return the refusal of an event that cannot enter a window of time."""
    detail = (
        "the event has no time, and a window of time is watched without a clock; give each event"
        " its time, named by fields if it has another name, or watch no window of time"
    )
    return RejectedEvent(Reason.MISSING_FIELD, detail, index)


def fill_times(times: Floats, now: float, at: float | None, *, needed: bool) -> list[RejectedEvent]:
    """Let events without a time be of the moment, in place, or return their refusal."""
    missing = np.flatnonzero(np.isnan(times))
    times[missing] = now if at is None else at
    return list(map(no_time, missing.tolist())) if needed and at is None else []


def as_times(time: object, size: int, at: float | None) -> tuple[Floats, list[RejectedEvent]]:
    """Return a column of times in seconds, NaN where there is none, and what is refused.

    Raises
    ------
    RejectedEvent
        It is no column of this size (``wrong_type``).
    """
    if time is None:
        return np.full(size, np.nan), []
    try:
        array = np.asarray(time)
    except ValueError:  # rows of different lengths
        array = np.empty((0, 0))
    if array.shape != (size,):
        detail = f"the column time has the shape {array.shape}; must have {size} events"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    rejected: list[RejectedEvent] = []
    if array.dtype.kind == "M":
        seconds = _seconds(array)
    elif array.dtype.kind in "fiu":
        seconds = array.astype(np.float64)
    else:
        seconds, rejected = _one_by_one(array.tolist())
    if np.ma.isMaskedArray(time):
        seconds[np.ma.getmaskarray(time)] = np.nan
    return seconds, rejected + _refused(seconds, at)


def _seconds(times: NDArray[np.datetime64]) -> Floats:
    """Return the seconds since 1970 of UTC; subtracting would wrap around for far ones."""
    unit, count = np.datetime_data(times.dtype)
    if unit not in _UNITS:  # years and months are of different lengths
        times, unit, count = times.astype("M8[D]"), "D", 1
    seconds = times.astype(np.int64) * (_UNITS[unit] * count)
    return np.where(np.isnat(times), np.nan, seconds)


_UNITS = {"W": 604800.0, "D": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_UNITS |= {"ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15, "as": 1e-18}


def _one_by_one(times: list[object]) -> tuple[Floats, list[RejectedEvent]]:
    seconds, rejected = np.full(len(times), np.nan), []
    for index, time in enumerate(times):
        try:
            if time is not None and not (isinstance(time, float) and math.isnan(time)):
                seconds[index] = as_time(time)
        except RejectedEvent as rejection:
            rejected.append(rejection.at(index))
    return seconds, rejected


def _refused(time: Floats, at: float | None) -> list[RejectedEvent]:
    """Return the refusal of every time that cannot be that of an event."""
    latest = LATEST if at is None else min(at + AHEAD, LATEST)
    rejected = []
    for index in np.flatnonzero((time < 0.0) | (time >= LATEST) | (time > latest)).tolist():
        try:
            raise future(check_time(float(time[index])), at or 0.0)
        except RejectedEvent as rejection:
            rejected.append(rejection.at(index))
    return rejected
