"""The side of a monitor that takes predictions and truths that come apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.join.desk import Taken
from losswatch.core.outputs import check_outputs
from losswatch.core.validity import as_float
from losswatch.errors import RejectedEvent

if TYPE_CHECKING:
    import datetime as dt
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence
    from threading import Lock

    from losswatch.core.cells.products import Floats
    from losswatch.core.events import Event, EventColumns
    from losswatch.core.join.desk import Desk
    from losswatch.core.join.inbox import Inbox
    from losswatch.errors import Reason

__all__ = ["LateTruth"]


class LateTruth:
    """Joins predictions and truths by their id. Thread-safe; for a monitor to inherit."""

    outputs: tuple[str, ...]
    _lock: Lock
    _now: Callable[[], float | None]
    _rejected: Counter[Reason]
    _desk: Desk
    _inbox: Inbox
    _last_event: float | None

    def predicted(  # noqa: PLR0913  # the parts of a prediction
        self,
        prediction_id: str,
        y_pred: float | Mapping[str, float],
        w: float | None = None,
        *,
        segment: Mapping[str, str | None] | None = None,
        time: float | dt.datetime | None = None,
        at: float | None = None,
    ) -> None:
        """Tell what was predicted; its truth may come later, or be known already.

        Never waits for input or output, so that it can be called in a request
        and in a coroutine: about 1 µs, and some milliseconds once in a thousand
        calls. The same prediction again counts as a duplicate; another one for
        the same id is refused when it is joined, and counted.

        Parameters
        ----------
        prediction_id
            What the truth will name it by: text, or a whole number.
        y_pred, w, segment, time, at
            As in :meth:`Monitor.update`; ``time`` is when it was predicted.

        Raises
        ------
        RejectedEvent
            It can never be scored. It was counted by its reason.
        """
        at = self._now() if at is None else at
        with self._lock:
            try:
                self._inbox.predict(prediction_id, y_pred, w, segment, time, at)
            except RejectedEvent as rejection:
                self._rejected[rejection.reason] += 1
                raise
            if self._inbox.is_full:
                self._drain()

    def observed(
        self,
        prediction_id: str,
        y_true: float | Mapping[str, float],
        *,
        time: float | dt.datetime | None = None,
        at: float | None = None,
    ) -> None:
        """Tell the truth of a prediction, in time, too early, again or revised.

        Costs what :meth:`predicted` does. Another truth than before, of no
        earlier time, replaces it: the old loss is reverted and the new one
        counts, in all windows and segments.

        Parameters
        ----------
        prediction_id
            As the prediction named itself.
        y_true
            The truth, or that of each output.
        time
            When it was known; if not given, when it arrived.
        at
            When it arrived, in seconds since 1970; else what the clock says.

        Raises
        ------
        RejectedEvent
            It can never be scored. It was counted by its reason.
        """
        at = self._now() if at is None else at
        with self._lock:
            try:
                self._inbox.observe(prediction_id, y_true, time, at)
            except RejectedEvent as rejection:
                self._rejected[rejection.reason] += 1
                raise
            if self._inbox.is_full:
                self._drain()

    def take(self, events: EventColumns, *, at: float | None = None) -> Taken:
        """Join events of one output, all with ids; the refused ones are counted.

        Parameters
        ----------
        events
            Predictions, truths and complete events.
        at
            When they arrived; if not given, what the clock says.
        """
        y_true, y_pred = (_row(column) for column in (events.y_true, events.y_pred))
        return self._take(events, y_true, y_pred, at)

    def take_outputs(
        self, columns: EventColumns, events: Sequence[Event], *, at: float | None = None
    ) -> Taken:
        """Join events of several outputs, all with ids; see :meth:`take`.

        Parameters
        ----------
        columns
            All of the events but their numbers.
        events
            The same, for their numbers.
        at
            As in :meth:`take`.
        """
        rejected = []
        numbers = np.full((2, len(self.outputs) or 1, len(events)), np.nan)
        for index, event in enumerate(events):
            try:
                for side, name in enumerate(("y_true", "y_pred")):
                    numbers[side, :, index] = self._numbers(name, getattr(event, name))
            except RejectedEvent as rejection:
                rejected.append(rejection.at(index))
        fit = np.delete(np.arange(len(events)), [r.index or 0 for r in rejected])
        taken = self._take(columns.take(fit), numbers[0][:, fit], numbers[1][:, fit], at)
        with self._lock:
            self._rejected.update(rejection.reason for rejection in rejected)
        whole = Taken(rejected)
        whole.add(taken, fit.tolist())
        return whole

    def _numbers(self, name: str, value: Any) -> list[float]:  # noqa: ANN401  # checked here
        """Return the numbers of one side of an event, NaN where it is missing."""
        if value is None:
            return [math.nan] * (len(self.outputs) or 1)
        if not self.outputs:
            return [as_float(name, value)]
        check_outputs(self.outputs, value, value)
        return [as_float(f"{name}.{output}", value[output]) for output in self.outputs]

    def _take(
        self, events: EventColumns, y_true: Floats, y_pred: Floats, at: float | None
    ) -> Taken:
        at = self._now() if at is None else at
        with self._lock:
            self._drain()
            return self._join(events, y_true, y_pred, at)

    def _drain(self) -> None:
        """Join what was given one by one; the lock is held."""
        if len(self._inbox):
            self._join(*self._inbox.empty())

    def _join(
        self, events: EventColumns, y_true: Floats, y_pred: Floats, at: float | Floats | None
    ) -> Taken:
        taken = self._desk.take(events, y_true, y_pred, at)
        self._rejected.update(rejection.reason for rejection in taken.rejected)
        if taken.scored and at is not None:
            self._last_event = float(np.nanmax(at))
        return taken


def _row(column: object) -> Floats:
    """Return numbers as one row, NaN for ``None``."""
    return np.array(column, dtype=np.float64)[np.newaxis]
