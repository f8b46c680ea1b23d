"""The values of fields, as they may stand in JSON and in CSV."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from losswatch.core.labels import label_value
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

__all__ = [
    "float_column",
    "is_absent",
    "json_value",
    "label",
    "segment_cell",
    "segment_column",
    "side_column",
    "text_value",
    "weight",
]


def json_value(name: str, value: object) -> float | dict[str, float]:
    """Return a number, or the numbers of several outputs.

    Raises
    ------
    RejectedEvent
        It is missing or ``null``, not finite, or something else: text, a
        boolean and a list are no numbers.
    """
    if not isinstance(value, dict):
        return _number(name, value)
    return {_text(name, key): _number(f"{name}.{key}", number) for key, number in value.items()}


def weight(value: object) -> float:
    """Return a weight; 1 if there is none."""
    return 1.0 if value is None else _number("w", value)


def label(value: object) -> str | None:
    """Return the name of a model, ``None`` if there is none."""
    if value is None:
        return None
    if isinstance(value, str):
        return _text("model", value)
    raise RejectedEvent(Reason.WRONG_TYPE, f"model is {value!r:.60}; must be text")


def text_value(name: str, text: str) -> float:
    """Return a number written as text, as in a CSV cell.

    Raises
    ------
    RejectedEvent
        The cell is empty (``missing_field``), no number or not finite.
    """
    text = text.strip()
    if not text:
        raise RejectedEvent(Reason.MISSING_FIELD, f"{name} is empty; must be a number")
    try:
        number = float(text)
    except ValueError:
        number = None
    if number is None or "_" in text or not text.isascii():  # Python takes 1_000 too
        raise RejectedEvent(Reason.WRONG_TYPE, f"{name} is {text!r:.60}; must be a number")
    return _finite(name, number)


def float_column(cells: Sequence[str]) -> list[float]:
    """Return a column of finite numbers; an empty list if one is not just that."""
    try:
        numbers = list(map(float, cells))
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) and "_" not in "".join(cells) else []


def side_column(cells: Sequence[str]) -> Sequence[float | None]:
    """Return a column of finite numbers, ``None`` where a cell is empty; see float_column."""
    known = [bool(cell.strip()) for cell in cells]
    if all(known):
        return float_column(cells)
    written = [cell for cell, is_known in zip(cells, known, strict=True) if is_known]
    numbers = float_column(written)
    if len(numbers) < len(written):
        return []
    following = iter(numbers)
    return [next(following) if is_known else None for is_known in known]


def is_absent(column: Sequence[object]) -> bool:
    """Tell whether a column has only ``None``, without much ado if it has not."""
    return not column or (column[0] is None and column.count(None) == len(column))


def segment_cell(name: str, cell: str) -> str | None:
    """Return the value of a segment's label in a CSV cell; see :func:`label_value`."""
    return label_value(name, cell.strip() or None)


def segment_column(
    name: str,
    values: Sequence[Hashable],
    read: Callable[[str, Any], str | None] = label_value,
) -> Sequence[str | None]:
    """Return the values of a segment's label; each distinct one is read once."""
    known = {value: read(name, value) for value in set(values)}
    return [known[value] for value in values]


def _text(name: str, text: str) -> str:
    """Refuse half of a surrogate pair: JSON can spell it, nothing can print or export it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        detail = f"{name} has {text!r:.60}, which is no Unicode text"
        raise RejectedEvent(Reason.INVALID_UTF8, detail) from None
    return text


def _number(name: str, value: object) -> float:
    if value is None:
        raise RejectedEvent(Reason.MISSING_FIELD, f"{name} is missing; must be a number")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RejectedEvent(Reason.WRONG_TYPE, f"{name} is {value!r:.60}; must be a number")
    return _finite(name, float(value))


def _finite(name: str, number: float) -> float:
    if not math.isfinite(number):
        raise RejectedEvent(Reason.NOT_FINITE, f"{name} is {number}; must be a finite float64")
    return number
