"""What comes in, checked: columns of events with ids to arrivals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from losswatch.core.clock import as_times, no_time
from losswatch.core.join.arrivals import Arrivals
from losswatch.core.labels import label_value
from losswatch.core.validity import first_of_each
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from losswatch.core.cells.products import Floats
    from losswatch.core.events import EventColumns, Numbers

__all__ = ["Edge"]


class Edge:
    """Checks what comes in for one model.

    Parameters
    ----------
    labels
        Those of its segments.
    timed
        Whether a window needs the time of every event.
    """

    def __init__(self, labels: tuple[str, ...], *, timed: bool) -> None:
        self.now = 0.0  # the latest that was seen
        self._labels = labels
        self._timed = timed

    def check(
        self, events: EventColumns, y_true: Floats, y_pred: Floats, at: float | Floats | None
    ) -> tuple[Arrivals, list[RejectedEvent]]:
        """Return the arrivals that can be used, and the refusals of the others.

        Parameters
        ----------
        events
            All have an id.
        y_true, y_pred
            Their numbers, a row for each output, NaN where there is none.
        at
            When they arrived, or when each did, NaN where that is not known: then
            the latest time is now.
        """
        w = np.array(events.w, dtype=np.float64)
        keys, unfit = self._keys(events)
        rejected = [*_bad_numbers(y_true, y_pred, w), *unfit]
        time, clock, unfit = self._times(events.time, len(events), at, rejected)
        rejected = first_of_each([*rejected, *unfit])
        place = np.arange(len(events))
        ids = cast("Sequence[str]", events.prediction_id)
        arrivals = Arrivals(ids, y_pred, y_true, w, time, clock, keys, place)
        if rejected:
            fit = np.delete(place, [rejection.index or 0 for rejection in rejected])
            arrivals = arrivals.take(fit)
        if len(arrivals):
            self.now = float(arrivals.clock[-1])
        return arrivals, rejected

    def _times(
        self, times: Numbers, size: int, at: float | Floats | None, refused: list[RejectedEvent]
    ) -> tuple[Floats, Floats, list[RejectedEvent]]:
        """Return the time and the clock of each event; those refused do not move the clock."""
        latest = None if at is None or isinstance(at, np.ndarray) else float(at)
        time, rejected = as_times(times if len(times) else None, size, latest)
        missing = np.isnan(time)
        arrived = np.full(size, np.nan if at is None else at, dtype=np.float64)
        alone = np.isnan(arrived)  # its own time is all that is known
        arrived[alone] = np.where(missing, 0.0, time)[alone]
        for rejection in (*refused, *rejected):
            if alone[rejection.index or 0]:
                arrived[rejection.index or 0] = 0.0
        if self._timed:
            rejected += map(no_time, np.flatnonzero(missing & alone).tolist())
        clock = np.maximum(np.maximum.accumulate(arrived), self.now)
        time[missing] = clock[missing]
        return time, clock, rejected

    def _keys(self, events: EventColumns) -> tuple[Sequence[Any], list[RejectedEvent]]:
        """Return the values of the labels of each event."""
        columns = [events.segment.get(label) for label in self._labels]
        if not columns or all(column is None for column in columns):
            return [None] * len(events), []
        filled = [[None] * len(events) if column is None else column for column in columns]
        keys = list(zip(*filled, strict=True))
        known: dict[Hashable, Any] = {}
        if all(_TEXTS.issuperset(map(type, column)) for column in filled):
            known = dict.fromkeys(keys)  # every distinct one is read once
        rejected: list[RejectedEvent] = []
        read: list[Any] = [None] * len(keys)
        for index, key in enumerate(keys):
            try:
                found = known.get(key) if known else None
                read[index] = found or tuple(map(label_value, self._labels, key))
            except RejectedEvent as rejection:
                rejected.append(rejection.at(index))
                continue
            if known:
                known[key] = read[index]
        return read, rejected


_TEXTS = frozenset((str, type(None)))
"""What can be told apart by ``==``: 1 and ``True`` cannot."""


def _bad_numbers(y_true: Floats, y_pred: Floats, w: Floats) -> list[RejectedEvent]:
    """Return the refusals of what no event can have."""
    rejected = []
    neither = np.isnan(y_true[0]) & np.isnan(y_pred[0])
    for place in np.flatnonzero(neither).tolist():
        detail = "y_true and y_pred are missing; there must be one of them, or both"
        rejected.append(RejectedEvent(Reason.MISSING_FIELD, detail, place))
    for name, numbers in (("y_true", y_true), ("y_pred", y_pred)):
        for place in np.flatnonzero(np.isinf(numbers).any(axis=0)).tolist():
            detail = f"{name} is {float(numbers[0, place])}; must be a finite float64"
            rejected.append(RejectedEvent(Reason.NOT_FINITE, detail, place))
    for place in np.flatnonzero(~(w >= 0.0) | np.isinf(w)).tolist():
        reason = Reason.NEGATIVE_WEIGHT if w[place] < 0 else Reason.NOT_FINITE
        detail = f"w is {float(w[place])!r}; must be a finite float64, 0 or above"
        rejected.append(RejectedEvent(reason, detail, place))
    return rejected
