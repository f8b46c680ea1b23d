"""A time is seconds since 1970 or an aware datetime; all else is refused with a reason."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pytest

from losswatch import Reason, RejectedEvent
from losswatch.core.clock import AHEAD, LATEST, as_time, as_times, check_time

EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))
NAIVE = dt.datetime(2024, 1, 1)  # noqa: DTZ001  # the mistake that is tested
YEAR_10000 = 253_402_300_800.0


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (0.0, 0.0),
        (1700000000, 1.7e9),
        (1700000000.25, 1700000000.25),
        (np.float32(1.5), 1.5),
        (np.int64(7), 7.0),
        (Decimal("0.5"), 0.5),
        (math.nextafter(YEAR_10000, 0), math.nextafter(YEAR_10000, 0)),
        (dt.datetime(1970, 1, 1, 5, 30, 1, 500_000, EAST), 1.5),
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 0.0),
        (dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC), YEAR_10000 - 1),
    ],
    ids=str,
)
def test_a_time_is_seconds(time, seconds):
    """Numbers are taken as they are, and a datetime at its zone; alone and in a column."""
    assert as_time(time) == seconds
    found, rejected = as_times([time, None], 2, None)
    assert (found[0], math.isnan(found[1]), rejected) == (seconds, True, [])


BAD = {
    "text": ("1700000000", "must be a number"),
    "ISO 8601": ("2024-01-01T00:00:00Z", "must be a number"),
    "a naive datetime": (NAIVE, "without a time zone"),
    "a date": (dt.date(2024, 1, 1), "must be a number"),
    "before 1970": (-1.0, "must be seconds since 1970"),
    "just before 1970": (-5e-324, "must be seconds since 1970"),
    "a datetime before 1970": (dt.datetime(1969, 12, 31, tzinfo=dt.UTC), "since 1970"),
    "the year 10000": (YEAR_10000, "up to the year 9999"),
    "infinite": (math.inf, "is inf"),
    "an integer beyond float64": (10**400, "must be a finite float64"),
    "milliseconds": (1.7e12, "it looks like milliseconds"),
    "microseconds": (1.7e15, "it looks like microseconds"),
    "nanoseconds": (1.7e18, "it looks like nanoseconds"),
    "a list": ([1.0], "must be a number"),
    "complex": (1j, "must be a number"),
}


@pytest.mark.parametrize(("time", "detail"), BAD.values(), ids=BAD)
def test_what_is_no_time_is_refused(time, detail):
    """The refusal says what was found and what is allowed; alone and in a column."""
    with pytest.raises(RejectedEvent, match=detail) as refusal:
        as_time(time)
    assert refusal.value.reason is Reason.INVALID_TIME
    column = np.empty(3, dtype=object)
    column[:] = [5.0, time, 6.0]
    seconds, rejected = as_times(column, 3, None)
    assert [(r.index, r.reason) for r in rejected] == [(1, Reason.INVALID_TIME)]
    assert (seconds[0], seconds[2]) == (5.0, 6.0)


def test_only_what_looks_like_a_finer_unit_gets_the_hint():
    """1e8 to 1e10 seconds are 1973 to 2286: a number that is such a time in a finer unit."""
    for time in (-1.0, 1e13 * 1.1, 9e23):
        with pytest.raises(RejectedEvent) as refusal:
            check_time(time)
        assert "look like" not in refusal.value.detail or time == 1e13 * 1.1
    with pytest.raises(RejectedEvent, match=r"year 9999; it looks like milliseconds: .* \(inv"):
        check_time(1e12)


def test_nan_is_no_time_alone_and_a_gap_in_a_column():
    """A column has NaN where an event does not tell; a single event leaves it out."""
    with pytest.raises(RejectedEvent) as refusal:
        as_time(math.nan)
    assert refusal.value.reason is Reason.INVALID_TIME
    for column in ([math.nan, 1.0], np.array([math.nan, 1.0]), [math.nan, dt.datetime.now(dt.UTC)]):
        seconds, rejected = as_times(column, 2, None)
        assert (np.isnan(seconds).tolist(), rejected) == ([True, False], [])


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_columns_of_datetime64_are_in_utc(unit):
    """Whatever their unit; NaT is a gap, and what is before 1970 is refused."""
    column = np.array(["2024-01-02", "NaT", "1969-12-31"], dtype=f"datetime64[{unit}]")
    seconds, rejected = as_times(column, 3, None)
    assert seconds[0] == dt.datetime(2024, 1, 2, tzinfo=dt.UTC).timestamp()
    assert math.isnan(seconds[1])
    assert [(r.index, r.reason) for r in rejected] == [(2, Reason.INVALID_TIME)]
    halves = np.array(["1970-01-01T00:00:00.500"], dtype="datetime64[ms]")
    assert as_times(halves, 1, None)[0].tolist() == [0.5]


def test_no_column_is_a_column_of_gaps():
    """Of the size of the others."""
    seconds, rejected = as_times(None, 3, 5.0)
    assert (np.isnan(seconds).tolist(), rejected) == ([True] * 3, [])


@pytest.mark.parametrize("column", [[1.0], [[1.0, 2.0]], 5.0, "now"], ids=str)
def test_a_column_of_another_shape_is_refused(column):
    """All events or none."""
    with pytest.raises(RejectedEvent, match="must have 2 events") as refusal:
        as_times(column, 2, None)
    assert refusal.value.reason is Reason.WRONG_TYPE


def test_events_ahead_of_the_clock_are_told_by_how_much():
    """Five minutes are taken; what is no time at all is told first."""
    at = 1000.0
    column = [at + AHEAD, math.nextafter(at + AHEAD, math.inf), at + 400.0, 1e12, -1.0]
    _, rejected = as_times(column, 5, at)
    assert [(r.index, r.reason) for r in rejected] == [
        (1, Reason.FUTURE_TIME),
        (2, Reason.FUTURE_TIME),
        (3, Reason.INVALID_TIME),
        (4, Reason.INVALID_TIME),
    ]
    wanted = "time is 1400.0, 400 s ahead of this machine's clock; at most 300 s are taken"
    assert wanted in rejected[1].detail
    late = LATEST - 10.0
    assert [r.reason for r in as_times([LATEST], 1, late)[1]] == [Reason.INVALID_TIME]


def test_the_callers_column_is_copied():
    """Gaps are filled in later; not in the array of the caller."""
    column = np.array([1.0, 2.0])
    seconds, _ = as_times(column, 2, None)
    assert not np.shares_memory(seconds, column)
