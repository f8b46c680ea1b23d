"""A window says what it holds, in one way, and is refused with what is allowed."""

import pytest

from losswatch import Monitor
from losswatch.core.segments import Segments
from losswatch.core.window import (
    HalfLife,
    Last,
    LastEvents,
    Tumbling,
    check_windows,
    longest,
    needs_time,
    parse_duration,
    parse_window,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1ms", 0.001),
        ("1500ms", 1.5),
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("2h1m1s500ms", 7261.5),
        ("7d", 604_800.0),
        ("1w", 604_800.0),
        ("05s", 5.0),
        ("36525d", 36_525 * 86_400.0),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text, seconds):
    """Each part is a whole number with its unit."""
    assert parse_duration(text) == seconds


WRONG = [
    "",
    "5",
    "s",
    "5 m",
    " 5m",
    "5m ",
    "5m\n",
    "1.5h",
    "-5m",
    "5M",
    "5min",
    "1e3s",
    "\u0665s",
    "5ms5",
]


@pytest.mark.parametrize("text", [*WRONG, 5, 5.0, None, True, b"5m", ["5m"]], ids=repr)
def test_what_is_no_duration_is_refused(text):
    """The units are told."""
    with pytest.raises(ValueError, match=r"must be a duration such as 30s, 5m, 1h30m or 7d"):
        parse_duration(text)
    with pytest.raises(ValueError, match="must be a"):
        parse_window({"last": text})


@pytest.mark.parametrize("text", ["0s", "0h0m", "36525d1ms", "9999w", "9" * 12 + "w"])
def test_a_duration_is_more_than_nothing_and_at_most_a_century(text):
    """Beyond that it is a slip."""
    with pytest.raises(ValueError, match="must be more than 0 and at most a century"):
        parse_duration(text)


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_duration_of_very_many_digits_is_refused_as_others_are(digits):
    """Whatever its length, the refusal is ours."""
    with pytest.raises(ValueError, match="must be a duration"):
        parse_duration("9" * digits + "s")


@pytest.mark.parametrize(
    ("written", "window"),
    [
        ("90s", Last("90s", 90.0, 60)),
        ({"last": "90s"}, Last("90s", 90.0, 60)),
        ({"last": "90s", "panes": 1}, Last("90s", 90.0, 1)),
        ({"last": "90s", "panes": 10_000}, Last("90s", 90.0, 10_000)),
        ({"last": "90s", "exact": False, "panes": 7}, Last("90s", 90.0, 7)),
        ({"exact": True, "last": "90s"}, Last("90s", 90.0, None)),
        ({"last": "90s", "exact": None}, Last("90s", 90.0, 60)),
        ({"events": 1}, LastEvents("1 events", 1)),
        ({"events": 10_000_000}, LastEvents("10000000 events", 10_000_000)),
        ({"half_life": "90s"}, HalfLife("half-life 90s", 90.0, None)),
        ({"half_life": "1 event"}, HalfLife("half-life 1 events", None, 1)),
        ({"half_life": "1000000000 events"}, HalfLife("half-life 1000000000 events", None, 10**9)),
        ({"tumbling": "1w"}, Tumbling("tumbling 1w", 604_800.0)),
        (Tumbling("x", 5.0), Tumbling("x", 5.0)),
    ],
    ids=str,
)
def test_every_form_is_the_window_that_it_says(written, window):
    """What is made already stays as it is."""
    assert parse_window(written) == window


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (5, "is 5; must be a duration such as 5m, {last: 5m, exact: true}"),
        (None, "is None; must be a duration"),
        ([], "is []; must be a duration"),
        ({}, "is {}; must be a duration"),
        ({"panes": 5}, "is {'panes': 5}; must be a duration"),
        ({"exact": True}, "is {'exact': True}; must be"),
        ({"last": "5m", "events": 5}, "has the key events; a window with last may have panes"),
        ({"events": 5, "panes": 5}, "has the key panes; a window with events has no other"),
        ({"tumbling": "5m", "exact": True}, "has the key exact; a window with tumbling has no"),
        ({"last": "5m", "exact": 1}, "has exact: 1; must be true or false"),
        ({"last": "5m", "exact": "yes"}, "has exact: 'yes'; must be true or false"),
        ({"last": "5m", "exact": True, "panes": 5}, "is exact and has panes"),
        ({"last": "5m", "panes": 0}, "has panes: 0; must be a whole number from 1 to 10,000"),
        ({"last": "5m", "panes": 10_001}, "has panes: 10001; must be"),
        ({"last": "5m", "panes": True}, "has panes: True; must be"),
        ({"last": "5m", "panes": 5.0}, "has panes: 5.0; must be"),
        ({"events": 0}, "has events: 0; must be a whole number from 1 to 10,000,000"),
        ({"events": -1}, "has events: -1; must be"),
        ({"events": "5"}, "has events: '5'; must be"),
        ({"events": 10_000_001}, "has events: 10000001; must be"),
        ({"half_life": "0 events"}, "has half_life: 0; must be a whole number from 1 to"),
        ({"half_life": "1000000001 events"}, "has half_life: 1000000001; must be"),
        ({"half_life": "5 eventss"}, "must be a duration"),
        ({"half_life": 5}, "has half_life: 5; must tell its unit"),
        ({"tumbling": None}, "is None; must be a duration"),
    ],
    ids=str,
)
def test_what_is_no_window_is_refused(written, message):
    """The refusal tells what was found and what is allowed; so does that of a monitor."""
    for call in (parse_window, lambda value: Monitor("m", windows=[value])):
        with pytest.raises(ValueError, match=r"; ") as refusal:
            call(written)
        assert message in str(refusal.value)


