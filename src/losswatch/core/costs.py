"""The cost of each model, segment and window, one after another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losswatch.core.ledger import LIFETIME
from losswatch.core.worst import worst_segments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.core.snapshot import Snapshot

    Columns = Mapping[str, list[float]]

__all__ = ["NUMBERS", "Row", "as_json", "rows_of"]

_ALWAYS = ("weight", "mse", "rmse", "mae", "bias", "error_variance")
NUMBERS = (*_ALWAYS, "r2", "dummy_ratio")
"""What a row tells, by the names of the API."""

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Row:
    """The cost of one output of a model in one segment and window.

    All outputs together are the output ``""`` and the total is the segment
    without labels. A number that does not exist is NaN.
    """

    model: str
    output: str
    segment: Mapping[str, str]
    window: str
    n: int
    numbers: Mapping[str, float]


def as_json(
    snapshot: MonitorsSnapshot,
    models: Collection[str] | None = None,
    windows: Collection[str] | None = None,
) -> list[dict[str, object]]:
    """Return the costs as plain data; a number that does not exist is ``None``.

    Parameters
    ----------
    snapshot
        What was read.
    models, windows
        Only these, ``None`` for all. Those that are not there are not missed.

    Examples
    --------
    >>> from losswatch.core.monitor import Monitor
    >>> from losswatch.core.monitors import Monitors
    >>> monitor = Monitor("eta")
    >>> monitor.update(10, 12)
    4.0
    >>> (cost,) = as_json(Monitors([monitor]).snapshot())
    >>> cost["model"], cost["window"], cost["n"], cost["mse"], cost["r2"]
    ('eta', 'lifetime', 1, 4.0, None)
    """
    return [
        _plain(row)
        for monitor in snapshot.monitors
        if models is None or monitor.model in models
        for row in rows_of(monitor, windows=windows)
    ]


def rows_of(
    monitor: Snapshot, most: int | None = None, windows: Collection[str] | None = None
) -> Iterator[Row]:
    """Yield the total, then the segments that cost the most; the lifetime first.

    Parameters
    ----------
    monitor
        What was read.
    most
        So many segments, ``None`` for all.
    windows
        Only these, ``None`` for all.
    """
    places = [0, *worst_segments(monitor, LIFETIME)[:most]]
    shown = [window for window in monitor.windows if windows is None or window in windows]
    outputs = [*monitor.outputs] if len(monitor.outputs) > 1 else []
    for output in ("", *outputs):
        yield from _rows(monitor, output, shown, places)


def _plain(row: Row) -> dict[str, object]:
    return {
        "model": row.model,
        **({"output": row.output} if row.output else {}),
        "segment": dict(row.segment),
        "window": row.window,
        "n": row.n,
        **{
            name: row.numbers[name] if math.isfinite(row.numbers[name]) else None
            for name in NUMBERS
        },
    }


def _rows(
    monitor: Snapshot, output: str, windows: Sequence[str], places: Sequence[int]
) -> Iterator[Row]:
    columns = {window: _columns(monitor, output, window) for window in windows}
    for place in places:
        for window, (counts, numbers) in columns.items():
            yield Row(
                monitor.model,
                output,
                monitor.segments[place],
                window,
                counts[place],
                {name: column[place] for name, column in numbers.items()},
            )


def _columns(monitor: Snapshot, output: str, window: str) -> tuple[list[int], Columns]:
    """Return how many events each row has, and its numbers."""
    ledger = monitor.outputs[output or next(iter(monitor.outputs))]
    reading = ledger.readings[window] if output else monitor.readings[window]
    numbers = {name: getattr(reading, name).tolist() for name in _ALWAYS}
    if output or len(monitor.outputs) == 1:
        numbers |= {"r2": reading.r2.tolist(), "dummy_ratio": ledger.dummy_ratio(window).tolist()}
    else:  # outputs have a variance each, and no common one
        numbers |= dict.fromkeys(("r2", "dummy_ratio"), [_NAN] * len(reading))
    return reading.n.tolist(), numbers
