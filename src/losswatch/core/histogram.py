"""How many losses fell into which bucket, for every segment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.exemplars import Exemplars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = ["DEFAULT_BUCKETS", "HistogramSnapshot", "LossHistograms", "check_buckets"]

DEFAULT_BUCKETS = tuple(float(f"1e{exponent}") for exponent in range(-6, 10))
"""A decade each: the unit of a loss is not known before its model is."""


@dataclass(frozen=True, slots=True)
class HistogramSnapshot:
    """One reading: ``counts[i]`` losses are at most ``bounds[i]``, cumulative."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    count: int
    sum: float


class LossHistograms:
    """The counts of Prometheus histograms of losses, one for each slot.

    A loss adds about 6 ns, without slots 2 ns; the state is one integer a
    bucket and slot.

    Parameters
    ----------
    bounds
        Upper bounds of the buckets, from 0 on and increasing, in the target's
        unit squared; a last bucket without bound is always there.
    size
        How many slots.
    pooled
        Whether slot 0 is the total of all others.
    exemplars
        Whether it remembers ids of costly events.

    Raises
    ------
    ValueError
        The bounds are below 0, not finite or not increasing.

    Examples
    --------
    >>> histograms = LossHistograms((1.0, 10.0), size=3, pooled=True)
    >>> histograms.add(np.array([1, 1, 2, 2]), np.array([0.5, 1.0, 4.0, 400.0]))
    >>> histograms.cumulative(np.array([0, 1, 2])).tolist()
    [[2, 3, 4], [2, 2, 2], [0, 1, 2]]
    """

    __slots__ = ("_counts", "_finder", "_pooled", "bounds", "exemplars")

    def __init__(
        self,
        bounds: tuple[float, ...],
        size: int,
        *,
        pooled: bool = False,
        exemplars: bool = False,
    ) -> None:
        self._pooled = pooled
        self.bounds = check_buckets(bounds)
        self._finder = _finder(self.bounds)
        self._counts = np.zeros((size, len(self.bounds) + 1), dtype=np.int64)
        self.exemplars = Exemplars(len(self.bounds) + 1) if exemplars else None

    def add(self, slot: Indexes, losses: Floats) -> None:
        """Add finite losses."""
        if len(self._counts) == 1 and len(self.bounds) <= _FEW:
            self._counts[0] += self._finder.counts(losses)
            return
        buckets = self._finder.buckets(losses)
        np.add.at(self._counts.reshape(-1), slot * self._counts.shape[1] + buckets, 1)
        if self._pooled:
            self._counts[0] += np.bincount(buckets, minlength=self._counts.shape[1])

    def remember(self, slot: Indexes, losses: Floats, clock: Floats, ids: Sequence[str]) -> None:
        """Remember ids of losses that were added, if that is wanted."""
        if self.exemplars is not None:
            self.exemplars.add(slot, self._finder.buckets(losses), losses, clock, ids)

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        counts = np.zeros((size, self._counts.shape[1]), dtype=np.int64)
        counts[: len(self._counts)] = self._counts
        self._counts = counts

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        self._counts[slots] = 0
        if self.exemplars is not None:
            self.exemplars.clear(slots)

    def cumulative(self, slots: Indexes) -> NDArray[np.int64]:
        """Return how many losses are at most each bound, the last column being all."""
        counts: NDArray[np.int64] = np.cumsum(self._counts[slots], axis=1)
        return counts


class _Finder:
    """Finds the bucket of losses, in a third of the time of ``searchsorted``.

    The high bits of a float from 0 on are a number that grows with it. They
    look up the first bucket that may be the one: it is that or the next,
    unless bounds are closer than 3 %.
    """

    __slots__ = ("_bounds", "_edges", "_first")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = np.array(bounds)
        self._edges = np.append(self._bounds, np.inf)
        lowest = (np.arange(_INFINITE + 1, dtype=np.int64) << _LOW).view(np.float64)
        first = np.searchsorted(self._bounds, lowest)
        self._first = first if (np.diff(first) <= 1).all() else None

    def buckets(self, losses: Floats) -> Indexes:
        """Return the bucket of each loss."""
        if self._first is None:
            return np.searchsorted(self._bounds, losses)
        found: Indexes = self._first[losses.view(np.int64) >> _LOW]
        found += losses > self._edges[found]
        return found

    def counts(self, losses: Floats) -> NDArray[np.int64]:
        """Return how many losses each bucket gets; for each bound all are looked at."""
        within = [np.count_nonzero(losses <= bound) for bound in self._bounds]
        ends: NDArray[np.int64] = np.array([0, *within, losses.size], dtype=np.int64)
        counts: NDArray[np.int64] = ends[1:] - ends[:-1]
        return counts


@lru_cache(maxsize=16)
def _finder(bounds: tuple[float, ...]) -> _Finder:
    """Return what finds buckets; monitors mostly have the same."""
    return _Finder(bounds)


_LOW = 48
"""The bits of a float64 that are not looked at."""

_INFINITE = 0x7FF0
"""The high bits of infinity."""

_FEW = 40
"""Bounds up to which it is faster to look at all losses for each of them."""


def check_buckets(bounds: tuple[float, ...]) -> tuple[float, ...]:
    """Return the bounds as floats.

    Raises
    ------
    ValueError
        They are below 0, not finite or not increasing.
    """
    bounds = tuple(map(float, bounds))
    if not all(a < b for a, b in pairwise((-5e-324, *bounds, np.inf))):
        raise ValueError(f"buckets are {bounds}; must be finite, increasing, and not below 0")
    return bounds
