"""Predictions and truths as they arrive, checked and in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = ["Arrivals"]


@dataclass(slots=True)
class Arrivals:
    """Predictions, truths and complete events of one model; all have an id.

    ``y_pred`` and ``y_true`` have a row for each output, NaN where the part is
    missing. ``clock`` is when each arrived and never decreases. ``place``
    numbers them in the batch that they came with.
    """

    ids: Sequence[str]
    y_pred: Floats
    y_true: Floats
    w: Floats
    time: Floats
    clock: Floats
    keys: Sequence[Any]
    place: Indexes

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def has_pred(self) -> NDArray[np.bool_]:
        """Which have a prediction."""
        known: NDArray[np.bool_] = ~np.isnan(self.y_pred[0])
        return known

    @property
    def has_true(self) -> NDArray[np.bool_]:
        """Which have a truth."""
        known: NDArray[np.bool_] = ~np.isnan(self.y_true[0])
        return known

    def take(self, which: Indexes) -> Arrivals:
        """Return some of them, in the order that is given."""
        places = which.tolist()
        return Arrivals(
            ids=[self.ids[place] for place in places],
            y_pred=self.y_pred[:, which],
            y_true=self.y_true[:, which],
            w=self.w[which],
            time=self.time[which],
            clock=self.clock[which],
            keys=[self.keys[place] for place in places],
            place=self.place[which],
        )

    def split(self) -> tuple[Arrivals, Arrivals]:
        """Return the first of each id, and the others."""
        if len(set(self.ids)) == len(self.ids):  # the usual case
            return self, self.take(_NONE)
        places = dict(zip(reversed(self.ids), range(len(self.ids) - 1, -1, -1), strict=True))
        is_first = np.zeros(len(self.ids), dtype=np.bool_)
        is_first[list(places.values())] = True
        return self.take(np.flatnonzero(is_first)), self.take(np.flatnonzero(~is_first))

    def rounds(self) -> Iterator[Arrivals]:
        """Yield them in parts in which no id occurs twice, each id's in their order."""
        if len(set(self.ids)) == len(self.ids):  # the usual case
            yield self
            return
        seen: dict[str, int] = {}
        number = np.empty(len(self.ids), dtype=np.intp)
        for place, name in enumerate(self.ids):
            number[place] = seen[name] = seen.get(name, -1) + 1
        order = np.argsort(number, kind="stable")
        for part in np.split(order, np.cumsum(np.bincount(number))[:-1]):
            yield self.take(part)


_NONE = np.zeros(0, dtype=np.intp)
