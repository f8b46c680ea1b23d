"""The segments that cost the most come first."""

from __future__ import annotations

import random

from losswatch.core.monitor import Monitor
from losswatch.core.segments import Segments
from losswatch.core.worst import worst_segments

EVENTS = [("a", 3.0), ("b", 1.0), ("b", 1.0), ("c", 1.0), ("d", 1.0), ("e", 0.0), ("f", 2.0)]
DECLARED = ({"city": "Z"},)


def test_order_of_events_does_not_decide():
    """Σ loss decides, then whether there are events, then the names; in any order of events."""
    events = list(EVENTS)
    for seed in range(5):
        random.Random(seed).shuffle(events)
        monitor = Monitor("m", segments=Segments(("city",), declared=DECLARED), windows=["1m"])
        for city, error in events:
            monitor.update(error, 0.0, segment={"city": city}, time=0.0 if city == "a" else 90.0)
        snapshot = monitor.snapshot()
        for window, wanted in (("lifetime", "afbcdeZ"), ("1m", "fbcdeZa")):
            found = [snapshot.segments[row]["city"] for row in worst_segments(snapshot, window)]
            assert "".join(found) == wanted


def test_special_segments_are_left_out_without_events():
    """Events beyond the limit and without the label have rows once there was one."""
    monitor = Monitor("m", segments=Segments(("city",), limit=1))
    for city, shown in (("a", 1), (None, 2), ("b", 3)):
        monitor.update(1.0, 0.0, segment={"city": city})
        snapshot = monitor.snapshot()
        assert len(worst_segments(snapshot, "lifetime")) == shown
