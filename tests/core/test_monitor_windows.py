"""A monitor's windows move with the clock, whoever tells it, and readings are consistent."""

import datetime as dt
import math
import random
import threading

import numpy as np
import pytest
from exactly import Entry, check, latest

from losswatch import Monitor, Reason, RejectedEvent
from losswatch.core.segments import Segments

ALL = ("10s", {"last": "10s", "panes": 3, "exact": False}, {"tumbling": "10s"}, {"half_life": "1s"})


def n(monitor: Monitor, window: str, now: float | None = None) -> int:
    return int(monitor.snapshot(now).readings[window].n[0])


def refused(call, *args, **kind) -> Reason:
    with pytest.raises(RejectedEvent) as refusal:
        call(*args, **kind)
    return refusal.value.reason


def test_one_outlier_is_forgotten_without_a_trace():
    """200 streams with one huge error: no reading is wrong, none is negative or complex."""
    rng = random.Random(0)
    wrong = complex_numbers = readings = 0
    for _ in range(200):
        monitor = Monitor("m", windows=[{"events": 100}])
        errors = [rng.gauss(0, 1) for _ in range(300)]
        spike = rng.randrange(200)
        errors[spike] = 10.0 ** rng.uniform(6, 10)
        history = []
        for k, error in enumerate(errors):
            monitor.update(0.0, -error)
            history.append(Entry(0, error, 0.0, 1.0, 0.0, 0.0))
            if k in {spike, spike + 99, spike + 100, 299}:
                reading = monitor.snapshot().readings["100 events"]
                readings += 1
                complex_numbers += any(isinstance(x, complex) for x in reading.rmse.tolist())
                complex_numbers += np.iscomplexobj(reading.rmse) or not reading.mse[0] >= 0.0
                try:
                    check(reading, [latest(history, 100)])
                except AssertionError:
                    wrong += 1
    assert (wrong, complex_numbers, readings > 700) == (0, 0, True)


def test_a_reading_at_a_later_time_lets_events_leave():
    """Time alone empties windows of time; the lifetime and windows of events stay."""
    monitor = Monitor("m", windows=["10s", {"last": "8s", "exact": True}, {"events": 5}])
    for time in (100.0, 104.0, 107.0):
        monitor.update(1.0, 3.0, time=time)
    for now, held in ((107.0, 3), (109.0, 2), (112.5, 1), (115.0, 0)):
        assert n(monitor, "8s", now) == held
    assert (n(monitor, "10s"), n(monitor, "10s", 116.9), n(monitor, "10s", 117.0)) == (1, 1, 0)
    assert math.isnan(monitor.snapshot().readings["10s"].mse[0])
    assert (n(monitor, "5 events"), n(monitor, "lifetime")) == (3, 3)


def test_time_never_goes_backwards():
    """A reading or an event at an earlier time finds what is held now, and is late if too old."""
    monitor = Monitor("m", windows=["10s"])
    monitor.update(1.0, 3.0, time=100.0)
    assert n(monitor, "10s", 120.0) == 0
    assert n(monitor, "10s", 100.0) == n(monitor, "10s") == 0
    monitor.update(1.0, 3.0, time=105.0)
    assert monitor.update_many([1.0, 1.0], [3.0, 4.0], time=[111.0, 106.0]) == []
    snapshot = monitor.snapshot(50.0)
    assert snapshot.readings["10s"].n.tolist() == [1]
    assert snapshot.late == {"10s": 2}
    assert snapshot.pooled.n == 4


def test_without_a_clock_the_latest_event_is_now():
    """An earlier event does not turn it back."""
    monitor = Monitor("m", windows=["10s"])
    for time in (100.0, 150.0, 145.0, 139.0):
        monitor.update(1.0, 2.0, time=time)
    snapshot = monitor.snapshot()
    assert (snapshot.readings["10s"].n.tolist(), snapshot.late) == ([2], {"10s": 1})
    assert snapshot.last_event is None


def test_events_without_an_arrival_are_no_last_event():
    """The latest arrival that was told stays."""
    monitor = Monitor("m", windows=["10s"])
    monitor.update(1.0, 2.0, at=5.0)
    monitor.update(1.0, 2.0, time=9.0)
    monitor.update_many([1.0], [2.0], time=[9.0])
    assert monitor.snapshot().last_event == 5.0


def test_a_clock_tells_events_and_readings_the_time():
    """Events without a time get its, readings are made at it, and it may go back."""
    now = [100.0]
    monitor = Monitor("m", windows=["10s"], clock=lambda: now[0])
    monitor.update(1.0, 2.0)
    assert monitor.update_many([1.0, 1.0], [2.0, 2.0], time=[None, 101.0]) == []
    assert (n(monitor, "10s"), monitor.snapshot().last_event) == (3, 100.0)
    now[0] = 110.5
    assert n(monitor, "10s") == 1
    now[0] = 50.0
    monitor.update(1.0, 2.0)
    assert (n(monitor, "10s"), monitor.snapshot().late) == (2, {"10s": 0})  # it came now
    assert n(monitor, "10s", 300.0) == 0
    assert n(Monitor("m", windows=["10s"], clock=lambda: 7.0), "10s") == 0


