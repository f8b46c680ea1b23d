"""One round of the service: what all sources had at a moment, made safe and counted together."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from losswatch.core.events import EventColumns
from losswatch.sources.base import Outcome, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.core.events import Event
    from losswatch.core.join.desk import Taken
    from losswatch.sources.base import Batch, Position, Source

__all__ = ["Round"]


@dataclass(slots=True)
class Round:
    """Batches of several sources as one: ``columns`` and ``events`` are numbered from 0."""

    parts: Sequence[tuple[Source, Batch]]
    columns: EventColumns = field(init=False)
    events: list[Event] = field(init=False)
    _ends: list[int] = field(init=False)

    def __post_init__(self) -> None:
        batches = [batch for _, batch in self.parts]
        joined = EventColumns.join([batch.columns for batch in batches])
        self.columns = replace(joined, line=range(len(joined)))
        events = [event for batch in batches for event in batch.events]
        self.events = [event._replace(line=len(joined) + i) for i, event in enumerate(events)]
        sizes = [len(batch.columns) for batch in batches]
        self._ends = list(accumulate([*sizes, *(len(batch.events) for batch in batches)]))

    @property
    def positions(self) -> dict[str, Position]:
        """Where the sources stand after it."""
        return {
            source.name: batch.position
            for source, batch in self.parts
            if batch.position is not None
        }

    @property
    def is_empty(self) -> bool:
        """Whether it holds no event."""
        return not len(self.columns) and not self.events

    def outcomes(self, taken: Taken) -> list[Outcome]:
        """Return what became of each batch, told by its own lines."""
        outcomes = [Outcome(refused=list(batch.refused)) for _, batch in self.parts]
        for rejection in taken.rejected:
            part, line = self._origin(rejection.index or 0)
            outcomes[part].refused.append(Refusal(line, rejection.reason, rejection.detail))
        for place in taken.duplicates:
            part, line = self._origin(place)
            outcomes[part].duplicates.append(line)
        return outcomes

    def _origin(self, place: int) -> tuple[int, int]:
        """Return which batch an event is of, and its line there."""
        which = bisect_right(self._ends, place)
        index = place - (self._ends[which - 1] if which else 0)
        part = which % len(self.parts)
        batch = self.parts[part][1]
        held = batch.columns.line if which < len(self.parts) else [e.line for e in batch.events]
        return part, held[index]
