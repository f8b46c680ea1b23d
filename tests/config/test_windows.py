"""The windows of a monitor as they stand in the YAML."""

from __future__ import annotations

import pytest

from losswatch.config.load import parse_config
from losswatch.core.window import HalfLife, Last, LastEvents, Tumbling
from losswatch.errors import ConfigError

FORMS = (
    "a duration such as 5m, {last: 5m, exact: true}, {last: 5m, panes: 300}, {events: 1000},"
    " {half_life: 1h}, {half_life: 1000 events} or {tumbling: 1h}"
)
DURATION = "must be a duration such as 30s, 5m, 1h30m or 7d (units: ms, s, m, h, d, w)"


def windows_of(windows: str, environment=None):
    text = f"version: 1\nmonitors:\n  - model: a\n    windows: {windows}\nsources: [{{file: e}}]\n"
    return parse_config(text, "c.yml", environment or {}).monitors[0].windows


def problems_of(windows: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        windows_of(windows)
    start = "monitors[0].windows"
    return [f"{p.line}{p.path.removeprefix(start)}: {p.message}" for p in caught.value.problems]


def test_every_form_is_a_window():
    """Each spelling gives the window that it says."""
    text = "[5m, {last: 10s, exact: true}, {last: 2h, panes: 7}, {last: 3h, exact: false},"
    text += " {events: 9}, {half_life: 1h}, {half_life: 9 events}, {tumbling: 1d}]"
    assert windows_of(text) == [
        Last("5m", 300.0),
        Last("10s", 10.0, None),
        Last("2h", 7200.0, 7),
        Last("3h", 10_800.0),
        LastEvents("9 events", 9),
        HalfLife("half-life 1h", seconds=3600.0),
        HalfLife("half-life 9 events", events=9),
        Tumbling("tumbling 1d", 86_400.0),
    ]


def test_windows_may_be_none_and_have_defaults():
    """An empty list is the lifetime alone; without the key there are three."""
    assert windows_of("[]") == []
    text = "version: 1\nmonitors: [{model: a}]\nsources: [{file: e}]\n"
    labels = [window.label for window in parse_config(text).monitors[0].windows]
    assert labels == ["5m", "1h", "24h"]


def test_variable_is_a_window():
    """A variable may stand for a duration and for a number."""
    found = windows_of("\n      - ${W}\n      - events: ${N}", {"W": "5m", "N": "7"})
    assert found == [Last("5m", 300.0), LastEvents("7 events", 7)]


def test_every_wrong_window_is_told_at_its_place():
    """Each wrong item is told with its own line and path, what was found and what is allowed."""
    items = ["5m", "5", "5 min", "0s", "", "yes", "{last: 5}", "{foo: 1}", "{events: 0}", "[5m]"]
    items += ["{last: 5m, exact: 1}", "{last: 1h, exact: 0}"]
    assert problems_of("".join(f"\n      - {item}" for item in items)) == [
        f"6[1]: is 5; must be {FORMS}",
        f"7[2]: is '5 min'; {DURATION}",
        "8[3]: is '0s'; must be more than 0 and at most a century",
        f"9[4]: is None; must be {FORMS}",
        f"10[5]: is True; must be {FORMS}",
        f"11[6]: is 5; {DURATION}",
        f"12[7]: is {{'foo': 1}}; must be {FORMS}",
        "13[8]: has events: 0; must be a whole number from 1 to 10,000,000",
        f"14[9]: is ['5m']; must be {FORMS}",
        "15[10]: has exact: 1; must be true or false",
        "16[11]: has exact: 0; must be true or false",
    ]


SAME = {
    "the same": ("[5m, 1h, 5m]", "has 5m twice; keep one"),
    "another spelling": ("[5m, 300s]", "has 5m and 300s, which are the same; keep one"),
    "default panes": ("[5m, {last: 5m, panes: 60}]", "has 5m twice; keep one"),
    "the same tumbling": (
        "[{tumbling: 1h}, {tumbling: 60m}]",
        "has tumbling 1h and tumbling 60m, which are the same; keep one",
    ),
    "one label": (
        "[5m, {last: 5m, exact: true}]",
        (
            "has two windows with the label 5m; spell the duration of one of them differently,"
            " as in 60s for 1m"
        ),
    ),
    "text": ("5m", "is '5m'; must be a list"),
    "too many": (
        str([f"{n}s" for n in range(1, 18)]),
        "is a list; must have at most 16 items; it has 17",
    ),
}


@pytest.mark.parametrize(("windows", "message"), SAME.values(), ids=SAME)
def test_wrong_list_of_windows_is_told(windows, message):
    """Windows that would share a label or always have one value are told, and too many."""
    assert problems_of(windows) == [f"4: {message}"]


@pytest.mark.parametrize(
    "windows",
    ["[5m, {last: 300s, exact: true}]", "[1h, {tumbling: 1h}, {half_life: 1h}]", "[5m, 301s]"],
)
def test_windows_that_differ_are_right(windows):
    """What is spelled differently and counts differently may be together."""
    assert len(windows_of(windows)) >= 2


def test_windows_that_take_too_much_memory_are_told():
    """A window of events counts for every segment: what cannot be kept is told with its line."""
    monitor = "{model: a, windows: [{events: 1000000}], segments: {labels: [c], limit: %d}}"
    text = f"version: 1\nmonitors:\n- {{model: b}}\n- {monitor}\nsources: [{{file: e}}]\n"
    assert parse_config(text % 100, "c.yml", {}).monitors[1].segments.limit == 100
    with pytest.raises(ConfigError) as caught:
        parse_config(text % 101, "c.yml", {})
    assert str(caught.value) == (
        "c.yml: line 4: monitors[1].segments: has a window of 1,000,000 events for 101 segments:"
        " at most 100,000,000 events can be kept; lower one of them"
    )
