"""What windows and segments cost in memory, and how long it takes to read all of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.charts import Line, Lines
from benchmarks.pairs import Table, show
from losswatch.core.monitor import Monitor
from losswatch.core.segments import Segments

__all__ = ["measure"]

WINDOWS = ("5m", "1h", "24h")
NUMBERS = ("n", "mse", "rmse", "mae", "bias", "error_variance", "r2")
MANY = 100_000
AT_ONCE = 1 << 17


def measure() -> list[Table]:
    """Measure each in a process of its own."""
    flat, many = _apart("flat"), _apart("many")
    return [_flat_table(flat), _many_table(many)]


def _flat_table(found: dict[str, Any]) -> Table:
    days, megabytes = found["days"], found["megabytes"]
    warm = next(place for place, day in enumerate(days) if day >= 1.0)
    chart = Lines(
        "memory-flat.svg",
        "Does memory stay flat? 10⁷ events of 1,000 segments over 5 days.",
        "days of events",
        "memory of the process, MB (log scale)",
        [Line("5m, 1h and 24h of 1,000 segments", "ours", days, megabytes)],
    )
    rows = [
        ("before the first event", show(megabytes[0])),
        ("after a day: the windows are full", show(megabytes[warm])),
        ("largest since then", show(max(megabytes[warm:]))),
        ("after 5 days and 10⁷ events", show(megabytes[-1])),
    ]
    return Table("Is memory flat?", ("when", "memory of the process, MB"), rows, charts=[chart])


def _many_table(found: dict[str, Any]) -> Table:
    rows = [
        ("events in the day", f"{found['events']:,.0f}"),
        ("memory for each segment, kB", show(found["kilobytes"])),
        ("copy of all sums, ms (updates wait so long)", show(1e3 * found["snapshot"])),
        ("all numbers of all windows, ms", show(1e3 * found["read"])),
        ("numbers read", f"{found['numbers']:,.0f}"),
    ]
    return Table(
        "100,000 segments, three windows and the lifetime: memory, and reading all of them",
        ("what", ""),
        rows,
        note="Every segment has events in all windows. Read are the count, MSE, RMSE, MAE, bias,"
        " error variance and R² of every segment and window, correctly rounded.",
    )


def _apart(what: str) -> dict[str, Any]:
    """Run a function of this module in a fresh process and return what it found."""
    command = [sys.executable, "-c", f"from benchmarks.bench_memory import {what}; {what}()"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def flat() -> None:
    """Print the memory along 10⁷ events of five days."""
    rng = np.random.default_rng(1)
    names = np.array([f"city{number}" for number in range(1000)], dtype=object)
    monitor = Monitor("eta", windows=WINDOWS, segments=Segments(("city",)))
    events, days = 10_000_000, 5
    now = start = 1.7e9
    found: dict[str, list[float]] = {"days": [0.0], "megabytes": [_megabytes()]}
    for _ in range(0, events, AT_ONCE):
        time_ = now + np.cumsum(rng.exponential(days * 86400 / events, AT_ONCE))
        now = float(time_[-1])
        _feed(monitor, rng, names[rng.integers(0, 1000, AT_ONCE)], time_)
        found["days"].append((now - start) / 86400)
        found["megabytes"].append(_megabytes())
    print(json.dumps(found))


def many() -> None:
    """Print what 100,000 segments take, and how long reading them takes."""
    rng = np.random.default_rng(1)
    names = np.array([f"city{number}" for number in range(MANY)], dtype=object)
    monitor = Monitor("eta", windows=WINDOWS, segments=Segments(("city",), limit=MANY))
    before, now, events = _megabytes(), 1.7e9, 0
    for gap in [86400 / 120] * 120 + [30.0] * 120 + [2.5] * 120:  # a day, its last hour, 5 minutes
        time_ = np.sort(now + gap * rng.random(MANY))
        _feed(monitor, rng, rng.permutation(names), time_)
        now, events = now + gap, events + MANY
    memory = _megabytes() - before
    start = time.perf_counter()
    snapshot = monitor.snapshot()
    middle = time.perf_counter()
    numbers = sum(
        getattr(reading, name).size for reading in snapshot.readings.values() for name in NUMBERS
    )
    found = {
        "events": events,
        "kilobytes": memory * 1e3 / MANY,
        "snapshot": middle - start,
        "read": time.perf_counter() - middle,
        "numbers": numbers,
    }
    print(json.dumps(found))


def _feed(
    monitor: Monitor, rng: np.random.Generator, cities: np.ndarray, time_: np.ndarray
) -> None:
    y_true = rng.normal(10.0, 3.0, time_.size)
    y_pred = y_true + rng.normal(0.0, 1.0, time_.size)
    monitor.update_many(y_true, y_pred, segment={"city": cities.tolist()}, time=time_)


def _megabytes() -> float:
    """Return the memory of this process that is in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6
