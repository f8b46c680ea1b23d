"""Monitors with segments: made, fed and counted in one way by all tests of them."""

import pytest

from losswatch import Monitor, Segments

OTHER, NONE = {"segment": "other"}, {"segment": "none"}


def watched(labels=("city",), *, windows=("10s", {"events": 3}), **kind) -> Monitor:
    return Monitor("m", windows=windows, segments=Segments(labels, **kind))


def counts(monitor: Monitor, window: str = "lifetime", now: float | None = None) -> dict:
    """Return n by segment."""
    snapshot = monitor.snapshot(now)
    names = [tuple(names.values()) for names in snapshot.segments]
    return dict(zip(names, snapshot.readings[window].n.tolist(), strict=True))


def send(monitor: Monitor, city, time: float, error: float = 1.0, *, columns=False, **kind) -> None:
    if columns:
        segment = {"city": [city]}
        assert monitor.update_many([0.0], [error], segment=segment, time=[time], **kind) == []
    else:
        monitor.update(0.0, error, segment={"city": city}, time=time, **kind)


ways = pytest.mark.parametrize("columns", [False, True], ids=["one by one", "in columns"])
