"""Which events count: the windows that a monitor can have, and how they are spelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

__all__ = [
    "PANES",
    "HalfLife",
    "Last",
    "LastEvents",
    "Tumbling",
    "Window",
    "check_apart",
    "check_windows",
    "longest",
    "needs_time",
    "parse_duration",
    "parse_window",
]

PANES = 60
"""Panes of a window of time, unless it says otherwise."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:[0-9]{1,12}(?:ms|[smhdw]))+")
_PART = re.compile(r"([0-9]+)(ms|[smhdw])")
_EVENTS = re.compile(r"([0-9]{1,12}) events?")
_MOST_KEPT = 100_000_000
"""Events that one window may keep, 16 to 24 bytes each."""

_MOST_DECAYING = 200_000
"""Segments that a half-life is possible for, 6 kB each."""

_LARGEST_DURATION = 36_525 * 86_400.0
"""A century."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last ``seconds``: in panes, or exactly to the event if ``panes`` is ``None``."""

    label: str
    seconds: float
    panes: int | None = PANES


@dataclass(frozen=True, slots=True)
class Tumbling:
    """The current interval of ``seconds``; the intervals follow each other from 1970 on, in UTC."""

    label: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LastEvents:
    """The last ``events`` that arrived."""

    label: str
    events: int


@dataclass(frozen=True, slots=True)
class HalfLife:
    """All events, each with half the weight after ``seconds``, or after ``events`` more events."""

    label: str
    seconds: float | None = None
    events: int | None = None


Window = Last | Tumbling | LastEvents | HalfLife


def parse_duration(text: object) -> float:
    """Return the seconds of a duration such as ``5m`` or ``1h30m``.

    Raises
    ------
    ValueError
        It is none, or is 0 or longer than a century.

    Examples
    --------
    >>> parse_duration("1h30m")
    5400.0
    """
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise ValueError(
            f"is {text!r:.60}; must be a duration such as 30s, 5m, 1h30m or 7d"
            " (units: ms, s, m, h, d, w)"
        )
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if not 0 < seconds <= _LARGEST_DURATION:
        raise ValueError(f"is {text!r:.60}; must be more than 0 and at most a century")
    return seconds


def parse_window(value: object) -> Window:
    """Return the window that is written as in the YAML.

    Raises
    ------
    ValueError
        With what was found and what is allowed.

    Examples
    --------
    >>> parse_window("5m")
    Last(label='5m', seconds=300.0, panes=60)
    >>> parse_window({"last": "10s", "exact": True})
    Last(label='10s', seconds=10.0, panes=None)
    >>> parse_window({"events": 1000})
    LastEvents(label='1000 events', events=1000)
    >>> parse_window({"half_life": "1h"})
    HalfLife(label='half-life 1h', seconds=3600.0, events=None)
    >>> parse_window({"half_life": "500 events"})
    HalfLife(label='half-life 500 events', seconds=None, events=500)
    >>> parse_window({"tumbling": "1d"})
    Tumbling(label='tumbling 1d', seconds=86400.0)
    """
    if isinstance(value, Last | Tumbling | LastEvents | HalfLife):
        return value
    if isinstance(value, Mapping):
        for keys, make in _FORMS.items():
            if keys[0] in value:
                _check_keys(value, keys)
                return make(*(value.get(key) for key in keys))
    elif value == "lifetime":
        raise ValueError("is 'lifetime', which is always watched; remove it")
    elif isinstance(value, str):
        return Last(value, parse_duration(value))
    raise ValueError(
        f"is {value!r:.80}; must be a duration such as 5m, {{last: 5m, exact: true}},"
        " {last: 5m, panes: 300}, {events: 1000}, {half_life: 1h},"
        " {half_life: 1000 events} or {tumbling: 1h}"
    )


def _check_keys(value: Mapping[object, object], keys: tuple[str, ...]) -> None:
    """Refuse keys that a form of windows does not have."""
    unknown = ", ".join(str(key) for key in value if key not in keys)
    if unknown:
        rule = f"may have {' and '.join(keys[1:])}" if keys[1:] else "has no other key"
        raise ValueError(f"has the key {unknown:.60}; a window with {keys[0]} {rule}")


