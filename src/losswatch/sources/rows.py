"""Rows of columns to events: all that are good at once, and what is wrong with each other one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from losswatch.core.clock import LATEST
from losswatch.core.coded import Coded
from losswatch.core.events import EventColumns
from losswatch.core.labels import label_value
from losswatch.errors import RejectedEvent
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.ids import id_column, id_value
from losswatch.sources.sides import Sides
from losswatch.sources.times import time_value
from losswatch.sources.values import json_value, label, weight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats

    Flags = NDArray[np.bool_]

T = TypeVar("T")

__all__ = ["Numbers", "Rows"]


@dataclass(slots=True)
class Numbers:
    """A column of numbers: NaN where there is none, and where that is, if anywhere."""

    values: Floats
    absent: Flags | None = None

    def at(self, row: int) -> float | None:
        """Return the number of a row, ``None`` if there is none."""
        is_absent = self.absent is not None and self.absent[row]
        return None if is_absent else float(self.values[row])

    def missing(self) -> Flags:
        """Return where there is none."""
        return np.zeros(self.values.size, dtype=bool) if self.absent is None else self.absent


@dataclass(slots=True)
class Rows:
    """The fields of some events, as they stand in a file.

    A row costs about 2 ns and makes no object, unless something is wrong with
    it: then it is read again by the rules of JSON, which tell what.

    Parameters
    ----------
    first
        The number of the first row.
    size
        How many rows.
    y_true, y_pred, w, time
        Numbers; the last two ``None`` where the file has none.
    model
        The names of models, with that of events that name none.
    segment
        The values of labels.
    prediction_id
        Texts, or empty.
    """

    first: int
    size: int
    y_true: Numbers
    y_pred: Numbers
    w: Numbers | None
    time: Numbers | None
    model: Coded
    segment: Mapping[str, Coded] = field(default_factory=dict)
    prediction_id: Sequence[str | None] = ()

    def batch(self, default: str | None) -> Batch:
        """Return the events; ``default`` is the model of those that name none."""
        suspect = self._suspect()
        columns = self._columns(default)
        if suspect is None:
            return Batch(columns, lines=self.size)
        refused = self._refused(np.flatnonzero(suspect).tolist(), default)
        if refused:
            gone = [refusal.line - self.first for refusal in refused]
            columns = columns.take(np.delete(np.arange(self.size), gone))
        return Batch(columns, refused=refused, lines=self.size)

    def _columns(self, default: str | None) -> EventColumns:
        """Return all rows as events."""
        model = Coded(self.model.codes, [name or default for name in self.model.values])
        w = np.broadcast_to(1.0, self.size)
        if self.w is not None:
            w = self.w.values
            w = w if self.w.absent is None else np.where(self.w.absent, 1.0, w)
        ids = [text or None for text in self.prediction_id]
        return EventColumns(
            model=model,
            y_true=self.y_true.values,
            y_pred=self.y_pred.values,
            w=w,
            line=range(self.first, self.first + self.size),
            time=() if self.time is None else self.time.values,
            segment=self.segment,
            prediction_id=ids if any(ids) else (),
        )

    def _suspect(self) -> Flags | None:
        """Return which rows need a closer look, ``None`` if none does."""
        flags = [*self._lacking(), *self._odd_texts()]
        if self.w is not None:
            flags.append(~(np.isfinite(self.w.values) | self.w.missing()))
        if self.time is not None:
            in_range = (self.time.values >= 0.0) & (self.time.values < LATEST)
            flags.append(~(in_range | self.time.missing()))
        flags = [some for some in flags if some.any()]
        return np.logical_or.reduce(flags) if flags else None

    def _lacking(self) -> list[Flags]:
        """Return which rows lack a side that they must have, or have one that is not finite."""
        sides = (self.y_true, self.y_pred)
        odd = [~np.isfinite(side.values) for side in sides]
        if not len(self.prediction_id) or not any(flags.any() for flags in odd):
            return odd
        joined = np.fromiter(map(bool, self.prediction_id), dtype=bool, count=self.size)
        absent = [side.missing() for side in sides]
        alone = joined & (absent[0] ^ absent[1])
        return [flags & ~(alone & gone) for flags, gone in zip(odd, absent, strict=True)]

    def _odd_texts(self) -> list[Flags]:
        """Return which rows have a text that cannot be used."""
        flags = [_with_bad(self.model, label)]
        flags += [_with_bad(c, partial(label_value, name)) for name, c in self.segment.items()]
        if _is_bad(self.prediction_id, id_column):
            bad = [_is_bad(text, id_value) for text in self.prediction_id]
            flags.append(np.array(bad, dtype=bool))
        return [some for some in flags if some is not None]

    def _refused(self, rows: Sequence[int], default: str | None) -> list[Refusal]:
        refused = []
        for row in rows:
            model = default
            try:
                model = label(self.model[row]) or default
                self._check(row)
            except RejectedEvent as rejection:
                refused.append(Refusal(self.first + row, rejection.reason, rejection.detail, model))
        return refused

    def _check(self, row: int) -> None:
        """Refuse a row by the rules of JSON, in their order; its model was looked at."""
        ids = self.prediction_id
        prediction_id = id_value(ids[row]) if len(ids) else None
        sides = {"y_true": self.y_true.at(row), "y_pred": self.y_pred.at(row)}
        Sides().check(sides["y_true"], sides["y_pred"], prediction_id)
        for name, value in sides.items():
            if value is not None:
                json_value(name, value)
        weight(None if self.w is None else self.w.at(row))
        time_value(None if self.time is None else self.time.at(row))
        for name, column in self.segment.items():
            label_value(name, column[row])


def _with_bad(column: Coded, check: Callable[[str | None], object]) -> Flags | None:
    """Return which rows have a value that is refused; each distinct one is looked at once."""
    bad = np.array([_is_bad(value, check) for value in column.values], dtype=bool)
    return bad[column.codes] if bad.any() else None


def _is_bad(value: T, check: Callable[[T], object]) -> bool:
    try:
        check(value)
    except RejectedEvent:
        return True
    return False
