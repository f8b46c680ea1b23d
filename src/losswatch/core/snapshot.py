"""What a monitor held at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING

from losswatch.core.cells.reading import Reading
from losswatch.core.ledger import LIFETIME, LedgerSnapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losswatch.core.alarms.book import AlarmsReading
    from losswatch.core.cells.cell import Cell
    from losswatch.core.cost import Cost
    from losswatch.core.join.tally import JoinSnapshot
    from losswatch.errors import Reason

__all__ = ["Snapshot"]


@dataclass
class Snapshot:
    """One consistent reading of a monitor: all numbers count the same events.

    Row 0 of every reading is the total of the model and row ``i`` is the
    segment ``segments[i]``, given by its labels; those of the total are empty.
    """

    model: str
    unit: str
    segments: tuple[Mapping[str, str], ...]
    outputs: Mapping[str, LedgerSnapshot]
    rejected: Mapping[Reason, int]
    overflowed: int | None
    last_event: float | None
    join: JoinSnapshot
    alarms: AlarmsReading

    @property
    def windows(self) -> tuple[str, ...]:
        """The windows, the lifetime first."""
        return tuple(next(iter(self.outputs.values())).readings)

    @cached_property
    def readings(self) -> dict[str, Reading]:
        """The numbers by window, all outputs as one stream."""
        each = [output.readings for output in self.outputs.values()]
        return {
            window: reduce(Reading.plus, [readings[window] for readings in each])
            for window in self.windows
        }

    @property
    def late(self) -> dict[str, int]:
        """How many events came too late for each window."""
        late = [output.late for output in self.outputs.values()]
        return {window: max(counts[window] for counts in late) for window in late[0]}

    @cached_property
    def pooled(self) -> Cost:
        """The cost of all events, all outputs as one stream."""
        return self.readings[LIFETIME].cell(0).cost

    def cost(self, output: str) -> Cost:
        """Return the cost of all events of one output."""
        return self.outputs[output].readings[LIFETIME].cell(0).cost

    def read(
        self,
        window: str = LIFETIME,
        *,
        segment: Mapping[str, str] | None = None,
        output: str | None = None,
    ) -> Cell:
        """Return the numbers of a window, of the whole model or of one segment.

        Parameters
        ----------
        window
            As in :attr:`windows`.
        segment
            All labels of a segment; ``{"segment": "other"}`` are those beyond the limit.
        output
            One output of several; if not given, all as one stream.

        Raises
        ------
        KeyError
            There is no such window, output or segment.

        Examples
        --------
        >>> from losswatch import Monitor
        >>> monitor = Monitor("eta", windows=[{"events": 2}])
        >>> [monitor.update(10.0, y_pred) for y_pred in (12.0, 11.0, 10.0)]
        [4.0, 1.0, 0.0]
        >>> monitor.snapshot().read("2 events")
        Cell(n=2, mse=0.5, rmse=0.707107, mae=0.5, bias=-0.5)
        """
        readings = self.readings if output is None else self.outputs[output].readings
        if window not in readings:
            raise KeyError(f"no window {window!r}; there are {', '.join(readings)}")
        labels = dict(segment or {})
        if labels not in self.segments:
            raise KeyError(f"no segment {labels!r}; give all its labels, as text")
        return readings[window].cell(self.segments.index(labels))

    @property
    def counted_rows(self) -> range:
        """The rows that hold each event once: the segments or, without segments, the total."""
        return range(1) if self.overflowed is None else range(1, len(self.segments))
