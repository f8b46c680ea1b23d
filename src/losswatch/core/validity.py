"""What makes an event acceptable, for one event and for columns of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from losswatch.core.cells.products import inner
from losswatch.errors import Reason, RejectedEvent

__all__ = [
    "LARGEST",
    "Columns",
    "as_columns",
    "as_float",
    "check_event",
    "check_name",
    "find_rejected",
    "first_of_each",
    "kept_of",
    "shown",
]

_NUMBER_KINDS = "biuf"
"""NumPy's kinds of real numbers: boolean, integer, unsigned, float."""

Floats = NDArray[np.float64]
Columns = tuple[Floats, Floats, Floats | None]

LARGEST = 1.7976931348623157e308
"""The largest float64: ``x <= LARGEST`` is false for infinity and for NaN."""


def as_float(name: str, value: object) -> float:
    """Return a real number as float64.

    Any number that ``float`` takes is one, ``bool`` and NumPy scalars too;
    text, bytes, ``None``, complex numbers and arrays are not.

    Raises
    ------
    RejectedEvent
        It is no number (``wrong_type``) or not finite (``not_finite``).
    """
    if value.__class__ is float:
        number: float = value
    elif value.__class__ is not int and not _is_number(value):
        raise _wrong_type(name, value)
    else:
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        except Exception:  # noqa: BLE001  # whatever an odd object raises
            raise _wrong_type(name, value) from None
    if not math.isfinite(number):
        detail = f"{name} is {shown(value)}; must be a finite float64"
        raise RejectedEvent(Reason.NOT_FINITE, detail)
    return number


def _is_number(value: object) -> bool:
    """Tell whether ``float`` takes it for what it is and not for text or a buffer."""
    if getattr(value, "ndim", 0) != 0 or np.ma.is_masked(value):
        return False
    if getattr(getattr(value, "dtype", None), "kind", "f") not in _NUMBER_KINDS:
        return False
    return hasattr(value, "__float__") or hasattr(value, "__index__")


def check_event(y_true: object, y_pred: object, w: object) -> tuple[float, float, float]:
    """Return ``(error, loss, w)`` of one event, in float64.

    Raises
    ------
    RejectedEvent
        With the reason; nothing else is raised for any input.
    """
    error = as_float("y_true", y_true) - as_float("y_pred", y_pred)
    weight = 1.0 if w is None else as_float("w", w)
    loss = error * error
    if weight < 0.0:
        raise RejectedEvent(Reason.NEGATIVE_WEIGHT, f"w is {shown(w)}; must be at least 0")
    if not max(loss, weight * loss) <= LARGEST:
        detail = (
            f"the weighted squared error of {shown(y_true)} and {shown(y_pred)} is beyond float64"
        )
        raise RejectedEvent(Reason.OVERFLOW, detail)
    return error, loss, weight


def as_column(name: str, values: ArrayLike) -> Floats:
    """Return numbers as a one-dimensional float64 array, without a copy if it is one.

    Raises
    ------
    RejectedEvent
        The first value that is no number, with its index, or not one dimension.
    """
    if isinstance(values, str | bytes | bytearray):
        raise _wrong_type(name, values)
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.empty((0, 0))
    if array.ndim != 1:
        detail = f"{name} has {array.ndim} dimensions; must have 1"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    if array.dtype.kind in _NUMBER_KINDS and not np.ma.is_masked(values):
        return np.asarray(array, dtype=np.float64)
    return np.array([_at(index, name, value) for index, value in enumerate(values)])  # type: ignore[arg-type]


def as_columns(y_true: ArrayLike, y_pred: ArrayLike, w: ArrayLike | None) -> Columns:
    """Return columns of one event each row, as float64.

    Raises
    ------
    RejectedEvent
        As in :func:`as_column`, or the columns have different lengths.
    """
    true, predicted = as_column("y_true", y_true), as_column("y_pred", y_pred)
    weights = None if w is None else as_column("w", w)
    sizes = [column.size for column in (true, predicted, weights) if column is not None]
    if len(set(sizes)) > 1:
        detail = f"the columns y_true, y_pred (and w) have {sizes} events; must have as many each"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    return true, predicted, weights


def find_rejected(y_true: Floats, y_pred: Floats, w: Floats | None) -> list[RejectedEvent]:
    """Return the refusal of every event of the columns that must be refused."""
    with np.errstate(all="ignore"):
        error = y_true - y_pred
        if _are_plain(error, w):
            return []
        loss = error * error
        good = loss <= LARGEST
        if w is not None:
            good &= (w >= 0.0) & (w <= LARGEST) & (w * loss <= LARGEST)
    rejected = []
    for index in np.flatnonzero(~good).tolist():
        weight = None if w is None else float(w[index])
        try:
            check_event(float(y_true[index]), float(y_pred[index]), weight)
        except RejectedEvent as rejection:
            rejected.append(rejection.at(index))
    return rejected


def _are_plain(error: Floats, w: Floats | None) -> bool:
    """Tell whether all events are accepted beyond doubt, in a third of the time of finding out.

    A sum of squares has room for each of them, and shows NaN and infinity.
    """
    if not inner(error, error) < _PLAIN:
        return False
    if w is None or not w.size:
        return True
    weighted = w * error
    return bool(w.min() >= 0.0 and w.max() < _PLAIN and inner(weighted, error) < _PLAIN)


_PLAIN = 1e300
"""Far below the largest float64: no rounding leads beyond that."""


def first_of_each(rejected: list[RejectedEvent]) -> list[RejectedEvent]:
    """Return one refusal for each event of a batch, in their order."""
    found = {rejection.index or 0: rejection for rejection in reversed(rejected)}
    return [found[index] for index in sorted(found)]


def kept_of(keep: NDArray[np.bool_], *columns: NDArray[Any] | None) -> list[Any]:
    """Return the events to keep of some columns, in memory of their own; ``None`` stays it."""
    if keep.all():  # a third of the time
        return [None if column is None else column.copy() for column in columns]
    return [None if column is None else column[keep] for column in columns]


def check_name(name: object) -> None:
    """Refuse what cannot be the name of a model or output: it must be text that can be printed.

    Raises
    ------
    RejectedEvent
        With reason ``wrong_type``.
    """
    try:
        if isinstance(name, str) and name and name.encode():
            return
    except UnicodeEncodeError:  # half of a character
        pass
    detail = f"a model or output is named {name!r:.60}; must be text, and not empty"
    raise RejectedEvent(Reason.WRONG_TYPE, detail)


def _at(index: int, name: str, value: object) -> float:
    try:
        return as_float(name, value)
    except RejectedEvent as rejection:
        if rejection.reason is Reason.NOT_FINITE:
            return math.nan  # found again, with the others, by find_rejected
        raise rejection.at(index) from None


def _wrong_type(name: str, value: object) -> RejectedEvent:
    detail = f"{name} is {shown(value)}; must be a number"
    return RejectedEvent(Reason.WRONG_TYPE, detail)


def shown(value: object) -> str:
    """Return an object as a message shows it, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # an odd object, or an integer of 5000 digits
        text = f"of type {type(value).__name__} and cannot be shown"
    return text if len(text) <= 60 else f"{text[:57]}..."
