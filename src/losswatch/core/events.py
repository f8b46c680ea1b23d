"""Events as they come in, one by one and as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    Order: TypeAlias = NDArray[np.intp]

__all__ = ["Event", "EventColumns"]

Value = float | dict[str, float]


class Event(NamedTuple):
    """One complete event: prediction and truth.

    ``time`` is seconds since 1970. ``segment`` has each label that was asked
    for, with ``None`` where the event has none.
    """

    model: str | None
    y_true: Value
    y_pred: Value
    w: float
    line: int
    time: float | None = None
    segment: Mapping[str, str | None] | None = None


@dataclass(slots=True)
class EventColumns:
    """Events of one output each, as columns of equal length.

    ``time`` is empty if no event has one; ``segment`` has a column for each
    label that was asked for.
    """

    model: Sequence[str | None] = ()
    y_true: Sequence[float] = ()
    y_pred: Sequence[float] = ()
    w: Sequence[float] = ()
    line: Sequence[int] = ()
    time: Sequence[float | None] = ()
    segment: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.line)

    @classmethod
    def of(cls, events: Sequence[Event]) -> EventColumns:
        """Return events as columns."""
        if not events:
            return cls()
        model, y_true, y_pred, w, line, times, segments = zip(*events, strict=True)
        labels = dict.fromkeys(label for segment in segments for label in segment or ())
        segment = {label: [(s or {}).get(label) for s in segments] for label in labels}
        return cls(model, y_true, y_pred, w, line, _known(times), segment)

    def by_model(self) -> Iterator[tuple[str | None, EventColumns]]:
        """Yield each model with its events, in their order."""
        places = {model: place for place, model in enumerate(dict.fromkeys(self.model))}
        if len(places) == 1:  # the usual case, without a copy
            yield self.model[0], self
            return
        codes = np.array(list(map(places.__getitem__, self.model)), dtype=np.intp)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(places))).tolist()
        numbers = [np.array(c)[order] for c in (self.y_true, self.y_pred, self.w, self.line)]
        time = _ordered(self.time, order) if self.time else np.empty(0)
        segment = {label: _ordered(column, order) for label, column in self.segment.items()}
        for model, place in places.items():
            cut = slice(ends[place - 1] if place else 0, ends[place])
            y_true, y_pred, w, line = (column[cut].tolist() for column in numbers)
            labels = {label: column[cut].tolist() for label, column in segment.items()}
            times = _known(time[cut].tolist())
            yield model, EventColumns((), y_true, y_pred, w, line, times, labels)

    def weights(self) -> Sequence[float] | None:
        """Return the weights, or ``None`` if all are 1."""
        return None if list(self.w).count(1.0) == len(self) else self.w


def _ordered(column: Sequence[object], order: Order) -> NDArray[Any]:
    """Return a column whose values are kept as the objects they are, in another order."""
    objects = np.empty(len(column), dtype=object)
    objects[:] = column
    return objects[order]


def _known(times: Sequence[float | None]) -> Sequence[float | None]:
    """Return nothing if no event has a time."""
    return () if times.count(None) == len(times) else times
