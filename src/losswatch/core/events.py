"""Events as they come in, one by one and as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

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
        if not self.line:
            return
        first = self.model[0]
        if list(self.model).count(first) == len(self):  # the usual case, without a copy
            yield first, self
            return
        rows: dict[str | None, list[int]] = {}
        for row, model in enumerate(self.model):
            rows.setdefault(model, []).append(row)
        for model, chosen in rows.items():
            yield model, self._take(chosen)

    def weights(self) -> Sequence[float] | None:
        """Return the weights, or ``None`` if all are 1."""
        return None if list(self.w).count(1.0) == len(self) else self.w

    def _take(self, rows: list[int]) -> EventColumns:
        columns = (self.model, self.y_true, self.y_pred, self.w, self.line)
        return EventColumns(*([column[row] for row in rows] for column in columns))  # type: ignore[arg-type]
