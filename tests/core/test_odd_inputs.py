"""What an attack found: each of these once gave a wrong number or another error."""

import math
import signal

import numpy as np
import pytest

from losswatch import Monitor, Reason, RejectedEvent, Segments
from losswatch.core.window import Last, LastEvents, check_windows


@pytest.mark.parametrize(
    ("y_true", "n"), [(0.3, 3), (0.1, 11), (10.1, 9), (1_000_000.1, 3), (12.34, 13)]
)
def test_a_perfect_model_of_equal_targets_has_no_ratio_to_a_dummy(y_true, n):
    """The dummy is as perfect; what rounding leaves of its loss is no loss."""
    monitor = Monitor("m")
    monitor.update_many([y_true] * n, [y_true] * n)
    snapshot = monitor.snapshot()
    ratio = snapshot.outputs[""].dummy_ratio("lifetime").tolist()
    cell = snapshot.read()
    assert [math.isnan(r) for r in ratio] == [math.isnan(cell.dummy_ratio(cell.truth))]
    assert math.isnan(snapshot.readings["lifetime"].r2[0])


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (np.array([7], "M8[D]"), 7 * 86400.0),
        (np.array(["1971-01"], "M8[M]"), 365 * 86400.0),
        (np.array([1_500_000_000], "M8[ns]"), 1.5),
        (np.array([2_500_000_000_000_000_000], "M8[as]"), 2.5),
        (np.ma.masked_array([3.0], [False]), 3.0),
        ([None], 0.0),
        ([math.nan], 0.0),
        (np.array(["NaT"], "M8[s]"), 0.0),
        (np.ma.masked_array([3.0], [True]), 0.0),
    ],
)
def test_columns_of_times_of_any_kind(time, seconds):
    """Every unit of NumPy is right; what is missing or masked is no time."""
    monitor = Monitor("m")
    assert monitor.update_many([1.0], [2.0], time=time) == []
    assert monitor._books.now == seconds


@pytest.mark.parametrize(
    "time",
    [np.array([2**62], "M8[D]"), [object()], ["2026-01-31"], [1j], [-1.0], [1.7e12]],
    ids=str,
)
def test_columns_of_what_is_no_time_are_refused_event_by_event(time):
    """A time that would wrap around, text, odd objects, milliseconds."""
    rejected = Monitor("m").update_many([1.0], [2.0], time=time)
    assert [r.reason for r in rejected] == [Reason.INVALID_TIME]


@pytest.mark.parametrize("time", [[[1, 2], [1]], [[1.0]], 5.0, [1.0, 2.0]])
def test_times_that_are_no_column_are_refused_as_a_whole(time):
    """Nothing is counted then."""
    monitor = Monitor("m")
    with pytest.raises(RejectedEvent, match="must have 1 events"):
        monitor.update_many([1.0], [2.0], time=time)
    assert monitor.snapshot().rejected == {}


@pytest.mark.parametrize("at", [math.inf, math.nan, -1.0, 1e30, "x"])
def test_a_clock_that_is_wrong_changes_nothing(at):
    """Not for one event, not for columns and not for a reading."""
    monitor = Monitor("m", windows=["5m"], segments=Segments(("city",)))
    monitor.update(1.0, 2.0, time=5.0, segment={"city": "a"})
    for call in (
        lambda: monitor.update(1.0, 2.0, at=at, segment={"city": "b"}),
        lambda: monitor.update_many([1.0], [2.0], at=at, segment={"city": ["b"]}),
        lambda: monitor.snapshot(at),
    ):
        with pytest.raises(RejectedEvent):
            call()
    snapshot = monitor.snapshot()
    assert snapshot.segments[3:] == ({"city": "a"},)
    assert snapshot.readings["5m"].n.tolist() == [1, 0, 0, 1]


def test_an_infinity_in_a_column_warns_nobody_and_harms_nothing():
    """The good event counts, the bad one is refused, once."""
    monitor = Monitor("m")
    rejected = monitor.update_many([math.inf, 1.0], [math.inf, 2.0])
    assert [(r.index, r.reason) for r in rejected] == [(0, Reason.NOT_FINITE)]
    snapshot = monitor.snapshot()
    assert (snapshot.pooled.n, snapshot.rejected) == (1, {Reason.NOT_FINITE: 1})


