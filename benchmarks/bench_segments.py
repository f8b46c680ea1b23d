"""Three windows of 1,000 segments: how many events a second, in columns and one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from prometheus_client import CollectorRegistry, Summary

from benchmarks.pairs import Pair, Table, time_pair
from losswatch.core.monitor import Monitor
from losswatch.core.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["measure"]

SEGMENTS = 1000
WINDOWS = ("5m", "1h", "24h")
AT_ONCE = 65_536


class Stream:
    """Events of many cities, so many a second, each in a random one.

    Parameters
    ----------
    events
        How many.
    rate
        Events a second.
    """

    def __init__(self, events: int, rate: float) -> None:
        rng = np.random.default_rng(1)
        cities = np.array([f"city{number}" for number in range(SEGMENTS)], dtype=object)
        self.events = events
        self.time = 1.7e9 + np.cumsum(rng.exponential(1.0 / rate, events))
        self.city = cities[rng.integers(0, SEGMENTS, events)].tolist()
        self.y_true = rng.normal(10.0, 3.0, events)
        self.y_pred = self.y_true + rng.normal(0.0, 1.0, events)

    def columns(self) -> None:
        """Give them to a monitor as columns."""
        monitor = _monitor()
        for start in range(0, self.events, AT_ONCE):
            cut = slice(start, start + AT_ONCE)
            city = {"city": self.city[cut]}
            monitor.update_many(
                self.y_true[cut], self.y_pred[cut], segment=city, time=self.time[cut]
            )
        monitor.snapshot()

    def one_by_one(self) -> Callable[[], None]:
        """Return what gives them to a monitor one by one."""
        segments = {city: {"city": city} for city in self.city}
        labels = [segments[city] for city in self.city]
        columns = (self.y_true.tolist(), self.y_pred.tolist(), labels, self.time.tolist())

        def run() -> None:
            monitor = _monitor()
            update = monitor.update
            for y_true, y_pred, segment, time in zip(*columns, strict=True):
                update(y_true, y_pred, segment=segment, time=time)
            monitor.snapshot()

        return run

    def client(self) -> Callable[[], None]:
        """Return what gives their losses to one summary of prometheus-client, by city."""
        events = list(zip(self.city, self.y_true.tolist(), self.y_pred.tolist(), strict=True))

        def run() -> None:
            losses = Summary("loss", "L2 loss", ["city"], registry=CollectorRegistry())
            for city, y_true, y_pred in events:
                losses.labels(city).observe((y_true - y_pred) ** 2)

        return run


def measure() -> Table:
    """Time both, on a busy and on a quiet stream, against a summary without any window."""
    rows = []
    for rate in (1000.0, 100.0):
        stream = Stream(1 << 20, rate)
        client = Stream(1 << 17, rate).client()
        rows.append(_row(f"columns, {rate:,.0f} events/s", time_pair(stream.columns, client, 5), 8))
    single = Stream(1 << 18, 1000.0)
    pair = time_pair(single.one_by_one(), single.client(), 5)
    rows.append(_row("one by one", pair, 1, events=1 << 18))
    return Table(
        "Three windows and 1,000 segments: a monitor against one summary of prometheus-client",
        ("events come as", "ours, ns an event", "ours, events/s", "client, ns an event", "ratio"),
        rows,
        note="Windows of 5 minutes, an hour and a day in 60 panes each, and the lifetime; six exact"
        " sums and a histogram of each segment. The client's `Summary.labels(city).observe` adds"
        " two floats and has no window. One core.",
    )


def _row(what: str, pair: Pair, larger: int, events: int = 1 << 17) -> tuple[str, ...]:
    """Return a row; our stream is some times larger than the client's."""
    scaled = Pair([seconds / larger for seconds in pair.ours], pair.peer)
    ours, client = scaled.median(1e-9 * events)
    return what, ours, f"{1e9 / float(ours):,.0f}", client, scaled.ratio


def _monitor() -> Monitor:
    return Monitor("eta", windows=WINDOWS, segments=Segments(("city",), limit=SEGMENTS))
