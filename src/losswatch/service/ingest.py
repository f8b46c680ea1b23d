"""Bring batches to the monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.sources.base import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.core.monitors import Monitors
    from losswatch.errors import RejectedEvent
    from losswatch.service.refusals import RefusalLog
    from losswatch.sources.base import Batch

__all__ = ["Ingest"]


class Ingest:
    """Counts every line once: as an accepted event or as a refusal with its reason.

    Parameters
    ----------
    monitors
        Where the events go.
    refusals
        Where refusals are logged.
    clock
        When events arrive, in seconds since 1970. Without it they are of the
        past: the latest is now.
    """

    def __init__(
        self, monitors: Monitors, refusals: RefusalLog, clock: Callable[[], float] | None = None
    ) -> None:
        self._monitors = monitors
        self._refusals = refusals
        self._clock = clock

    def take(self, source: str, batch: Batch) -> None:
        """Score what a batch holds."""
        now = None if self._clock is None else self._clock()
        taken = self._monitors.take(batch.columns, batch.events, at=now)
        for refusal in batch.refused:
            self._monitors.reject(refusal.reason, model=refusal.model)
        for refusal in [*batch.refused, *map(_refusal, taken.rejected)]:
            self._refusals.add(source, refusal)


def _refusal(rejection: RejectedEvent) -> Refusal:
    return Refusal(rejection.index or 0, rejection.reason, rejection.detail)