@pytest.mark.parametrize("window", ALL, ids=str)
def test_an_event_without_time_is_refused_if_a_window_needs_it(window):
    """One by one, in columns, and where a column has a gap; nothing else changes."""
    monitor = Monitor("m", windows=[window])
    assert refused(monitor.update, 1.0, 2.0) is Reason.MISSING_FIELD
    assert len(monitor.update_many([1.0, 1.0], [2.0, 2.0])) == 2
    for time in ([5.0, None, math.nan], np.array([5.0, math.nan, math.nan])):
        rejected = monitor.update_many([1.0] * 3, [2.0] * 3, time=time)
        assert [(r.index, r.reason) for r in rejected] == [
            (1, Reason.MISSING_FIELD),
            (2, Reason.MISSING_FIELD),
        ]
    snapshot = monitor.snapshot()
    assert (snapshot.pooled.n, snapshot.rejected) == (2, {Reason.MISSING_FIELD: 7})
    assert monitor.update(1.0, 2.0, at=5.0) == 1.0
    assert monitor.update_many([1.0], [2.0], at=5.0) == []


@pytest.mark.parametrize("windows", [[], [{"events": 5}], [{"half_life": "5 events"}]], ids=str)
def test_without_windows_of_time_no_event_needs_one(windows):
    """The lifetime and windows of events never ask."""
    monitor = Monitor("m", windows=windows)
    monitor.update(1.0, 2.0)
    assert monitor.update_many([1.0, 1.0], [2.0, 2.0]) == []
    assert monitor.update_many([1.0, 1.0], [2.0, 2.0], time=[None, 7.0]) == []
    assert [n(monitor, window) for window in monitor.snapshot().windows] == [5] * (len(windows) + 1)


def test_an_event_too_far_ahead_of_our_clock_is_refused():
    """300 s are taken, more is not; the same in columns, and without a clock all is taken."""
    monitor = Monitor("m", windows=["10s"])
    monitor.update(1.0, 2.0, time=1300.0, at=1000.0)
    assert refused(monitor.update, 1.0, 2.0, time=1300.5, at=1000.0) is Reason.FUTURE_TIME
    assert refused(monitor.update, 1.0, 2.0, time=1301, at=1000.0) is Reason.FUTURE_TIME
    rejected = monitor.update_many([1.0] * 3, [2.0] * 3, time=[1300.0, 1300.5, 900.0], at=1000.0)
    assert [(r.index, r.reason) for r in rejected] == [(1, Reason.FUTURE_TIME)]
    assert (n(monitor, "10s"), monitor.snapshot().late) == (2, {"10s": 1})
    assert monitor.snapshot().rejected == {Reason.FUTURE_TIME: 3}
    monitor.update(1.0, 2.0, time=5000.0)
    assert n(monitor, "10s") == 1


def test_a_refused_event_does_not_move_the_clock():
    """Nor does one of weight 0: windows keep what they had."""
    monitor = Monitor("m", windows=["10s"], segments=Segments(("city",)))
    monitor.update(1.0, 2.0, segment={"city": "a"}, time=100.0, at=100.0)
    before = monitor.snapshot()
    for event, told in (
        ((math.nan, 1.0), {"time": 900.0, "at": 900.0}),
        ((1.0, 2.0, -1.0), {"time": 900.0}),
        ((1.0, 2.0), {"time": 900.0, "segment": {"city": "\n"}}),
        ((1.0, 2.0), {"time": 5000.0, "at": 900.0}),
        ((1.0, 2.0), {"time": -1.0, "at": 900.0}),
    ):
        refused(monitor.update, *event, **told)
        columns = [[value] for value in event]
        segment = {label: [value] for label, value in told.pop("segment", {}).items()}
        time = [told.pop("time")]
        assert len(monitor.update_many(*columns, segment=segment, time=time, **told)) == 1
    monitor.update(1.0, 2.0, 0.0, segment={"city": "b"}, time=900.0, at=900.0)
    told = {"segment": {"city": ["b"]}, "time": [900.0], "at": 900.0}
    assert monitor.update_many([1.0], [2.0], [0.0], **told) == []
    after = monitor.snapshot()
    assert (after.segments, after.outputs) == (before.segments, before.outputs)
    assert after.last_event == 100.0
    assert sum(after.rejected.values()) == 10


