"""All costs of one output: over the lifetime and over each window, for every segment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.grouping import group
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.stored import dump_sums, load_sums, moved
from losswatch.core.cells.table import Table
from losswatch.core.exemplars import by_row
from losswatch.core.histogram import HistogramSnapshot, LossHistograms
from losswatch.core.window import HalfLife, Last, LastEvents, Tumbling, Window
from losswatch.core.windows.arrivals import Arrivals, Gaps
from losswatch.core.windows.batch import Batch, Entered
from losswatch.core.windows.decay import DecayingWindow
from losswatch.core.windows.latest import LastEventsWindow
from losswatch.core.windows.panes import PaneWindow
from losswatch.core.windows.timeline import ExactTimeWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.reading import Reading
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.exemplars import Exemplar
    from losswatch.core.tree import Node, Tree
    from losswatch.core.windows.batch import WindowedCost

__all__ = ["LIFETIME", "Ledger", "LedgerSnapshot"]

LIFETIME = "lifetime"
"""The window of all events since the process started."""


@dataclass(eq=False)
class LedgerSnapshot:
    """One reading of a ledger: row ``i`` of each reading is slot ``slots[i]``."""

    readings: Mapping[str, Reading]  # by window, the lifetime first
    late: Mapping[str, int]
    counted: Reading  # what arrived in this process: never corrected, never loaded
    plain: Reading  # the same, of the losses without their weights
    bounds: tuple[float, ...]
    counts: NDArray[np.int64]
    exemplars: Mapping[int, Exemplar] = field(default_factory=dict)  # by slot and bucket
    slots: Indexes | None = None  # of the rows, where there are exemplars

    def exemplars_of(self, rows: range) -> dict[int, dict[int, Exemplar]]:
        """Return the exemplars of some rows, by their place among them and by bucket."""
        if self.slots is None:
            return {}
        slots = self.slots[rows.start : rows.stop].tolist()
        return by_row(self.exemplars, slots, len(self.bounds) + 1)

    def histogram(self, row: int) -> HistogramSnapshot:
        """Return the distribution of the losses of a row."""
        counts = self.counts[row].tolist()
        sums = float(self._plain_sums[row])
        return HistogramSnapshot(self.bounds, tuple(counts[:-1]), counts[-1], sums)

    def dummy_ratio(self, window: str) -> Floats:
        """Return rmse / rmse of predicting the mean of ``y_true`` over the lifetime, by row."""
        return self.readings[window].dummy_ratio(self.readings[LIFETIME].truth)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LedgerSnapshot):
            return NotImplemented
        same = self.readings == other.readings and self.late == other.late
        histograms = self.bounds == other.bounds and np.array_equal(self.counts, other.counts)
        counted = self.counted == other.counted and self.plain == other.plain
        return same and histograms and counted

    __hash__ = None  # type: ignore[assignment]  # its arrays could be changed

    @cached_property
    def _plain_sums(self) -> Floats:
        return self.plain.loss


class Ledger:
    """The exact costs of one output.

    Not thread-safe. What it costs is what its windows cost; see there.

    Parameters
    ----------
    windows
        Besides the lifetime.
    buckets
        Bounds of the histogram of losses.
    size, most
        How many slots there are, and how many there can be.
    pooled
        Whether slot 0 is the total of all others.
    exemplars
        Whether it remembers ids of costly events.
    """

    def __init__(  # noqa: PLR0913  # all that a ledger is told
        self,
        windows: Sequence[Window],
        buckets: tuple[float, ...],
        size: int,
        most: int,
        *,
        pooled: bool,
        exemplars: bool = False,
    ) -> None:
        self.size = size
        self._lifetime = Table(size, pooled=pooled)
        self._counted: Table | None = None  # as the lifetime, until that is corrected
        self._plain: Table | None = None  # as counted, until a weight comes
        self._losses = LossHistograms(buckets, size, pooled=pooled, exemplars=exemplars)
        self._arrivals = Arrivals(size, pooled=pooled, each=counts_events(windows))
        self._windows = [make_window(w, self._arrivals, most, pooled=pooled) for w in windows]
        self._declared = {window.label: declaration(window) for window in windows}
        self._gaps = {window.label: Gaps() for window in windows}

    def add(self, events: Scored, time: Floats, clock: Floats) -> Entered:
        """Add events in the order of their arrival; return where they are."""
        batch = Batch(events, time, clock, *self._arrivals.number(events.slot))
        self._losses.add(events.slot, events.error * events.error)
        if self._plain is None and events.w is not None:
            self._plain = (self._counted or self._lifetime).copy()
        if self._plain is not None:
            self._plain.add(group(Scored(events.slot, events.error, events.y_true, None)))
        if self._counted is not None:
            self._counted.add(batch.sums)
        self._lifetime.add(batch.sums)
        for window in self._windows:
            window.add(batch)
        return Entered(events, time, clock, batch.seq, batch.pool_seq)

    def remember(self, entered: Entered, ids: Sequence[str]) -> None:
        """Remember ids of events that were added, if that is wanted."""
        events = entered.events
        self._losses.remember(events.slot, events.error * events.error, entered.clock, ids)

    def revise(self, old: Entered, new: Entered) -> None:
        """Take events out again, each once, and put others in their places.

        What was counted as having arrived stays so. Events whose slot was
        cleared since are left as they are.
        """
        current = self._arrivals.belong(old.events.slot, old.pool_seq)
        self.remove(old)
        new = new.take(current)
        self._lifetime.add(group(new.events))
        for window in self._windows:
            window.restore(new.take(self._gaps[window.label].outside(new.pool_seq)))

    def remove(self, old: Entered) -> None:
        """Take events out, each once, as if they had not come; what was counted stays so."""
        old = old.take(self._arrivals.belong(old.events.slot, old.pool_seq))
        if self._counted is None:
            self._counted = self._lifetime.copy()
        self._lifetime.subtract(group(old.events))
        for window in self._windows:
            window.remove(old.take(self._gaps[window.label].outside(old.pool_seq)))

    def advance(self, now: float) -> None:
        """Let time pass."""
        for window in self._windows:
            window.advance(now)

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        self.size = size
        for part in self._parts():
            part.grow(size)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots; in the total they stay."""
        for part in self._parts():
            part.clear(slots)

    def read(self, slots: Indexes) -> LedgerSnapshot:
        """Return the numbers of some slots."""
        lifetime = self._lifetime.read(slots)
        counted = lifetime if self._counted is None else self._counted.read(slots)
        exemplars = self._losses.exemplars
        return LedgerSnapshot(
            readings={LIFETIME: lifetime} | {w.label: w.read(slots) for w in self._windows},
            late={window.label: window.late for window in self._windows},
            counted=counted,
            plain=counted if self._plain is None else self._plain.read(slots),
            bounds=self._losses.bounds,
            counts=self._losses.cumulative(slots),
            exemplars={} if exemplars is None else dict(exemplars.held),
            slots=None if exemplars is None else slots,
        )

    def dump(self) -> Tree:
        """Return its state; what is counted in this process is not of it."""
        windows: dict[str, Tree] = {}
        for window in self._windows:
            declared: Tree = self._declared[window.label]
            windows[window.label] = {
                "declared": declared,
                "gaps": self._gaps[window.label].dump(),
                "held": window.dump(),
            }
        lifetime = dump_sums(self._lifetime.everything())
        return {"lifetime": lifetime, "arrivals": self._arrivals.dump(), "windows": windows}

    def load(self, node: Node, now: float) -> list[str]:
        """Continue from a state, while it is empty, at a time; return notes on windows.

        Raises
        ------
        StateError
            It is no such state.
        """
        self._counted = Table(self.size, pooled=self._lifetime.pooled)
        self._lifetime.put(load_sums(node.node("lifetime"), self.size))
        self._arrivals.load(node.node("arrivals"))
        states = dict(node.node("windows").nodes())
        notes = [f"the window {label} is not kept any more" for label in states.keys() - self._gaps]
        for window in self._windows:
            label, state = window.label, states.get(window.label)
            if state is not None and state.node("declared").tells(self._declared[label]):
                self._gaps[label].load(state.node("gaps"))
                window.load(state.node("held"), now)
                continue
            why = "is new" if state is None else "was declared otherwise before"
            notes.append(f"the window {label} {why}: it starts empty")
            self._gaps[label].add(0, self._arrivals.total)
            window.advance(now)
        return sorted(notes)

    def merge(self, other: Ledger, to: Indexes, new: Indexes) -> list[str]:
        """Add what another ledger of the same windows holds at the same time; return notes.

        Its slot ``s`` is ``to[s]`` here; ``new`` are those that had no event here.
        """
        if self._counted is None:
            self._counted = self._lifetime.copy()
        before, notes = self._arrivals.total, []
        self._lifetime.put(moved(other._lifetime.everything(), to))
        self._arrivals.merge(other._arrivals, to, new)
        for mine, theirs in zip(self._windows, other._windows, strict=True):
            gaps = self._gaps[mine.label]
            if mine.merge(theirs, to):
                for span in other._gaps[mine.label].shifted(before):
                    gaps.add(*span)
            else:
                self._gaps[mine.label] = gaps = Gaps()
                gaps.add(0, self._arrivals.total)
                notes.append(
                    f"the window {mine.label} starts empty: which events came last on two machines"
                    " is not known"
                )
        return notes

    @property
    def total(self) -> int:
        """How many events arrived, as they are numbered."""
        return self._arrivals.total

    def _parts(self) -> list[Table | LossHistograms | Arrivals | WindowedCost]:
        counted = [table for table in (self._counted, self._plain) if table is not None]
        return [self._lifetime, *counted, self._losses, self._arrivals, *self._windows]


def make_window(window: Window, arrivals: Arrivals, most: int, *, pooled: bool) -> WindowedCost:
    """Return what keeps the costs over a window."""
    size = arrivals.seen.size
    match window:
        case Last(label, seconds, None):
            return ExactTimeWindow(label, seconds, size, pooled=pooled)
        case Last(label, seconds, int(panes)):
            return PaneWindow(label, seconds, panes, size, pooled=pooled)
        case Tumbling(label, seconds):
            return PaneWindow(label, seconds, 1, size, pooled=pooled)
        case LastEvents(label, events):
            return LastEventsWindow(label, events, arrivals, most, pooled=pooled)
        case HalfLife(label, seconds, events):
            return DecayingWindow(
                label, seconds=seconds, events=events, arrivals=arrivals, pooled=pooled
            )
    raise TypeError(f"{window!r} is no window")


def declaration(window: Window) -> dict[str, Tree]:
    """Return what tells whether two windows hold the same events."""
    return {"kind": type(window).__name__} | asdict(window)


def counts_events(windows: Iterable[Window]) -> bool:
    """Tell whether a window counts events, whatever time it is."""
    return any(getattr(window, "events", None) is not None for window in windows)
