"""Events as they come in, one by one and as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Event", "EventColumns"]

Value = float | dict[str, float]


class Event(NamedTuple):
    """One complete event: prediction and truth."""

    model: str | None
    y_true: Value
    y_pred: Value
    w: float
    line: int


@dataclass(slots=True)
class EventColumns:
    """Events of one output each, as columns of equal length."""

    model: Sequence[str | None] = ()
    y_true: Sequence[float] = ()
    y_pred: Sequence[float] = ()
    w: Sequence[float] = ()
    line: Sequence[int] = field(default=())

    def __len__(self) -> int:
        return len(self.line)

    @classmethod
    def of(cls, events: Sequence[Event]) -> EventColumns:
        """Return events as columns."""
        return cls(*zip(*events, strict=True)) if events else cls()

    def by_model(self) -> Iterator[tuple[str | None, EventColumns]]:
        """Yield each model with its events, in their order."""
        places: dict[str | None, int] = {}
        model_of = [places.setdefault(model, len(places)) for model in self.model]
        if len(places) == 1:  # the usual case, without a copy
            yield self.model[0], self
            return
        codes = np.array(model_of, dtype=np.intp)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(places))).tolist()
        columns = [np.array(c)[order] for c in (self.y_true, self.y_pred, self.w, self.line)]
        for model, place in places.items():
            cut = slice(ends[place - 1] if place else 0, ends[place])
            yield model, EventColumns((), *(column[cut].tolist() for column in columns))

    def weights(self) -> Sequence[float] | None:
        """Return the weights, or ``None`` if all are 1."""
        return None if list(self.w).count(1.0) == len(self) else self.w
