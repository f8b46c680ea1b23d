"""Monitors, the state they are kept in, and sources that have just what a test gives them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from losswatch.config.load import parse_monitor
from losswatch.core.monitors import Monitors
from losswatch.service.build import make_monitor
from losswatch.service.keeper import Keeper
from losswatch.service.round import Round
from losswatch.sources.base import Batch, Outcome, Position
from losswatch.sources.fields import Fields
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.store.database import Store

START = 1_700_000_000.0
DECODER = NdjsonDecoder(Fields(labels=["city"]), None, 10_000)


class Clock:
    """Tells the time that a test sets."""

    now = START

    def __call__(self) -> float:
        return self.now


class Given:
    """A source that has the batches of a test, and remembers what became of them."""

    def __init__(self, name: str, batches: Sequence[Batch] = (), *, again: bool = True) -> None:
        self.name = name
        self.outcomes: list[Outcome] = []
        self.failures: list[str] = []
        self.closed = False
        self._batches = list(batches)
        self._again = again

    def resume(self, position: Position) -> None:
        raise AssertionError(position)

    def next_batch(self) -> Batch | None:
        return self._batches.pop(0) if self._batches else None

    def committed(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def failed(self, reason: str) -> bool:
        self.failures.append(reason)
        return self._again

    def close(self) -> None:
        self.closed = True


def batch(*records: Any, first: int = 1, position: Position | None = None) -> Batch:
    """Return records as a source decodes them; a text stands for itself."""
    texts = [record if isinstance(record, str) else json.dumps(record) for record in records]
    decoded = DECODER.decode([text.encode() for text in texts], first)
    decoded.position = position
    return decoded


def event(error: float, **more: Any) -> dict[str, Any]:
    return {"y_true": 10.0, "y_pred": 10.0 - error, **more}


def round_of(*records: Any, position: Position | None = None) -> Round:
    return Round([(Given("given"), batch(*records, position=position))])


def keeper_of(path: Path | None, *settings: dict[str, Any], clock: Any = None) -> Keeper:
    """Return a keeper of models that are declared so, its state at a path or nowhere."""
    clock = clock or Clock()
    configs = [parse_monitor(each) for each in settings]
    monitors = Monitors(make_monitor(config, clock) for config in configs)
    declared = {config.model: config.model_dump_json() for config in configs}
    return Keeper(monitors, None if path is None else Store(path), clock, declared)


def numbers(monitors: Monitors, now: float = START) -> dict[tuple[Any, ...], list[str]]:
    """Return every number of all windows and segments, bit for bit, where there are events."""
    return {
        (monitor.model, output, window, *labels.items()): [
            repr(float(getattr(reading, name)[row]))
            for name in ("n", "weight", "mse", "mae", "bias", "r2")
        ]
        for monitor in monitors.snapshot(now).monitors
        for output, ledger in monitor.outputs.items()
        for window, reading in ledger.readings.items()
        for row, labels in enumerate(monitor.segments)
        if reading.n[row]
    }
