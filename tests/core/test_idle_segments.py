"""A segment without events for long enough is retired, and leaves no trace."""

import pytest
from splitting import NONE, OTHER, counts, send, watched, ways

from losswatch import Monitor
from losswatch.core.segments import FIRST

EVERY = ("10s", {"last": "7s", "exact": True}, {"tumbling": "9s"}, {"events": 3})
EVERY += ({"half_life": "5s"}, {"half_life": "4 events"})


@ways
def test_an_idle_segment_is_retired_and_leaves_no_trace(columns):
    """Its row goes, the total keeps its events, and the next one in its slot starts at 0."""
    monitor = watched(windows=EVERY, idle=20.0)
    for time in (0.0, 1.0, 2.0):
        send(monitor, "old", time, 1e100, columns=columns)
        send(monitor, "busy", time, 3.0, columns=columns)
    monitor.snapshot()
    for time in (15.0, 20.0, 22.0):
        send(monitor, "busy", time, 3.0, columns=columns)
    assert counts(monitor)["old",] == 3
    send(monitor, "busy", 40.0, 3.0, columns=columns)
    before = monitor.snapshot()
    assert before.segments == ({}, OTHER, NONE, {"city": "busy"})
    assert before.readings["lifetime"].n[0] == 10
    send(monitor, "new", 40.0, 2.0, columns=columns)
    after = monitor.snapshot()
    assert after.segments[4] == {"city": "new"}
    for window in after.windows:
        reading = after.readings[window]
        assert (reading.n[4], reading.mse[4], reading.truth[4]) == (1, 4.0, 0.0), window
    assert after.outputs[""].histogram(4).count == 1
    assert after.outputs[""].plain.loss[4] == 4.0
    alone = watched(windows=EVERY, idle=20.0)
    send(alone, "new", 40.0, 2.0, columns=columns)
    for window in after.windows:
        assert after.readings[window].cell(4) == alone.snapshot().readings[window].cell(3), window
    assert monitor._books.registry.size == FIRST + 2


def test_time_alone_retires_segments():
    """A reading at a later time finds them gone; windows of time agree with their segments."""
    monitor = watched(idle=20.0)
    send(monitor, "a", 100.0)
    monitor.snapshot()
    send(monitor, "b", 115.0)
    assert set(counts(monitor, now=120.0)) == {(), ("other",), ("none",), ("a",), ("b",)}
    assert set(counts(monitor, now=121.0)) == {(), ("other",), ("none",), ("b",)}
    assert counts(monitor, "10s", now=121.0) == {(): 1, ("other",): 0, ("none",): 0, ("b",): 1}
    assert counts(monitor, now=121.0)[()] == 2


def test_a_segment_is_kept_as_long_as_a_window_holds_an_event_of_it():
    """A window longer than ``idle`` decides."""
    monitor = watched(windows=["1m"], idle=5.0)
    send(monitor, "a", 0.5)
    assert counts(monitor, "1m", now=59.0) == {(): 1, ("other",): 0, ("none",): 0, ("a",): 1}
    assert set(counts(monitor, now=62.0)) == {(), ("other",), ("none",)}


def test_a_retired_segment_makes_room_below_the_limit():
    """Its place can be taken, by itself too."""
    monitor = watched(limit=1, idle=20.0)
    send(monitor, "a", 0.0)
    monitor.snapshot(50.0)
    send(monitor, "b", 50.0)
    send(monitor, "a", 50.0)
    assert counts(monitor) == {(): 3, ("other",): 1, ("none",): 0, ("b",): 1}
    monitor.snapshot(100.0)
    send(monitor, "a", 100.0)
    assert counts(monitor) == {(): 4, ("other",): 1, ("none",): 0, ("a",): 1}


def balanced(monitor: Monitor, window: str) -> bool:
    """Tell whether the rows of a window are the total."""
    n = counts(monitor, window)
    return sum(n.values()) == 2 * n[()]


def test_when_a_segment_is_idle_does_not_depend_on_batches():
    """What counts is its own last event, whether entered with later ones or before."""
    alone, together = watched(idle=20.0), watched(idle=20.0)
    for city, time in (("a", 100.0), ("b", 115.0)):
        send(alone, city, time, columns=True)
        send(together, city, time)
    assert counts(alone, now=122.0) == counts(together, now=122.0)


@pytest.mark.parametrize("columns", [False, True], ids=["one by one", "in columns"])
def test_events_of_a_segment_that_was_idle_are_not_lost(columns):
    """It comes back in the same moment that it would have been retired."""
    monitor = watched(idle=10.0)
    send(monitor, "a", 0.0)
    monitor.snapshot()
    send(monitor, "b", 1000.0)
    send(monitor, "a", 1000.0, columns=columns)
    send(monitor, "c", 1000.0, columns=columns)
    assert balanced(monitor, "10s")
    assert counts(monitor, "10s")["a",] == counts(monitor, "10s")["c",] == 1


def test_a_new_segment_is_not_retired_before_its_first_event():
    """What waits is entered first, at a time when the new one was never seen."""
    monitor = watched(idle=10.0)
    send(monitor, "b", 1000.0)
    send(monitor, "c", 1000.0, columns=True)
    assert counts(monitor) == {(): 2, ("other",): 0, ("none",): 0, ("b",): 1, ("c",): 1}


def test_an_event_ahead_of_our_clock_keeps_its_segment():
    """Windows of time hold it for up to 300 s more than others."""
    monitor = watched(windows=["1m"], idle=60.0)
    send(monitor, "a", 1300.0, at=1000.0)
    monitor.snapshot()
    monitor.snapshot(1070.0)
    send(monitor, "b", 1070.0, at=1070.0)
    assert balanced(monitor, "1m")
    assert counts(monitor, "1m")["b",] == 1
