"""How many messages were not read yet, as a scrape may ask at any time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from losswatch.sources.offsets import Partition
    from losswatch.sources.progress import Progress

__all__ = ["Lag"]

_SECONDS = 1.0
"""How old it may be."""


class Lag:
    """The lag of each partition, measured by the thread that reads; any thread may ask."""

    def __init__(self) -> None:
        self.now: dict[tuple[str, int], int] = {}  # replaced, never changed
        self._at = -_SECONDS

    def measure(
        self,
        progress: Progress,
        partitions: Iterable[Partition],
        end_of: Callable[[Partition], int | None],
    ) -> None:
        """Note the lag, if that was a second ago.

        Parameters
        ----------
        progress
            How far each partition was read.
        partitions
            Those to measure.
        end_of
            Returns where a partition ends, ``None`` if that is not known yet.
        """
        now = time.monotonic()
        if now - self._at < _SECONDS:
            return
        self._at = now
        ends = {partition: end_of(partition) for partition in partitions}
        self.now = progress.lag({p: end for p, end in ends.items() if end is not None})

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget the lag of partitions that others read now."""
        gone = {tuple(partition) for partition in partitions}
        self.now = {key: lag for key, lag in self.now.items() if key not in gone}