def test_windows_of_one_name_are_refused():
    """Their series would be one."""
    for windows in (["5m", "5m"], ["5m", {"last": "5m", "exact": True}], [{"events": 3}] * 2):
        with pytest.raises(ValueError, match=r"twice; keep one|two windows with the label 5m"):
            check_windows(windows, 1)
    assert check_windows([], 1) == ()
    assert len(check_windows(iter(["5m", {"tumbling": "5m"}, {"half_life": "5m"}]), 1)) == 3


def test_windows_of_events_that_need_too_much_memory_are_refused():
    """Each segment has a window of its own."""
    assert check_windows([{"events": 100_000}], 1000)
    message = "100,001 events for 1,000 segments: at most 100,000,000 events can be kept"
    with pytest.raises(ValueError, match=message):
        check_windows([{"events": 100_001}], 1000)
    with pytest.raises(ValueError, match="lower one of them"):
        Monitor("m", windows=[{"events": 10_000}], segments=Segments(("city",), limit=10_001))
    assert Monitor("m", windows=[{"events": 10_000}], segments=Segments(("city",), limit=10_000))


def test_segments_are_kept_as_long_as_the_longest_window_of_time():
    """Windows of events and half-lives forget a slot when they are told to."""
    windows = check_windows(["5m", {"tumbling": "1h"}, {"half_life": "1d"}, {"events": 5}], 1)
    assert longest(windows) == 3600.0
    assert longest(windows[2:]) == 0.0


def test_only_windows_of_time_ask_when_an_event_was():
    """A half-life in events and the last events do not."""
    for written in ("5m", {"tumbling": "1h"}, {"half_life": "1d"}, {"last": "1s", "exact": True}):
        assert needs_time([LastEvents("x", 5), parse_window(written)])
    assert not needs_time(check_windows([{"events": 5}, {"half_life": "5 events"}], 1))
    assert not needs_time([])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"last": "5m", "pane": 3},
            "has the key pane; a window with last may have panes and exact",
        ),
        ({"events": 9, "exact": True}, "has the key exact; a window with events has no other key"),
        ({"half_life": "1h", "panes": 3}, "has the key panes; a window with half_life has no"),
        ({"half_life": 1000}, "has half_life: 1000; must tell its unit: 1h, or 1000 events"),
        ("lifetime", "is 'lifetime', which is always watched; remove it"),
    ],
)
def test_what_is_wrong_with_a_window_is_named(value, message):
    """The key or the unit, and not just all that there could be."""
    with pytest.raises(ValueError, match=message):
        parse_window(value)
