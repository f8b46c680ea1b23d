"""The slots of columns of labels that keep each distinct value once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from losswatch.core.coded import Coded
from losswatch.core.segments import OTHER
from losswatch.errors import RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Indexes

    Keys = list[Any]

__all__ = ["coded_keys", "place_coded"]

_DENSE = 1 << 16
"""So many combinations of values are told apart without sorting."""


class _Registry(Protocol):
    overflowed: int

    def slot(self, key: Any) -> float:  # noqa: ANN401  # it checks it
        """Return the slot of a segment."""


def coded_keys(columns: object, labels: Sequence[str], size: int) -> tuple[Keys, Indexes] | None:
    """Return the distinct keys and which of them each event has, ``None`` if that is not known."""
    if not isinstance(columns, Mapping):
        return None
    found = [columns.get(label) for label in labels]
    coded = [column for column in found if isinstance(column, Coded) and len(column) == size]
    if len(coded) < len(labels):
        return None
    if len(coded) == 1:
        return [*coded[0].values], coded[0].codes
    codes, most = coded[0].codes, len(coded[0].values)
    keys: Keys = [(value,) for value in coded[0].values]
    for column in coded[1:]:
        count = len(column.values)
        which, codes = _distinct(codes * count + column.codes, most * count)
        keys = [(*keys[i // count], column.values[i % count]) for i in which.tolist()]
        most = len(keys)
    return keys, codes


def _distinct(codes: Indexes, most: int) -> tuple[Indexes, Indexes]:
    """Return the numbers that occur, and which of them each is."""
    if most > _DENSE:
        which, places = np.unique(codes, return_inverse=True)
        return which, places.astype(np.intp, copy=False)
    which = np.flatnonzero(np.bincount(codes, minlength=most))
    places = np.zeros(most, dtype=np.intp)
    places[which] = np.arange(which.size)
    return which, places[codes]


def place_coded(
    registry: _Registry, keys: Keys, codes: Indexes, keep: NDArray[np.bool_]
) -> tuple[Indexes, list[RejectedEvent]]:
    """Return the slots of events, as :meth:`Registry.places` does.

    Each key is looked up once, in the order in which the events to keep have
    them, so that new segments get the same slots as one by one.
    """
    slots = np.zeros(len(keys), dtype=np.intp)
    rejected: list[RejectedEvent] = []
    kept = codes if keep.all() else codes[keep]
    counts = np.bincount(kept, minlength=len(keys))
    for key in _in_order(kept, counts):
        try:
            slots[key] = registry.slot(keys[key])
        except RejectedEvent as rejection:
            which = np.flatnonzero((codes == key) & keep)
            keep[which] = False
            rejected += [rejection.at(index) for index in which.tolist()]
            continue
        if slots[key] == OTHER:
            registry.overflowed += int(counts[key]) - 1  # one is counted
    return slots[codes], rejected


def _in_order(codes: Indexes, counts: Indexes) -> list[int]:
    """Return the codes that occur, that of the first event first."""
    found: Indexes = np.flatnonzero(counts)
    if found.size > 1:
        first = np.empty(counts.size, dtype=np.intp)
        first[codes[::-1]] = np.arange(codes.size)[::-1]  # what is written last stays
        found = found[np.argsort(first[found])]
    order: list[int] = found.tolist()
    return order
