"""The running L2 cost of a stream: exact, mergeable, revertible."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Self

import numpy as np

from losswatch.core.state import decode_sums, encode_sums
from losswatch.core.sums import Sums
from losswatch.core.validity import as_columns, check_event, find_rejected

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from losswatch.core.exact import ExactSum

__all__ = ["Cost"]

_PACK = 256
"""Errors kept as Python floats: ``len`` of more would make an int object each time."""

_pack_floats = struct.Struct(f"{_PACK}d").pack

_FULL = 16_384 * 8
"""Bytes of packed errors kept before they are summed."""


class Cost:
    """The exact L2 cost of a set of events.

    The result depends on *which* events are in it and on nothing else: not on
    their order, on batches, merges, reverts or restarts. The terms are float64
    (``fl(w * loss)`` and so on), their sums are exact, and ``mse`` is the
    quotient of two sums, rounded once. It cannot drift, become negative
    or be poisoned: a NaN, an infinity or an overflow is refused and leaves
    everything as it was.

    ``update`` takes about 0.15 µs an event and ``update_many`` about 6 ns;
    reading sums up what is pending first. The state is four integers, usually
    less than 500 bytes.

    A cost may owe events: ``revert`` an event that lives in another shard, and
    ``mse`` is NaN until the two are merged. Not thread-safe; :class:`Monitor` is.

    Examples
    --------
    >>> cost = Cost()
    >>> cost.update(10, 12)
    4.0
    >>> cost.update_many([10, 11, 13], [10, 12, 11])
    >>> cost
    Cost(n=4, mse=2.25, rmse=1.5, mae=1.25, bias=-0.25)
    >>> cost.update(0, 1e9)
    1e+18
    >>> cost.revert(0, 1e9)
    1e+18
    >>> cost.mse
    2.25
    """

    __slots__ = ("_errors", "_packed", "_sums", "_weighted")

    def __init__(self) -> None:
        self._sums = Sums()
        # Accepted and not yet summed: errors of weight 1, the latest as floats and
        # the older ones packed, and the others with their weights.
        self._errors: list[float] = []
        self._packed = bytearray()
        self._weighted: list[tuple[float, float]] = []

    def update(self, y_true: float, y_pred: float, w: float | None = None) -> float:
        """Add one event and return its loss, ``(y_true - y_pred)**2``.

        Parameters
        ----------
        y_true, y_pred
            Finite numbers in the target's unit; converted to float64 first.
        w
            Weight, at least 0; 1 if not given. An event of weight 0 is checked
            and changes nothing.

        Returns
        -------
        The loss of this event, not weighted, in the target's unit squared.

        Raises
        ------
        RejectedEvent
            The event cannot be scored; the cost is unchanged.
        """
        try:
            error = y_true - y_pred
            loss = error * error
            # float64 alone stays here: an int, a NumPy scalar, a NaN or a
            # weight goes the long way. One test of the result is half the
            # price of one test of each input.
            if w is None and loss <= 1.7976931348623157e308 and error.__class__ is float:
                errors = self._errors
                errors.append(error)
                if len(errors) >= 256:  # _PACK; a global name costs 2 %
                    self._pack()
                return loss
        except Exception:  # noqa: BLE001, S110  # what is wrong is found out below
            pass
        return self._update_checked(y_true, y_pred, w)

    def update_many(self, y_true: ArrayLike, y_pred: ArrayLike, w: ArrayLike | None = None) -> None:
        """Add events given as columns of the same length, all or none.

        Raises
        ------
        RejectedEvent
            One event cannot be scored: ``index`` tells which is the first.
            None of them was added.
        """
        columns = as_columns(y_true, y_pred, w)
        batch = Sums()
        if not batch.add_columns(*columns):
            raise find_rejected(*columns)[0]
        self._sums.merge(batch)

    def revert(self, y_true: float, y_pred: float, w: float | None = None) -> float:
        """Take one event out again and return its loss; undoes ``update`` bit for bit.

        Raises
        ------
        RejectedEvent
            Such an event can never have been added; the cost is unchanged.
        """
        event = Cost()
        loss = event.update(y_true, y_pred, w)
        self.unmerge(event)
        return loss

    def merge(self, other: Cost) -> None:
        """Add all events of ``other``, which stays as it is."""
        other._fold()
        self._sums.merge(other._sums)

    def unmerge(self, other: Cost) -> None:
        """Take all events of ``other`` out again; undoes ``merge`` bit for bit."""
        other._fold()
        self._sums.unmerge(other._sums)

    @property
    def n(self) -> int:
        """How many events, those of weight 0 not counted."""
        pending = len(self._errors) + len(self._packed) // 8 + len(self._weighted)
        return self._sums.n + pending

    @property
    def weight(self) -> float:
        """Σ w, correctly rounded."""
        return self._folded().weight.value

    @property
    def loss(self) -> float:
        """Σ w·loss, correctly rounded, in the target's unit squared."""
        return self._folded().loss.value

    @property
    def exact_loss(self) -> ExactSum:
        """Σ w·loss, not rounded at all."""
        return self._folded().loss.copy()

    @property
    def mse(self) -> float:
        """Σ w·loss / Σ w, correctly rounded; NaN without events."""
        sums = self._folded()
        return self._mean(sums.loss) if sums.loss.sign >= 0 else math.nan

    @property
    def rmse(self) -> float:
        """√mse, in the target's unit; NaN without events."""
        return math.sqrt(self.mse)

    @property
    def mae(self) -> float:
        """Σ w·|error| / Σ w, correctly rounded; NaN without events."""
        sums = self._folded()
        return self._mean(sums.absolute) if sums.absolute.sign >= 0 else math.nan

    @property
    def bias(self) -> float:
        """Σ w·(y_true - y_pred) / Σ w: above 0, predictions are too low."""
        return self._mean(self._folded().error)

    def copy(self) -> Self:
        """Return an independent cost of the same events."""
        return self.of_sums(self._folded().copy())

    def __bytes__(self) -> bytes:
        return encode_sums(self._folded())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the cost that ``bytes(cost)`` was made of.

        Raises
        ------
        StateError
            The bytes are damaged, cut short or of a newer version.
        """
        return cls.of_sums(decode_sums(data))

    @classmethod
    def of_sums(cls, sums: Sums) -> Self:
        """Return the cost of these sums, which become its own."""
        new = cls()
        new._sums = sums
        return new

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cost):
            return NotImplemented
        mine, theirs = self._folded(), other._folded()
        return mine.n == theirs.n and mine.exact() == theirs.exact()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __reduce__(self) -> tuple[object, tuple[bytes]]:
        return type(self).from_bytes, (bytes(self),)

    def __repr__(self) -> str:
        if not self.n:
            return f"{type(self).__name__}(n=0)"
        weight = "" if self.weight == self.n else f" weight={self.weight:.6g},"
        return (
            f"{type(self).__name__}(n={self.n},{weight} mse={self.mse:.6g}, "
            f"rmse={self.rmse:.6g}, mae={self.mae:.6g}, bias={self.bias:.6g})"
        )

    def _update_checked(self, y_true: object, y_pred: object, w: object) -> float:
        error, loss, weight = check_event(y_true, y_pred, w)
        if weight == 1.0:
            self._errors.append(error)
        elif weight != 0.0:
            self._weighted.append((error, weight))
        if len(self._errors) >= _PACK:
            self._pack()
        if len(self._weighted) >= _PACK:
            self._fold()
        return loss

    def _pack(self) -> None:
        """Make room for more pending errors; called as soon as there are ``_PACK``."""
        errors = self._errors
        self._packed += _pack_floats(*errors)
        errors.clear()
        if len(self._packed) >= _FULL:
            self._fold()

    def _fold(self) -> None:
        """Sum up the pending events."""
        if self._packed:
            packed, self._packed = self._packed, bytearray()
            packed += struct.pack(f"{len(self._errors)}d", *self._errors)
            self._sums.add_columns(np.frombuffer(packed))
        elif self._errors:
            self._sums.add_errors(self._errors)
        self._errors.clear()
        if self._weighted:
            weighted, self._weighted = self._weighted, []
            self._sums.add_weighted(weighted)

    def _folded(self) -> Sums:
        self._fold()
        return self._sums

    def _mean(self, total: ExactSum) -> float:
        weight = self._sums.weight
        return total.ratio(weight) if weight.sign > 0 else math.nan
