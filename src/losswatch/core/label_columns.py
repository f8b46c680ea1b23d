"""Columns of the values of labels, as they come with events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["as_column", "keys_of", "unknown"]


def as_column(label: str, column: Any, size: int) -> list[Any]:  # noqa: ANN401  # checked here
    """Return the values of a label as a list.

    Raises
    ------
    RejectedEvent
        It is no column, or one of another length (``wrong_type``).
    """
    try:
        values = column.tolist() if hasattr(column, "tolist") else list(column)
    except TypeError:
        values = None
    if not isinstance(values, list) or isinstance(column, str | bytes):
        detail = f"the column segment.{label} is {column!r:.60}; must be a sequence of values"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    if len(values) != size:
        detail = f"the column segment.{label} has {len(values)} events; must have {size}"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    return values


def keys_of(columns: Any, labels: Sequence[str], size: int) -> list[Any]:  # noqa: ANN401  # as above
    """Return the key of each event's segment, not checked yet.

    Raises
    ------
    RejectedEvent
        A column cannot be one (``wrong_type``).
    """
    if not isinstance(columns, Mapping):
        detail = f"segment is {columns!r:.60}; must be a mapping of labels to columns"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    lists = [as_column(label, columns[label], size) for label in labels if label in columns]
    if len(lists) < len(labels):  # all of them lack a label
        return [None] * size
    return lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))


def unknown(slots: list[float | None]) -> Iterator[int]:
    """Yield where a slot is ``None``: mostly nowhere, which is found without a loop."""
    index = -1
    while True:
        try:
            index = slots.index(None, index + 1)
        except ValueError:
            return
        yield index
