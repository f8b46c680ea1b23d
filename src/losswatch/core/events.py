"""Events as they come in, one by one and as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from losswatch.core.coded import Coded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    Order: TypeAlias = NDArray[np.intp]
    Column: TypeAlias = Sequence[Any] | NDArray[Any]
    Numbers: TypeAlias = Sequence[float | None] | NDArray[np.float64]

__all__ = ["Event", "EventColumns"]

Value = float | dict[str, float]


class Event(NamedTuple):
    """One event: a prediction, a truth, or both.

    ``y_true`` is ``None`` where there is only the prediction, ``y_pred`` where
    there is only the truth; then there is a ``prediction_id``. ``time`` is
    seconds since 1970. ``segment`` has each label that was asked for, with
    ``None`` where the event has none.
    """

    model: str | None
    y_true: Value | None
    y_pred: Value | None
    w: float
    line: int
    time: float | None = None
    segment: Mapping[str, str | None] | None = None
    prediction_id: str | None = None


@dataclass(slots=True)
class EventColumns:
    """Events of one output each, as columns of equal length; see :class:`Event`.

    ``time`` and ``prediction_id`` are empty if no event has one; ``segment``
    has a column for each label that was asked for. Only where there is a
    ``prediction_id`` may ``y_true`` or ``y_pred`` be ``None``.
    """

    model: Sequence[str | None] = ()
    y_true: Numbers = ()
    y_pred: Numbers = ()
    w: Numbers = ()
    line: Sequence[int] = ()
    time: Numbers = ()
    segment: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    prediction_id: Sequence[str | None] = ()

    def __len__(self) -> int:
        return len(self.line)

    @classmethod
    def of(cls, events: Sequence[Event]) -> EventColumns:
        """Return events of one output as columns."""
        if not events:
            return cls()
        model, y_true, y_pred, w, line, times, segments, ids = zip(*events, strict=True)
        labels = dict.fromkeys(label for segment in segments for label in segment or ())
        segment = {label: [(s or {}).get(label) for s in segments] for label in labels}
        return cls(model, y_true, y_pred, w, line, _known(times), segment, _known(ids))

    @classmethod
    def join(cls, parts: Sequence[EventColumns]) -> EventColumns:
        """Return the events of several batches as one; the number of its line is kept by each."""
        parts = [part for part in parts if len(part)]
        if len(parts) <= 1:
            return parts[0] if parts else cls()
        labels = dict.fromkeys(label for part in parts for label in part.segment)
        joined = {
            name: _known(_chained([_filled(getattr(part, name), part) for part in parts]))
            for name in ("time", "prediction_id")
        }
        return cls(
            **{
                name: _chained([getattr(part, name) for part in parts])
                for name in ("model", "y_true", "y_pred", "w", "line")
            },
            segment={
                label: _chained([_filled(part.segment.get(label, ()), part) for part in parts])
                for label in labels
            },
            **joined,
        )

    def take(self, which: Order) -> EventColumns:
        """Return some of the events, in the order that is given."""

        def some(column: Column) -> Any:  # noqa: ANN401  # as the column is
            if isinstance(column, np.ndarray):
                return column[which]
            if isinstance(column, Coded):
                return column.take(which)
            return [column[place] for place in places] if len(column) else ()

        places = which.tolist()
        return EventColumns(
            **{
                name: some(getattr(self, name))
                for name in ("model", "y_true", "y_pred", "w", "line")
            },
            time=_known(some(self.time)),
            segment={label: some(column) for label, column in self.segment.items()},
            prediction_id=_known(some(self.prediction_id)),
        )

    def by_model(self) -> Iterator[tuple[str | None, EventColumns]]:
        """Yield each model with its events, in their order."""
        model = self.model if isinstance(self.model, Coded) else Coded.of(self.model)
        if len(model.distinct()) == 1:  # the usual case, without a copy
            yield self.model[0], self
            return
        for name, which in model.groups():
            yield name, self.take(which)

    def weights(self) -> Numbers | None:
        """Return the weights, or ``None`` if all are 1."""
        w = self.w
        if isinstance(w, np.ndarray):
            first = w[:1] if w.strides == (0,) else w  # one number, for all
            return None if (first == 1.0).all() else w
        return None if list(w).count(1.0) == len(self) else w


def _chained(columns: Sequence[Column]) -> Any:  # noqa: ANN401  # as the columns are
    """Return columns after one another; those that are arrays, or coded, stay it."""
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate(columns)
    if all(isinstance(column, Coded) for column in columns):
        return Coded.join(cast("list[Coded]", columns))
    return [value for column in columns for value in column]


def _filled(column: Column, events: EventColumns) -> Column:
    """Return a column with a value for every event, ``None`` where it was left out."""
    return column if len(column) else [None] * len(events)


def _known(column: Column) -> Any:  # noqa: ANN401  # as the column is
    """Return nothing if no event has a value."""
    if isinstance(column, np.ndarray):
        return column
    return () if column.count(None) == len(column) else column
