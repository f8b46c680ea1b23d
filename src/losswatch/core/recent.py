"""What exact windows share: the events inside, in order, and the sums over them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from itertools import repeat
from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from losswatch.core.cost import Cost
from losswatch.core.lazy_sum import AbsoluteErrorSum, ErrorSum, LazySum, LossSum, WeightSum
from losswatch.core.sums import Sums
from losswatch.core.validity import check_event

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ROOM", "RecentCost"]

Floats = NDArray[np.float64]

ROOM = 1024
"""So many events that have left stay in memory at least, so that removing them is rare."""


class RecentCost(ABC):
    """The exact cost of the events that are in a window now.

    Every number has the bits that a :class:`Cost` of just these events shows.
    Nothing is summed before it is read, and each sum by itself: reading
    ``mse`` costs nothing for ``mae``. Events are kept as 8 bytes each, or 16
    once one has a weight.
    """

    __slots__ = ("_absolutes", "_errors", "_losses", "_signed", "_start", "_weights", "_weighty")

    def __init__(self) -> None:
        # The window is what is in memory from _start on; sums that were read a
        # while ago may still need some of what is before.
        self._errors = array("d")
        self._weights: array[float] | None = None  # until one is not 1
        self._start = 0
        self._losses = LossSum()
        self._signed = ErrorSum()
        self._absolutes = AbsoluteErrorSum()
        self._weighty = WeightSum()

    @property
    def n(self) -> int:
        """How many events are in the window, those of weight 0 not counted."""
        self._refresh()
        return len(self._errors) - self._start

    @property
    def weight(self) -> float:
        """Σ w, correctly rounded."""
        n = self.n
        return float(n) if self._weights is None else self._summed(self._weighty).value

    @property
    def loss(self) -> float:
        """Σ w·loss, correctly rounded, in the target's unit squared."""
        self._refresh()
        return self._summed(self._losses).value

    @property
    def mse(self) -> float:
        """Σ w·loss / Σ w, correctly rounded; NaN without events."""
        return self._mean(self._losses)

    @property
    def rmse(self) -> float:
        """√mse, in the target's unit; NaN without events."""
        return sqrt(self._mean(self._losses))

    @property
    def mae(self) -> float:
        """Σ w·|error| / Σ w, correctly rounded; NaN without events."""
        return self._mean(self._absolutes)

    @property
    def bias(self) -> float:
        """Σ w·(y_true - y_pred) / Σ w: above 0, predictions are too low."""
        return self._mean(self._signed)

    def cost(self) -> Cost:
        """Return the cost of the events in the window now, which stays as it is."""
        sums = Sums()
        sums.n = self.n
        for mine, total in zip(sums.exact(), self._sums(), strict=True):
            mine.merge(self._summed(total))
        return Cost.of_sums(sums)

    def discard(self, y_true: float, y_pred: float, w: float | None = None) -> bool:
        """Take the oldest such event out of the window; false if none is inside.

        Events are told apart by their error and weight. The cost is one look
        at each event in the window.

        Raises
        ------
        RejectedEvent
            Such an event can never have been added; nothing changes.
        """
        error, _, weight = check_event(y_true, y_pred, w)
        self._refresh()
        errors, weights = self._inside()
        found = np.flatnonzero((errors == error) & (weights == weight))
        if found.size:
            self._remove(self._start + int(found[0]))
        return bool(found.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}{str(self.cost()).removeprefix('Cost')}"

    @abstractmethod
    def _refresh(self) -> None:
        """Bring ``_errors``, ``_weights`` and ``_start`` up to date."""

    def _sums(self) -> tuple[LazySum, LazySum, LazySum, LazySum]:
        return self._losses, self._signed, self._absolutes, self._weighty

    def _summed(self, total: LazySum) -> LazySum:
        total.catch_up(self._errors, self._weights, self._start, len(self._errors))
        return total

    def _mean(self, total: LazySum) -> float:
        self._refresh()
        start, stop = self._start, len(self._errors)
        if start == stop:
            return nan
        if self._weights is None:
            return total.mean(self._errors, start, stop)
        return self._summed(total).ratio(self._summed(self._weighty))

    def _append(self, error: float, weight: float) -> None:
        self._weigh(weight)
        self._errors.append(error)
        if self._weights is not None:
            self._weights.append(weight)

    def _insert(self, at: int, error: float, weight: float) -> None:
        self._weigh(weight)
        self._errors.insert(at, error)
        if self._weights is not None:
            self._weights.insert(at, weight)
        for total in self._sums():
            total.insert(at, error, weight)

    def _remove(self, at: int) -> None:
        error = self._errors.pop(at)
        weight = 1.0 if self._weights is None else self._weights.pop(at)
        for total in self._sums():
            total.remove(at, error, weight)

    def _extend(self, errors: Iterable[float], weights: Iterable[float] | None = None) -> None:
        """Append events; without weights, each has 1."""
        if weights is not None:
            self._weigh(nan)
        before = len(self._errors)
        self._errors.extend(errors)
        if self._weights is not None:
            self._weights.extend(weights or repeat(1.0, len(self._errors) - before))

    def _weigh(self, weight: float) -> None:
        """Keep weights from now on if this is not 1."""
        if weight != 1.0 and self._weights is None:
            self._weights = array("d", repeat(1.0, len(self._errors)))

    def _crowded(self) -> bool:
        """Tell whether more events have left than are worth keeping."""
        return self._start > len(self._errors) - self._start + ROOM

    def _drop(self) -> int:
        """Forget events that have left, but for half a window; return how many."""
        inside = len(self._errors) - self._start
        count = self._start - inside // 2
        del self._errors[:count]
        self._start -= count
        for total in self._sums():
            total.drop(count)
        if not inside:
            self._weights = None
        elif self._weights is not None:
            del self._weights[:count]
        return count

    def _forget(self) -> None:
        """Forget all events."""
        self._start = len(self._errors)
        self._drop()

    def _pack(self) -> tuple[bytes, bytes]:
        """Return the errors and weights in the window as bytes; no weights if all are 1."""
        weights = b"" if self._weights is None else self._weights[self._start :].tobytes()
        return self._errors[self._start :].tobytes(), weights

    def _unpack(self, errors: bytes, weights: bytes) -> None:
        """Take over what ``_pack`` returned, into an empty window."""
        self._errors.frombytes(errors)
        if weights:
            self._weights = array("d", weights)

    def _same_events(self, other: RecentCost) -> bool:
        """Tell whether both windows hold the same events in the same order."""
        self._refresh()
        other._refresh()
        pairs = zip(self._inside(), other._inside(), strict=True)
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    def _inside(self) -> tuple[Floats, Floats]:
        """Return the errors and weights in the window, oldest first."""
        errors = np.array(self._errors[self._start :])
        if self._weights is None:
            return errors, np.ones(errors.size)
        return errors, np.array(self._weights[self._start :])
