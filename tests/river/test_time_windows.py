"""A window of time expires by times that are right across zones, late events and clocks."""

from __future__ import annotations

import datetime as dt
import pickle
from zoneinfo import ZoneInfo

import pytest

from losswatch.river import MSE, RMSE, TimeRolling

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = dt.timedelta(hours=1)
MICROSECOND = dt.timedelta(microseconds=1)


def fed(period: dt.timedelta, *times: dt.datetime) -> TimeRolling:
    """Return a window with an error of 1, 2, 3 and so on at these times."""
    window = TimeRolling(MSE, period)
    for error, t in enumerate(times, start=1):
        window.update(float(error), 0.0, t=t)
    return window


@pytest.mark.parametrize("year", [1, 1900, 1970, 2024, 2200, 9998])
@pytest.mark.parametrize("zone", [None, dt.UTC])
def test_edge_is_exact_to_the_microsecond(year, zone):
    """An event of just the age of the period has left; a microsecond before it has not."""
    t = dt.datetime(year, 7, 1, 12, 30, 15, 123456 if 1700 < year < 2250 else 0, tzinfo=zone)
    period = dt.timedelta(days=3, microseconds=777 if 1700 < year < 2250 else 0)
    step = MICROSECOND if 1700 < year < 2250 else 32 * MICROSECOND
    window = fed(period, t)
    assert window.get(t + period - step) == 1.0
    assert window.get(t + period) == 0.0
    assert window.cost.n == 0


def test_empties_on_read():
    """A reading at a later time sees only what is inside then, and nothing comes back."""
    window = fed(HOUR, START, START + HOUR / 2)
    assert window.get() == 2.5
    assert window.get(START + HOUR) == 4.0
    assert window.get(START) == 4.0
    window.advance(START + 2 * HOUR)
    assert (window.get(), repr(window)) == (0.0, "MSE: 0.")


def test_clock_is_asked_on_read():
    """With a clock, whatever reads the window sees what is inside now."""
    now = START
    window = TimeRolling(RMSE, HOUR, clock=lambda: now)
    other = TimeRolling(RMSE, HOUR)
    window.update(3.0, 0.0)
    other.update(2.0, 0.0, t=START)
    assert (window.get(), window.is_better_than(other)) == (3.0, False)
    now = START + HOUR
    assert window.is_better_than(other)
    assert window.get() == 0.0
    window.update(5.0, 0.0, t=START + HOUR / 2)  # a time that is given is what counts
    assert window.get() == 5.0
    now = START + 1.5 * HOUR
    assert repr(window) == "RMSE: 0."
    window.update(7.0, 0.0)
    assert window.get(START + 3 * HOUR) == 0.0


def test_event_without_a_time_needs_a_clock():
    """Without both, the error says what to give."""
    with pytest.raises(TypeError, match="give it t, or give TimeRolling a clock"):
        TimeRolling(MSE, HOUR).update(1.0, 2.0)


def test_same_moment_in_any_zone():
    """Times of several zones are one order: that of the moments."""
    utc = dt.datetime(2024, 7, 1, 12, 0, tzinfo=dt.UTC)
    window = fed(HOUR, utc, (utc + HOUR / 2).astimezone(BERLIN))
    assert window.cost.n == 2
    tokyo = (utc + HOUR).astimezone(ZoneInfo("Asia/Tokyo"))
    assert window.get(tokyo) == 4.0


@pytest.mark.parametrize(
    ("wall", "fold", "hours"),
    [
        pytest.param(
            dt.datetime(2024, 3, 31, 3, 30, tzinfo=BERLIN), 0, 1.0, id="spring: an hour is skipped"
        ),
        pytest.param(
            dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN), 0, 1.0, id="autumn: the first 2:30"
        ),
        pytest.param(
            dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN), 1, 2.0, id="autumn: the second 2:30"
        ),
    ],
)
def test_daylight_saving_is_no_time_passing(wall, fold, hours):
    """From 1:30 on the clock of the wall jumps; the window sees the time that passed."""
    before = wall.replace(hour=1)
    t = wall.replace(fold=fold)
    assert fed(dt.timedelta(hours=hours) + MICROSECOND, before, t).cost.n == 2
    assert fed(dt.timedelta(hours=hours), before, t).cost.n == 1


@pytest.mark.parametrize("aware_first", [False, True])
@pytest.mark.parametrize("duplicate", [lambda w: w, lambda w: pickle.loads(pickle.dumps(w))])
def test_naive_and_aware_times_do_not_mix(aware_first, duplicate):
    """The one kind after the other is refused by name, and changes nothing."""
    naive, aware = START.replace(tzinfo=None), START
    first, second = (aware, naive) if aware_first else (naive, aware)
    kinds = ("naive", "aware") if aware_first else ("aware", "naive")
    window = duplicate(fed(HOUR, first))
    message = rf"which is {kinds[0]}, and the times before it are {kinds[1]}; give all of them"
    for call in (
        lambda: window.update(9.0, 0.0, t=second + 2 * HOUR),
        lambda: window.advance(second + 2 * HOUR),
        lambda: window.get(second + 2 * HOUR),
    ):
        with pytest.raises(TypeError, match=message):
            call()
    assert window.get() == 1.0


def test_advance_decides_the_kind():
    """Once time has passed in aware times, a naive event is refused."""
    window = TimeRolling(MSE, HOUR)
    window.advance(START)
    with pytest.raises(TypeError, match="which is naive"):
        window.update(1.0, 0.0, t=START.replace(tzinfo=None))


def test_refused_event_does_not_decide_the_kind():
    """A naive time of an event that was refused lets all others be aware."""
    window = TimeRolling(MSE, HOUR)
    window.update(None, 0.0, t=START.replace(tzinfo=None))
    window.update(2.0, 0.0, t=START)
    assert (window.get(), window.rejected.total()) == (4.0, 1)


@pytest.mark.parametrize("t", [5.0, "2024-01-01", dt.date(2024, 1, 1)])
def test_time_is_a_datetime(t):
    """Seconds, text and dates are refused."""
    with pytest.raises(TypeError, match=r"must be a datetime$"):
        TimeRolling(MSE, HOUR).update(1.0, 2.0, t=t)


def test_late_events_take_their_place():
    """Out of order, and several at one time: each leaves at its own time."""
    window = fed(HOUR, START + HOUR / 2, START + HOUR / 4, START + HOUR / 4, START - HOUR)
    assert (window.cost.n, window.cost.late) == (3, 1)
    assert window.get(START + 1.25 * HOUR) == 1.0
    assert window.get(START + 1.5 * HOUR) == 0.0


def test_kind_of_metric_and_clock_survive_a_clone():
    """A clone has the parameters and no events; the time may be of the other kind then."""
    window = fed(HOUR, START)
    window.clock = START.astimezone
    clone = window.clone()
    assert (clone.metric, clone.period, clone.clock()) == (MSE, HOUR, START)
    clone.clock = None
    clone.update(3.0, 0.0, t=START.replace(tzinfo=None))
    assert (clone.get(), window.cost.n) == (9.0, 1)