def test_an_interrupt_never_leaves_a_monitor_locked():
    """Whenever Ctrl-C comes, a snapshot can be taken afterwards."""
    monitor = Monitor("m")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(100):
            with pytest.raises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.001)  # in here: it may come at once
                while True:
                    monitor.update(1.0, 2.0)
            assert monitor._lock.acquire(timeout=1.0)
            monitor._lock.release()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "arguments",
    [
        {"labels": ["city"]},
        {"labels": ()},
        {"labels": ("city", "city")},
        {"labels": ("model",)},
        {"labels": ("city",), "limit": math.nan},
        {"labels": ("city",), "limit": 0},
        {"labels": ("city",), "limit": "5"},
        {"labels": ("city",), "idle": "24h"},
        {"labels": ("city",), "idle": math.nan},
        {"labels": ("city",), "declared": None},
        {"labels": ("city",), "declared": ("a",)},
        {"labels": ("city",), "declared": ({"town": "a"},)},
        {"labels": ("city",), "declared": ({"city": None},)},
        {"labels": ("city",), "declared": ({"city": 1.5},)},
        {"labels": ("city",), "declared": ({"city": "a"}, {"city": "b"}), "limit": 1},
    ],
    ids=str,
)
def test_segments_that_cannot_be_are_a_value_error(arguments):
    """At once, and not when the first event comes."""
    with pytest.raises(ValueError, match=r"labels|limit|idle|declare|is 'model'"):
        Segments(**arguments)


@pytest.mark.parametrize(
    "windows",
    [
        None,
        5,
        "5m",
        ["60s", "1m"],
        [Last("x", -1.0)],
        [Last("x", 1.0, 0)],
        [LastEvents("x", 0)],
        [Last("lifetime", 5.0)],
        [{"last": "5m", "exact": 1}],
    ],
    ids=str,
)
def test_windows_that_cannot_be_are_a_value_error(windows):
    """Also those that were made by hand."""
    with pytest.raises(ValueError, match=r"must be|the same|above 0|lifetime|true or false"):
        check_windows(windows, 1)


@pytest.mark.parametrize("huge", [10**5000, -(10**5000)], ids=["above", "below"])
def test_a_number_that_python_does_not_write_is_refused_wherever_it_stands(huge):
    """With a reason, like any other: a caller expects no other exception."""
    monitor = Monitor("m", segments=Segments(("city",)))
    calls = [
        lambda: monitor.update(huge, 1.0),
        lambda: monitor.update(1.0, 1.0, huge),
        lambda: monitor.update(1.0, 1.0, time=huge),
        lambda: monitor.update(1.0, 1.0, segment={"city": huge}),
        lambda: monitor.update(1.0, 1.0, segment=huge),
        lambda: monitor.predicted("a", 1.0, segment=huge),
        lambda: monitor.predicted(huge, 1.0),
        lambda: monitor.observed(huge, 1.0),
    ]
    for call in calls:
        with pytest.raises(RejectedEvent):
            call()
    monitor.predicted(10**255, 1.0)


def test_what_is_wrong_with_windows_and_labels_is_told_with_their_name():
    """A monitor takes many things: which of them it was is part of the message."""
    with pytest.raises(ValueError, match=r"^windows: is '5 min'; must be a duration"):
        Monitor("m", windows=["5 min"])
    with pytest.raises(ValueError, match=r"^labels: is 'window', which metrics and alerts use"):
        Segments(("window",))


def test_only_segments_that_are_there_take_room_for_their_last_events():
    """A hundred of the thousand that may be: a tenth of the memory, also with weights."""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    segments = Segments(("city",), limit=1000)
    monitor = Monitor("m", windows=[{"events": 50_000}], segments=segments)
    for k in range(100):
        monitor.update(1.0, 2.0, 0.5 if k > 50 else None, segment={"city": f"c{k}"})
        if k % 10 == 9:
            monitor.snapshot()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 250_000  # kilobytes; all would take 1,200,000
