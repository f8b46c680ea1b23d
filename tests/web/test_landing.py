"""The page at ``/`` shows each model over each window, and the segments that cost the most."""

from __future__ import annotations

import re

import pytest

from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.core.segments import Segments
from losswatch.web.landing import landing_page


def page_of(*monitors, now=1000.0) -> str:
    return landing_page(Monitors(monitors).snapshot(now))


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of the rows of all tables, their heads left out."""
    rows = re.findall(r"<tr>(<td>.*?)</tr>", page)
    return [re.findall(r"<td>(.*?)</td>", row) for row in rows]


def test_every_window_has_a_row():
    """The lifetime comes first; a window without events has a dash, never 0."""
    monitor = Monitor("eta", windows=["1m", {"events": 1}, "1h"])
    for time, y_pred in ((0.0, 13.0), (500.0, 11.0)):
        monitor.update(10.0, y_pred, time=time)
    assert rows_of(page_of(monitor)) == [
        ["lifetime", "2", "5", "2.2361", "2", "-2"],
        ["1m", "0", "–", "–", "–", "–"],
        ["1 events", "1", "1", "1", "1", "-1"],
        ["1h", "2", "5", "2.2361", "2", "-2"],
    ]


def test_outputs_have_a_table_each():
    """All outputs together come first, then each alone under its name."""
    monitor = Monitor("position", outputs=("lat", "<lon>"))
    monitor.update({"lat": 1.0, "<lon>": 1.0}, {"lat": 2.0, "<lon>": 4.0})
    page = page_of(monitor)
    assert [row[2] for row in rows_of(page)] == ["5", "1", "9"]
    assert re.findall("<caption>(.*?)</caption>", page) == ["output lat", "output &lt;lon&gt;"]


WINDOWS = {
    "the shortest of time": (["1h", {"events": 3}, "90s", "1h30m"], "90s"),
    "no window of time": ([{"events": 3}, {"half_life": "1s"}, {"tumbling": "1s"}], "lifetime"),
    "no window": ([], "lifetime"),
}


@pytest.mark.parametrize(("windows", "shown"), WINDOWS.values(), ids=WINDOWS)
def test_segments_are_those_of_the_shortest_window_of_time(windows, shown):
    """The window is named above the segments; what counts elsewhere is not in it."""
    monitor = Monitor("eta", windows=windows, segments=Segments(("city",)))
    for time, city in ((0.0, "rome"), (990.0, "oslo")):
        monitor.update(10.0, 12.0, segment={"city": city}, time=time)
    page = page_of(monitor)
    assert f"<caption>Segments with the largest Σ loss, {shown}</caption>" in page
    segments = [row[:2] for row in rows_of(page) if row[0].startswith("city")]
    both = [["city=oslo", "1"], ["city=rome", "1"]]
    assert segments == (both if shown == "lifetime" else both[:1])


def test_ten_segments_with_the_largest_loss_are_shown():
    """The largest Σ loss comes first, not the largest RMSE, with its share of all."""
    monitor = Monitor("eta", segments=Segments(("city", "tier")))
    for number in range(12):
        for _ in range(12 - number):
            segment = {"city": f"c{number}", "tier": "<i>"}
            monitor.update(10.0, 12.0, segment=segment, time=990.0)
    monitor.update(10.0, 13.0, segment={"city": "loud", "tier": "<i>"}, time=990.0)
    rows = [row for row in rows_of(page_of(monitor)) if row[0].startswith("city")]
    assert [row[0] for row in rows] == [f"city=c{n} tier=&lt;i&gt;" for n in range(10)]
    assert rows[0] == ["city=c0 tier=&lt;i&gt;", "12", "2", "15.0%"]
    assert rows[9] == ["city=c9 tier=&lt;i&gt;", "3", "2", "3.7%"]


def test_segments_without_events_are_not_shown():
    """What has no events in the window has no cost there; without any that is said."""
    declared = ({"city": "oslo"}, {"city": "rome"})
    monitor = Monitor("eta", windows=["5m"], segments=Segments(("city",), declared=declared))
    assert "Segments with the largest Σ loss, lifetime: none has events" in page_of(monitor)
    monitor.update(1.0, 1.0, segment={"city": "rome"}, time=1000.0)
    rows = [row for row in rows_of(page_of(monitor)) if row[0].startswith("city")]
    assert rows == [["city=rome", "1", "0", "–"]]


def test_page_without_models_or_events():
    """A page with nothing to show says so."""
    assert "No model is watched yet." in page_of()
    assert "no events yet" in page_of(Monitor("eta"))


def test_the_join_is_told_once_it_is_used():
    """How many predictions are scored stands beside the cost, and not before one came."""
    monitor = Monitor("eta")
    assert "predictions" not in page_of(monitor)
    monitor.predicted("a", 1.0)
    monitor.predicted("b", 2.0)
    monitor.observed("b", 1.0)
    monitor.observed("c", 1.0)
    told = "50.0% of the predictions are scored; 1 wait for their truth and 1 truths wait"
    assert told in page_of(monitor)
