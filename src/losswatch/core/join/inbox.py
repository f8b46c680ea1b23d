"""Predictions and truths given one by one, on their way to the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.clock import AHEAD, as_time, future
from losswatch.core.events import EventColumns
from losswatch.core.labels import label_value
from losswatch.core.outputs import check_outputs
from losswatch.core.validity import as_float, shown
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losswatch.core.cells.products import Floats

__all__ = ["LONGEST_ID", "Inbox", "check_id"]

FULL = 1024
"""Calls that may wait: together they take a twentieth of what each would take alone."""

LONGEST_ID = 256
"""Characters of a prediction_id."""

_BEYOND = 10**LONGEST_ID
"""A number of so many digits that Python may refuse to write it."""


def check_id(prediction_id: object) -> str:
    """Return an id as text.

    Raises
    ------
    RejectedEvent
        It is no text or whole number, empty, or too long (``invalid_id``).
    """
    is_whole = isinstance(prediction_id, int) and not isinstance(prediction_id, bool)
    if is_whole and -_BEYOND < prediction_id < _BEYOND:
        prediction_id = str(prediction_id)
    if isinstance(prediction_id, str) and 0 < len(prediction_id) <= LONGEST_ID:
        return prediction_id
    detail = (
        f"prediction_id is {shown(prediction_id)}; must be text of 1 to {LONGEST_ID} characters,"
        " or a whole number"
    )
    raise RejectedEvent(Reason.INVALID_ID, detail)


class Inbox:
    """Keeps what was given until there is enough of it. Not thread-safe.

    Parameters
    ----------
    outputs
        The names of the outputs; none if there is just one number.
    labels
        Those of segments.
    """

    def __init__(self, outputs: tuple[str, ...], labels: tuple[str, ...]) -> None:
        self._outputs = outputs
        self._labels = labels
        self._nothing = (float("nan"),) * max(1, len(outputs))
        self._unlabelled = (None,) * len(labels)
        self._calls: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def is_full(self) -> bool:
        """Whether it is to be emptied."""
        return len(self._calls) >= FULL

    def predict(  # noqa: PLR0913, PLR0917  # the parts of a prediction
        self,
        prediction_id: object,
        y_pred: object,
        w: object,
        segment: Mapping[str, str | None] | None,
        time: object,
        at: float | None,
    ) -> None:
        """Add a prediction; raise if it cannot be one."""
        numbers = self._numbers("y_pred", y_pred)
        weight = 1.0 if w is None else as_float("w", w)
        if weight < 0.0:
            detail = f"w is {weight!r}; must be a finite float64, 0 or above"
            raise RejectedEvent(Reason.NEGATIVE_WEIGHT, detail)
        self._add(prediction_id, self._nothing, numbers, weight, self._key(segment), time, at)

    def observe(
        self, prediction_id: object, y_true: object, time: object, at: float | None
    ) -> None:
        """Add a truth; raise if it cannot be one."""
        numbers = self._numbers("y_true", y_true)
        self._add(prediction_id, numbers, self._nothing, 1.0, self._unlabelled, time, at)

    def empty(self) -> tuple[EventColumns, Floats, Floats, Floats | None]:
        """Return what was given, and forget it: events, y_true, y_pred, and when each came.

        That is NaN where it is not known, and ``None`` if it never is.
        """
        ids, y_true, y_pred, w, keys, times, ats = zip(*self._calls, strict=True)
        self._calls = []
        segment = dict(zip(self._labels, zip(*keys, strict=True), strict=True))
        lines = range(len(ids))
        events = EventColumns(w=w, line=lines, time=times, segment=segment, prediction_id=list(ids))
        at = None if ats.count(None) == len(ats) else np.array(ats, dtype=np.float64)
        return events, np.array(y_true).T, np.array(y_pred).T, at

    def _add(  # noqa: PLR0913, PLR0917  # as above
        self,
        prediction_id: object,
        y_true: tuple[float, ...],
        y_pred: tuple[float, ...],
        w: float,
        key: tuple[str | None, ...],
        time: object,
        at: float | None,
    ) -> None:
        when = None if time is None else as_time(time)
        if when is not None and at is not None and when > at + AHEAD:
            raise future(when, at)
        self._calls.append((check_id(prediction_id), y_true, y_pred, w, key, when, at))

    def _key(self, segment: Mapping[str, str | None] | None) -> tuple[str | None, ...]:
        """Return the values of the labels, read now: the caller may use the dict again."""
        if segment is None:
            return self._unlabelled
        if not hasattr(segment, "get"):
            detail = f"segment is {shown(segment)}; must be a mapping of labels"
            raise RejectedEvent(Reason.INVALID_SEGMENT, detail)
        return tuple([label_value(label, segment.get(label)) for label in self._labels])

    def _numbers(self, name: str, value: Any) -> tuple[float, ...]:  # noqa: ANN401  # checked here
        if not self._outputs:
            return (as_float(name, value),)
        check_outputs(self._outputs, value, value)
        return tuple([as_float(f"{name}.{output}", value[output]) for output in self._outputs])