def test_the_same_reason_one_by_one_and_in_columns():
    """An event with two faults is refused for its time first, as the single one is."""
    told = {"time": -1.0}, {"time": 1e12}
    for kind in told:
        single, columns = Monitor("m", windows=["10s"]), Monitor("m", windows=["10s"])
        refused(single.update, math.nan, 1.0, **kind)
        (rejected,) = columns.update_many([math.nan], [1.0], time=[kind["time"]])
        assert single.snapshot().rejected == columns.snapshot().rejected
        assert rejected.index == 0


def test_the_same_reason_where_the_time_is_missing():
    """Batching cannot be seen in the counts of refused events."""
    single, columns = Monitor("m", windows=["10s"]), Monitor("m", windows=["10s"])
    refused(single.update, math.nan, 1.0)
    columns.update_many([math.nan], [1.0])
    assert single.snapshot().rejected == columns.snapshot().rejected


UTC = dt.UTC
OSLO = dt.timezone(dt.timedelta(hours=2))


def test_times_are_seconds_or_tell_their_zone():
    """The same moment, told in many ways, is one moment."""
    moment = 1_700_000_000.0
    there = dt.datetime.fromtimestamp(moment, OSLO)
    singles = (moment, int(moment), np.float64(moment), np.int64(moment), there)
    columns = (
        [moment],
        [int(moment)],
        np.array([moment]),
        np.array([int(moment)]),
        [there],
        [dt.datetime.fromtimestamp(moment, UTC)],
        np.array(["2023-11-14T22:13:20"], dtype="datetime64[s]"),
        np.array(["2023-11-14T22:13:20"], dtype="datetime64[ns]"),
    )
    monitor = Monitor("m", windows=[{"last": "1s", "exact": True}])
    for time in singles:
        monitor.update(1.0, 2.0, time=time)
    for column in columns:
        assert monitor.update_many([1.0], [2.0], time=column) == []
    assert n(monitor, "1s", moment + 0.999) == len(singles) + len(columns)
    assert n(monitor, "1s", moment + 1.0) == 0


def test_columns_of_the_caller_stay_as_they_are():
    """Gaps are filled in a copy, and what is kept does not follow the caller's arrays."""
    monitor = Monitor("m", windows=["10s", {"events": 9}], clock=lambda: 5.0)
    y_true, y_pred, time = np.array([1.0, 2.0]), np.array([2.0, 4.0]), np.array([math.nan, 5.0])
    w = np.array([1.0, 2.0])
    monitor.update_many(y_true, y_pred, w, time=time)
    assert math.isnan(time[0])
    before = monitor.snapshot(5.0)
    for column in (y_true, y_pred, w, time):
        column[:] = 77.0
    assert monitor.snapshot(5.0) == before
    assert n(monitor, "10s", 100.0) == 0
    monitor.update_many([0.0] * 9, [0.0] * 9, at=100.0)
    assert monitor.snapshot(100.0).readings["9 events"].mse.tolist() == [0.0]


def test_readings_are_consistent_while_threads_write():
    """n, Σ and rmse of every window count the same events, and segments are the total."""
    segments = Segments(("city",), limit=3)
    monitor = Monitor("m", windows=["1h", {"events": 50}], segments=segments)
    stop, wrong = threading.Event(), []

    def write(k):
        for step in range(400):
            told = {"segment": {"city": f"c{k}"}, "time": float(step)}
            monitor.update(0.0, 2.0, **told)
            columns = {"segment": {"city": [f"c{k}"] * 3}, "time": [float(step)] * 3}
            monitor.update_many([0.0] * 3, [2.0] * 3, **columns)

    def consistent(snapshot) -> bool:
        life, hour = snapshot.readings["lifetime"], snapshot.readings["1h"]
        sums = all((r.loss == 4.0 * r.n).all() and (r.weight == r.n).all() for r in (life, hour))
        rows = all(r.n[1:].sum() == r.n[0] for r in (life, hour))
        last = snapshot.readings["50 events"]
        same = hour.n.tolist() == life.n.tolist() and last.n.max() <= 50
        rmse = np.unique(life.rmse[life.n > 0]).tolist() in ([2.0], [])
        overflowed = snapshot.overflowed == life.n[1] if len(life) > 1 else True
        return bool(sums and rows and same and rmse and overflowed)

    def watch():
        while not stop.is_set():
            snapshot = monitor.snapshot()
            if not consistent(snapshot):
                wrong.append(snapshot)

    reader = threading.Thread(target=watch)
    writers = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    reader.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert wrong == []
    snapshot = monitor.snapshot()
    assert snapshot.readings["lifetime"].n.tolist() == [6400, 1600, 0, 1600, 1600, 1600]
    assert snapshot.readings["50 events"].n.tolist() == [50, 50, 0, 50, 50, 50]
