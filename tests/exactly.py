"""What cells and windows must read, in fractions and straight from the law."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from losswatch.core.cells.grouping import group
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.table import Table

NAMES = ("n", "weight", "loss", "mse", "rmse", "mae", "bias", "truth", "error_variance", "r2")

KEPT_HALF_LIVES = 32
NOISE = Fraction(1, 2**52)

with decimal.localcontext() as context:
    context.prec = 60
    FACTORS = [float(Decimal(2) ** (Decimal(step) / 1024 - 1)) for step in range(1024)]


class Sums(NamedTuple):
    """The sums of some events, not rounded."""

    n: int = 0
    loss: Fraction = Fraction(0)
    error: Fraction = Fraction(0)
    absolute: Fraction = Fraction(0)
    weight: Fraction = Fraction(0)
    truth: Fraction = Fraction(0)
    square: Fraction = Fraction(0)


def terms(error: float, y_true: float, w: float = 1.0) -> Sums:
    """Return what one event adds: terms rounded to float64, those of y_true not rounded."""
    y, weight = Fraction(y_true), Fraction(w)
    rounded = (Fraction(w * (error * error)), Fraction(w * error), Fraction(w * abs(error)))
    return Sums(1, *rounded, weight, weight * y, weight * y * y)


def added(parts: list[Sums]) -> Sums:
    """Return the sums of all."""
    columns = list(zip(*parts, strict=True)) or [()] * len(Sums._fields)
    return Sums(sum(columns[0]), *map(_sum, columns[1:]))


def halved(sums: Sums, times: int) -> Sums:
    """Return the same events with half the weight, some times."""
    share = Fraction(1, 2) ** times
    return Sums(sums.n, *(share * part for part in sums[1:]))


def numbers(sums: Sums) -> dict[str, float]:
    """Return every public number, rounded once."""
    if not sums.n:
        return dict.fromkeys(NAMES, math.nan) | {"n": 0, "weight": 0.0, "loss": 0.0}
    _, loss, error, absolute, weight, truth, square = sums
    mse = nearest(loss / weight)
    variance = loss / weight - (error / weight) ** 2
    spread = square - truth * truth / weight
    return {
        "n": sums.n,
        "weight": nearest(weight),
        "loss": nearest(loss),
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mae": nearest(absolute / weight),
        "bias": nearest(error / weight),
        "truth": nearest(truth / weight),
        "error_variance": nearest(variance) if variance > NOISE * loss / weight else 0.0,
        "r2": nearest((spread - loss) / spread) if spread else math.nan,
    }


def dummy_ratio(sums: Sums, mean: float) -> float:
    """Return rmse / rmse of predicting a mean, each rounded once."""
    if not sums.n or not math.isfinite(mean):
        return math.nan
    m = Fraction(mean)
    dummy = sums.square - 2 * m * sums.truth + m * m * sums.weight
    return math.sqrt(nearest(sums.loss / dummy)) if dummy else math.nan


def nearest(number: Fraction) -> float:
    """Round once; infinite where float64 ends."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def same(a: float, b: float) -> bool:
    """Tell whether two numbers are the same; NaN is the same as NaN."""
    return a == b or (a != a and b != b)  # noqa: PLR0124


def check(reading, wanted: list[Sums], *, names=NAMES, note: object = "") -> None:
    """Check every number of every row, bit for bit."""
    assert len(reading) == len(wanted)
    found = {name: getattr(reading, name).tolist() for name in names}
    truths = [numbers(sums) for sums in wanted]
    for name, values in found.items():
        for row, value in enumerate(values):
            assert type(value) is (int if name == "n" else float)
            assert same(value, truths[row][name]), (note, name, row, value, truths[row][name])
    means = [truth["truth"] for truth in truths]
    for shift in (0.0, 0.75):
        ratios = reading.dummy_ratio(np.array(means) + shift).tolist()
        for row, sums in enumerate(wanted):
            ratio = dummy_ratio(sums, means[row] + shift)
            assert same(ratios[row], ratio), (note, "dummy_ratio", row, ratios[row], ratio)


class Entry(NamedTuple):
    """An event as it came into a window."""

    slot: int
    error: float
    y_true: float
    w: float
    time: float
    clock: float

    @property
    def sums(self) -> Sums:
        return terms(self.error, self.y_true, self.w)


def in_panes(entries: list[Entry], now: float, seconds: float, panes: int) -> Sums:
    """Return what a window of panes holds."""
    width = seconds / panes
    oldest = math.floor(now / width) - panes + 1
    return added([entry.sums for entry in entries if math.floor(entry.time / width) >= oldest])


def too_old_for_panes(entries: list[Entry], seconds: float, panes: int) -> int:
    """Return how many came when their pane had left."""
    width = seconds / panes
    ages = [math.floor(e.clock / width) - math.floor(e.time / width) for e in entries]
    return sum(age >= panes for age in ages)


def younger(entries: list[Entry], now: float, seconds: float) -> Sums:
    """Return what an exact window of time holds."""
    return added([entry.sums for entry in entries if entry.time > now - seconds])


def latest(entries: list[Entry], events: int) -> Sums:
    """Return what a window of the last events holds."""
    return added([entry.sums for entry in entries[-events:]])


def halved_by_time(entries: list[Entry], now: float, seconds: float) -> Sums:
    """Return what a window with a half-life holds."""
    places = [_place(min(entry.time, entry.clock) / seconds) for entry in entries]
    return _halved(entries, places, _place(now / seconds)[0])


def halved_by_count(entries: list[Entry], events: int) -> Sums:
    """Return what a window with a half-life in events holds."""
    places = [(k // events, k % events * 1024 // events) for k in range(max(len(entries), 1))]
    return _halved(entries, places[: len(entries)], places[-1][0])


def scored(slot, error, y_true, w=None) -> Scored:
    """Return events as columns."""
    columns = [np.asarray(column, dtype=np.float64) for column in (error, y_true)]
    weights = None if w is None else np.asarray(w, dtype=np.float64)
    return Scored(np.asarray(slot, dtype=np.intp), *columns, weights)


def sums_by_slot(events: Scored, size: int, *, pooled: bool = False) -> list[Sums]:
    """Return the truth of every slot; with ``pooled`` slot 0 is that of all."""
    rows: list[list[Sums]] = [[] for _ in range(size)]
    weights = [1.0] * len(events) if events.w is None else events.w.tolist()
    columns = (events.slot.tolist(), events.error.tolist(), events.y_true.tolist(), weights)
    for slot, *event in zip(*columns, strict=True):
        rows[slot].append(terms(*event))
        if pooled and slot:
            rows[0].append(rows[slot][-1])
    return [added(row) for row in rows]


def read(events: Scored, size: int):
    """Return the reading of events in a fresh table."""
    table = Table(size)
    table.add(group(events))
    return table.read(np.arange(size))


def _place(position: float) -> tuple[int, int]:
    octave = math.floor(position)
    return octave, int((position - octave) * 1024)


def _halved(entries, places, octave_now) -> Sums:
    parts = []
    for entry, (octave, step) in zip(entries, places, strict=True):
        if octave_now - octave < KEPT_HALF_LIVES:
            w = FACTORS[step] * entry.w
            parts.append(halved(terms(entry.error, entry.y_true, w), octave_now - octave))
    return added(parts)


def _sum(fractions: tuple[Fraction, ...]) -> Fraction:
    """Add fractions whose denominators are powers of two."""
    unit = max((f.denominator for f in fractions), default=1)
    return Fraction(sum(f.numerator * (unit // f.denominator) for f in fractions), unit)
