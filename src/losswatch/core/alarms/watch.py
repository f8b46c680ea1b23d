"""One alarm on one output: blocks, and the rule that judges them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.blocks import Blocks
from losswatch.core.alarms.budget import BudgetRule
from losswatch.core.alarms.detector import DetectorRule
from losswatch.core.alarms.drift import DriftRule
from losswatch.core.alarms.open_blocks import OpenBlocks
from losswatch.core.alarms.settings import Alarm, BudgetAlarm, DetectorAlarm, DriftAlarm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.alarms.latch import Change
    from losswatch.core.alarms.rule import Rule
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes, Scored
    from losswatch.core.tree import Node, Tree

__all__ = ["Watch", "WatchReading"]

_ALL = np.zeros(1, dtype=np.intp)


@dataclass(frozen=True)
class WatchReading:
    """What an alarm on an output shows: row ``i`` is the stream ``streams[i]``."""

    alarm: Alarm
    output: str
    streams: Indexes
    active: NDArray[np.bool_]  # a column for each severity, as the next two
    raised: Indexes  # in this process
    evidence: Floats  # from 0 to 1, where it is on
    since: Floats
    since_change: Indexes  # events since what seems to be the change
    waiting: Indexes  # blocks of the warm-up that are lacking
    seen: Indexes

    @property
    def warms_up(self) -> bool:
        """Whether it learns at first."""
        return isinstance(self.alarm, DriftAlarm)


class Watch:
    """Watches one output for one alarm. Not thread-safe.

    What it does depends on the events and their order, not on how they are
    batched; so it is the same after a restart, to the bit.

    Parameters
    ----------
    alarm
        What was declared.
    output
        The name of the output.
    size
        How many slots there are.
    sharing
        How many outputs share the promise.
    """

    def __init__(self, alarm: Alarm, output: str, size: int, sharing: int) -> None:
        self.alarm = alarm
        self.output = output
        streams = size if alarm.per_segment else 1
        self._rule = _rule(alarm, streams, sharing)
        columns = 2 if isinstance(alarm, BudgetAlarm) else 1
        self._blocks = Blocks(alarm.block, columns, streams)
        self._weighted = False
        self._early = isinstance(alarm, BudgetAlarm) and not alarm.block.timed

    def add(self, events: Scored, loss: Floats, clock: Floats) -> None:
        """Add events in the order of their arrival."""
        plain = 0 if self._weighted else _plain(events.w)
        if (
            0 < plain < len(events)
        ):  # from the first weight on nothing is sure before its block ends
            self._add(events.take(slice(0, plain)), loss[:plain], clock[:plain])
            events, loss, clock = events.take(slice(plain, None)), loss[plain:], clock[plain:]
            plain = 0
        self._weighted = self._weighted or plain < len(events)
        self._add(events, loss, clock)

    def read(self, now: float, slots: Indexes) -> WatchReading:
        """Return what it shows at a time, of these slots; nothing is changed."""
        blocks, rule = self._blocks, self._rule
        if blocks.is_over(now) and not isinstance(self.alarm, DetectorAlarm):
            blocks, rule = copy.deepcopy((blocks, rule))
            rule.take(blocks.end(), None)
        streams = slots[1:] if self.alarm.per_segment else _ALL
        latch = rule.latch
        return WatchReading(
            alarm=self.alarm,
            output=self.output,
            streams=streams,
            active=latch.active[streams],
            raised=latch.raised[streams],
            evidence=rule.evidence(streams),
            since=latch.since[streams],
            since_change=blocks.seen[streams] - latch.begun[streams],
            waiting=rule.waiting(streams),
            seen=blocks.seen[streams],
        )

    @property
    def mean_block(self) -> float:
        """How many events a block has on average, ``nan`` while that is not known."""
        return self._blocks.mean_length

    def reset(self, now: float, streams: Indexes | None = None) -> int:
        """Turn alarms off, of all streams or of some; return how many were on."""
        which = np.flatnonzero(self._rule.latch.active.any(axis=1))
        if streams is not None:
            which = np.intersect1d(which, streams)
        for stream in which.tolist():
            self._rule.reset(stream, now, int(self._blocks.seen[stream]))
        return which.size

    def changes(self) -> list[Change]:
        """Return what went on or off since it was asked last."""
        return self._rule.latch.drain()

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        if self.alarm.per_segment:
            self._rule.grow(size)
            self._blocks.grow(size)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        if self.alarm.per_segment:
            self._rule.clear(slots)
            self._blocks.clear(slots)

    def dump(self) -> Tree:
        """Return its state."""
        rule, blocks = self._rule.dump(), self._blocks.dump()
        return {"weighted": self._weighted, "blocks": blocks, "rule": rule}

    def load(self, node: Node) -> None:
        """Continue from a state of as many slots."""
        self._weighted = node.flag("weighted")
        self._blocks.load(node.node("blocks"))
        self._rule.load(node.node("rule"))

    def _add(self, events: Scored, loss: Floats, clock: Floats) -> None:
        stream = events.slot if self.alarm.per_segment else np.zeros(len(events), dtype=np.intp)
        columns = self._rule.columns(events.error, loss)
        before = self._blocks.sums[0].copy() if self._early and not self._weighted else None
        cut, closed = self._blocks.add(stream, columns, events.w, clock)
        opened = None
        if before is not None:
            length = int(self._blocks.length.size)
            opened = OpenBlocks(cut, length, before[cut.touched], columns[0], clock)
        self._rule.take(closed, opened)


def _rule(alarm: Alarm, size: int, sharing: int) -> Rule:
    match alarm:
        case BudgetAlarm():
            return BudgetRule(alarm, size, sharing)
        case DriftAlarm():
            return DriftRule(alarm, size, sharing)
        case DetectorAlarm():
            return DetectorRule(alarm, size)
    raise TypeError(f"{alarm!r} is no alarm")


def _plain(w: Floats | None) -> int:
    """Return how many events come before the first one whose weight is not 1."""
    if w is None:
        return 1 << 62
    odd = w != 1.0
    return int(np.argmax(odd)) if odd.any() else w.size
