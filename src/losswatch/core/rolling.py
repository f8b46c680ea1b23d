"""The exact cost of the last so many events."""

from __future__ import annotations

import operator
import struct
import sys
from collections import deque
from typing import TYPE_CHECKING, Self

import numpy as np

from losswatch.core.recent import ROOM, RecentCost
from losswatch.core.validity import as_columns, check_event, find_rejected

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["RollingCost"]


class RollingCost(RecentCost):
    """The exact L2 cost of the last ``window_size`` accepted events.

    Every number has the bits that a :class:`Cost` of just these events shows:
    an outlier that has left leaves nothing behind. A refused event, or one of
    weight 0, takes no place in the window.

    ``update`` takes about 0.15 µs; what it is given is summed when it is read,
    and events that have left by then never are: about 40 ns an event, or 1 µs
    for a reading after each event. Memory is 8 bytes an event of the window
    (16 with weights), three times that where it is read often, and 32 bytes an
    event that was not read yet, at most ``window_size`` of them. Not
    thread-safe.

    Parameters
    ----------
    window_size
        How many events, 1 or more.

    Raises
    ------
    ValueError
        ``window_size`` is no whole number of at least 1.

    Examples
    --------
    >>> rolling = RollingCost(3)
    >>> for y_pred in (1e9, 1, 2, 1):
    ...     loss = rolling.update(0, y_pred)
    >>> rolling
    RollingCost(n=3, mse=2, rmse=1.41421, mae=1.33333, bias=-1.33333)
    """

    __slots__ = ("_pending", "_window_size")

    def __init__(self, window_size: int) -> None:
        super().__init__()
        self._window_size = _checked_size(window_size)
        # Errors of weight 1 that are not in the window's memory yet. It forgets by
        # itself those that more recent ones have pushed out.
        self._pending: deque[float] = deque(maxlen=self._window_size)

    @property
    def window_size(self) -> int:
        """How many events the window takes."""
        return self._window_size

    def update(self, y_true: float, y_pred: float, w: float | None = None) -> float:
        """Add one event and return its loss; as :meth:`Cost.update`.

        Raises
        ------
        RejectedEvent
            The event cannot be scored; the cost is unchanged.
        """
        try:
            error = y_true - y_pred
            loss = error * error
            # As in Cost.update: one test of the result finds float64 and no other.
            if w is None and loss <= 1.7976931348623157e308 and error.__class__ is float:
                self._pending.append(error)
                return loss
        except Exception:  # noqa: BLE001, S110  # what is wrong is found out below
            pass
        return self._update_checked(y_true, y_pred, w)

    def update_many(self, y_true: ArrayLike, y_pred: ArrayLike, w: ArrayLike | None = None) -> None:
        """Add events given as columns of the same length, in order, all or none.

        Raises
        ------
        RejectedEvent
            One event cannot be scored: ``index`` tells which is the first.
            None of them was added.
        """
        columns = as_columns(y_true, y_pred, w)
        rejected = find_rejected(*columns)
        if rejected:
            raise rejected[0]
        self._refresh()
        true, predicted, weights = columns
        keep = slice(-self._window_size, None)
        if weights is not None:
            counted = np.flatnonzero(weights)[keep]
            self._extend((true[counted] - predicted[counted]).tolist(), weights[counted].tolist())
        else:
            self._extend((true[keep] - predicted[keep]).tolist())
        self._slide()

    def copy(self) -> Self:
        """Return an independent window of the same events."""
        self._refresh()
        return self._restore(self._window_size, *self._pack())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RollingCost):
            return NotImplemented
        return self._window_size == other._window_size and self._same_events(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _update_checked(self, y_true: object, y_pred: object, w: object) -> float:
        error, loss, weight = check_event(y_true, y_pred, w)
        if weight == 1.0:
            self._pending.append(error)
        elif weight != 0.0:
            self._refresh()
            self._append(error, weight)
            self._slide()
        return loss

    def _refresh(self) -> None:
        pending = self._pending
        count = len(pending)
        if count == 1 and self._weights is None:
            self._errors.append(pending.pop())
            # As _slide does; a call would cost 5 % of a reading after each event.
            start = len(self._errors) - self._window_size
            if start > self._start:
                self._start = start
                if start > self._window_size + ROOM:
                    self._drop()
        elif count == self._window_size:
            self._replace()
        elif count:
            self._extend(pending)
            pending.clear()
            self._slide()

    def _replace(self) -> None:
        """Let the pending events be the window: there are as many as it takes."""
        pending = self._pending
        self._forget()
        self._errors.frombytes(struct.pack(f"{len(pending)}d", *pending))
        pending.clear()

    def _slide(self) -> None:
        start = len(self._errors) - self._window_size
        if start > self._start:
            self._start = start
            if start > self._window_size + ROOM:
                self._drop()

    def __reduce__(self) -> tuple[object, tuple[int, bytes, bytes]]:
        self._refresh()
        return self._restore, (self._window_size, *self._pack())

    @classmethod
    def _restore(cls, window_size: int, errors: bytes, weights: bytes) -> Self:
        new = cls(window_size)
        new._unpack(errors, weights)
        return new


def _checked_size(window_size: object) -> int:
    try:
        size = operator.index(window_size)  # type: ignore[arg-type]
    except TypeError:
        size = 0
    if isinstance(window_size, bool) or not 1 <= size <= sys.maxsize:
        raise ValueError(
            f"window_size is {window_size!r:.60}; must be a whole number of at least 1"
        )
    return size