def check_windows(values: Iterable[object], slots: int) -> tuple[Window, ...]:
    """Return windows that fit together, for so many slots.

    Raises
    ------
    ValueError
        One is none, two have the same name, or one would take too much memory.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"is {values!r:.60}; must be a list of windows")  # noqa: TRY004  # as others
    windows = tuple(map(parse_window, values))
    check_apart(windows)
    for window in windows:
        _check_size(window, slots)
    return windows


def check_apart(windows: Sequence[Window]) -> None:
    """Refuse two windows that would have the same label, or always the same value.

    Raises
    ------
    ValueError
        Which they are, and how to mend it.
    """
    for one, other in combinations(windows, 2):
        if one == other:
            raise ValueError(f"has {one.label} twice; keep one")
        if one.label == other.label:
            raise ValueError(
                f"has two windows with the label {one.label}; spell the duration of one of them"
                " differently, as in 60s for 1m"
            )
        if replace(one, label=other.label) == other:
            raise ValueError(f"has {one.label} and {other.label}, which are the same; keep one")


def _check_size(window: Window, slots: int) -> None:
    """Refuse a window that would take too much memory for so many segments."""
    lengths = (getattr(window, name, None) for name in ("seconds", "panes", "events"))
    if not all(length is None or length > 0 for length in lengths):
        raise ValueError(f"has {window!r}; seconds, panes and events must be above 0")
    if window.label == "lifetime":
        raise ValueError("has a window named lifetime, which is always there; rename it")
    if isinstance(window, LastEvents) and window.events * slots > _MOST_KEPT:
        raise ValueError(
            f"has a window of {window.events:,} events for {slots:,} segments: at most"
            f" {_MOST_KEPT:,} events can be kept; lower one of them"
        )
    if isinstance(window, HalfLife) and slots > _MOST_DECAYING:
        raise ValueError(
            f"has a half-life for {slots:,} segments: at most {_MOST_DECAYING:,} are possible, for"
            " each keeps 32 half-lives; lower the limit of segments"
        )


def longest(windows: Iterable[Window]) -> float:
    """Return the seconds after which no window of time holds an event any more."""
    return max((w.seconds for w in windows if isinstance(w, Last | Tumbling)), default=0.0)


def needs_time(windows: Iterable[Window]) -> bool:
    """Tell whether a window asks when an event was."""
    return any(getattr(window, "seconds", None) is not None for window in windows)


def _last(duration: object, panes: object, exact: object) -> Last:
    seconds = parse_duration(duration)
    if exact is not None and not isinstance(exact, bool):  # 0 and 1 are no booleans here
        raise ValueError(f"has exact: {exact!r:.60}; must be true or false")
    if exact and panes is not None:
        raise ValueError("is exact and has panes; an exact window has none: remove one of them")
    if exact:
        return Last(str(duration), seconds, None)
    return Last(str(duration), seconds, PANES if panes is None else _count("panes", panes, 10_000))


def _events(events: object) -> LastEvents:
    number = _count("events", events, 10_000_000)
    return LastEvents(f"{number} events", number)


def _half_life(half_life: object) -> HalfLife:
    found = _EVENTS.fullmatch(half_life) if isinstance(half_life, str) else None
    if found:
        number = _count("half_life", int(found[1]), 1_000_000_000)
        return HalfLife(f"half-life {number} events", events=number)
    if isinstance(half_life, int):
        raise ValueError(  # noqa: TRY004  # as for all that is no window
            f"has half_life: {half_life}; must tell its unit: 1h, or 1000 events"
        )
    return HalfLife(f"half-life {half_life}", seconds=parse_duration(half_life))


def _tumbling(duration: object) -> Tumbling:
    return Tumbling(f"tumbling {duration}", parse_duration(duration))


def _count(name: str, value: object, largest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
        raise ValueError(f"has {name}: {value!r:.60}; must be a whole number from 1 to {largest:,}")
    return value


_FORMS: dict[tuple[str, ...], Callable[..., Window]] = {
    ("last", "panes", "exact"): _last,
    ("events",): _events,
    ("half_life",): _half_life,
    ("tumbling",): _tumbling,
}
