"""Events of one model on their way into its monitor: scored at once, or joined by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from losswatch.core.join.desk import Taken
from losswatch.errors import RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from losswatch.core.events import Event, EventColumns
    from losswatch.core.monitor import Monitor

__all__ = ["score_columns", "score_events"]


def score_columns(monitor: Monitor, events: EventColumns, at: float | None) -> Taken:
    """Score complete events without an id, and join the others."""
    ids = events.prediction_id
    if not len(ids):
        return Taken(
            monitor.update_many(
                cast("ArrayLike", events.y_true),
                cast("ArrayLike", events.y_pred),
                cast("ArrayLike | None", events.weights()),
                segment=events.segment,
                time=cast("ArrayLike | None", events.time if len(events.time) else None),
                at=at,
            )
        )
    without = [place for place, name in enumerate(ids) if name is None]
    if not without:
        return monitor.take(events, at=at)
    taken, rest = Taken(), np.delete(np.arange(len(events)), without)
    for places in (np.array(without), rest):
        taken.add(score_columns(monitor, events.take(places), at), places.tolist())
    return taken


def score_events(
    monitor: Monitor, columns: EventColumns, events: Sequence[Event], at: float | None
) -> Taken:
    """Score complete events without an id, and join the others."""
    taken = Taken()
    alone = [index for index, event in enumerate(events) if event.prediction_id is None]
    for index in alone:
        try:
            _update(monitor, events[index], at)
        except RejectedEvent as rejection:
            taken.rejected.append(rejection.at(index))
    rest = np.delete(np.arange(len(events)), alone)
    if rest.size:
        joined = [events[index] for index in rest.tolist()]
        taken.add(monitor.take_outputs(columns.take(rest), joined, at=at), rest.tolist())
    return taken


def _update(monitor: Monitor, event: Event, at: float | None) -> None:
    monitor.update(
        cast("Mapping[str, float]", event.y_true),
        cast("Mapping[str, float]", event.y_pred),
        event.w,
        segment=event.segment,
        time=event.time,
        at=at,
    )
