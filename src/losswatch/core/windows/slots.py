"""Arrays with a row for each slot, and the order of events within a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Indexes

__all__ = ["grown", "ranks"]

Number = TypeVar("Number", bound=np.generic)


def ranks(slot: Indexes) -> tuple[Indexes, Indexes]:
    """Return for each event how many of its slot came before it, and how many there are."""
    counts = np.bincount(slot)
    small = slot.astype(np.uint16) if counts.size <= 1 << 16 else slot  # sorts in linear time
    order = np.argsort(small, kind="stable")
    rank = np.empty_like(slot)
    rank[order] = np.arange(slot.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank, counts[slot]


def grown(array: NDArray[Number], size: int) -> NDArray[Number]:
    """Return an array with more rows, those new ones 0."""
    larger = np.zeros((size, *array.shape[1:]), dtype=array.dtype)
    larger[: len(array)] = array
    return larger
