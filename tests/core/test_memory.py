"""The memory of a monitor does not grow with the number of events."""

import tracemalloc

import numpy as np

from losswatch import Monitor, Segments

WINDOWS = ["10s", "1m", {"last": "20s", "exact": True}, {"events": 50}, {"half_life": "1s"}]


def test_memory_is_flat_once_the_windows_are_full():
    """Three times as many events as fill the windows, and no kilobyte more for each thousand."""
    rng = np.random.default_rng(1)
    monitor = Monitor("m", windows=WINDOWS, segments=Segments(("city",), limit=20, idle=60.0))
    tracemalloc.start()
    try:
        used = [_feed(monitor, rng, minute) for minute in range(6)]
    finally:
        tracemalloc.stop()
    settled = used[1:]
    assert max(settled) < 1.1 * min(settled), used
    assert monitor.snapshot().read("lifetime").n == 6 * 60 * 200


def _feed(monitor: Monitor, rng: np.random.Generator, minute: int) -> int:
    """Feed a minute of events of ever new cities; return the bytes in use."""
    for second in range(0, 60, 5):
        time = 60.0 * minute + second + np.sort(5.0 * rng.random(1000))
        cities = [f"city{minute}-{number}" for number in rng.integers(0, 30, 1000)]
        y_true = rng.normal(10.0, 3.0, 1000)
        monitor.update_many(y_true, y_true + 1.5, segment={"city": cities}, time=time)
        monitor.snapshot()
    return tracemalloc.get_traced_memory()[0]
