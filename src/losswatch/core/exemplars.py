"""Which events the buckets of a histogram can be shown by: ids of costly ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = ["LONGEST", "Exemplar", "Exemplars", "by_row"]

LONGEST = 128 - len("prediction_id")
"""Characters of an id: OpenMetrics allows 128 for the labels of an exemplar, names and values."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: sources refuse it, Python callers may pass it."""

_MOST = 16_384
"""So many are kept; the one that was set longest ago goes. With short ids they are some 4 MB."""

_FRESH = 60.0
"""Seconds until a less costly event replaces one."""


class Exemplar(NamedTuple):
    """One event: its id, its loss, and when it was complete, ``None`` if that is not known."""

    prediction_id: str
    loss: float
    time: float | None


class Exemplars:
    """Remembers one event for each bucket of each slot. Not thread-safe.

    The costliest one stays for a minute; then the next to come takes its
    place, so that a bucket shows a recent event. An id longer than
    :data:`LONGEST`, or with half of a surrogate pair, is not remembered. A
    batch takes about 0.2 µs an event and 1 µs a bucket that it touches. They
    are not part of the state: like the counts they are of this process.

    Parameters
    ----------
    buckets
        How many a slot has.
    most
        How many are kept over all slots.

    Examples
    --------
    >>> exemplars = Exemplars(buckets=2)
    >>> slots, buckets, clock = np.array([3, 3]), np.array([1, 1]), np.array([9.0, 9.0])
    >>> exemplars.add(slots, buckets, np.array([16.0, 25.0]), clock, ["a", "b"])
    >>> exemplars.held[3 * 2 + 1]
    Exemplar(prediction_id='b', loss=25.0, time=9.0)
    """

    __slots__ = ("_most", "buckets", "held")

    def __init__(self, buckets: int, most: int = _MOST) -> None:
        self.buckets = buckets
        self.held: dict[int, Exemplar] = {}  # by slot and bucket, the one set last at the end
        self._most = most

    def add(
        self,
        slot: Indexes,
        bucket: Indexes,
        losses: Floats,
        clock: Floats,
        ids: Sequence[str],
    ) -> None:
        """Remember the costliest of these in each bucket."""
        short = np.array([_can_be_shown(name) for name in ids], dtype=np.bool_)
        keys = slot * self.buckets + bucket
        order = np.lexsort((losses, keys))
        order = order[short[order]]
        last = np.flatnonzero(np.diff(keys[order], append=-1))
        for place in order[last].tolist():
            loss, at = float(losses[place]), float(clock[place])
            self._set(int(keys[place]), ids[place], loss, at)
        while len(self.held) > self._most:
            del self.held[next(iter(self.held))]

    def _set(self, key: int, name: str, loss: float, clock: float) -> None:
        found = self.held.get(key)
        if found is None or loss >= found.loss or clock >= (found.time or 0.0) + _FRESH:
            self.held.pop(key, None)  # so that it comes to the end
            self.held[key] = Exemplar(name, loss, clock or None)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        gone = set(slots.tolist())
        for key in [key for key in self.held if key // self.buckets in gone]:
            del self.held[key]


def _can_be_shown(name: str) -> bool:
    """Tell whether a page can name this event: one that nobody can encode would cost all of it."""
    return len(name) <= LONGEST and (name.isascii() or _HALF.search(name) is None)


def by_row(
    held: Mapping[int, Exemplar], slots: Sequence[int], buckets: int
) -> dict[int, dict[int, Exemplar]]:
    """Return what is held of some slots, by their place among them and by bucket."""
    rows = {slot: row for row, slot in enumerate(slots)} if held else {}
    found: dict[int, dict[int, Exemplar]] = {}
    for key, exemplar in held.items():
        slot, bucket = divmod(key, buckets)
        if slot in rows:
            found.setdefault(rows[slot], {})[bucket] = exemplar
    return found
