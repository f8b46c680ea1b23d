"""Accepted events as columns, on their way into windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.core.cells.products import Floats

__all__ = ["Indexes", "Scored"]

Indexes = NDArray[np.intp]


@dataclass(slots=True)
class Scored:
    """Events that were checked: none is refused any more, none has weight 0.

    ``slot`` numbers the segment and ``w`` is ``None`` where every weight is 1.
    """

    slot: Indexes
    error: Floats
    y_true: Floats
    w: Floats | None

    def __len__(self) -> int:
        return self.error.size

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Scored:
        """Return some of the events, in the order that is given."""
        w = None if self.w is None else self.w[which]
        return Scored(self.slot[which], self.error[which], self.y_true[which], w)

    def copy(self) -> Scored:
        """Return the same events in memory of their own."""
        return self.take(np.arange(len(self)))

    def pooled(self) -> Scored:
        """Return the same events, all of one slot: 0."""
        return Scored(np.zeros(self.error.size, dtype=np.intp), self.error, self.y_true, self.w)

    @classmethod
    def none(cls) -> Scored:
        """Return no events."""
        return cls(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0), None)

    @classmethod
    def join(cls, parts: Sequence[Scored]) -> Scored:
        """Return the events of several batches as one."""
        if len(parts) == 1:
            return parts[0]
        w = None
        if any(part.w is not None for part in parts):
            w = np.concatenate([_weights(part) for part in parts])
        slot, error, y_true = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("slot", "error", "y_true")
        )
        return cls(slot, error, y_true, w)


def _weights(events: Scored) -> Floats:
    return np.ones(len(events)) if events.w is None else events.w
