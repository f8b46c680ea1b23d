"""The alarm for a typical error that grew since a warm-up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.bets import rank_bets
from losswatch.core.alarms.evidence import CALM, Evidence
from losswatch.core.alarms.latch import Latch
from losswatch.core.alarms.rule import by_stream

if TYPE_CHECKING:
    from losswatch.core.alarms.blocks import Closed
    from losswatch.core.alarms.open_blocks import OpenBlocks
    from losswatch.core.alarms.settings import DriftAlarm
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["DriftRule"]


class DriftRule:
    """Alarms where blocks rank too high among those of a warm-up, which is then kept as it is.

    The rank of the mean of ``sqrt(|error|)``, less the tolerance, is what is
    bet on, so a few huge errors count no more than large ones. The rate of
    false alarms is calibrated by simulation: the warm-up is a sample. A block
    takes about 3 µs, a stream 32 bytes for each block of the warm-up.

    Parameters
    ----------
    alarm
        What was declared.
    size
        How many streams there are.
    sharing
        How many rules share the promise.
    """

    def __init__(self, alarm: DriftAlarm, size: int, sharing: int = 1) -> None:
        self.latch = Latch(alarm.severities, size)
        self._blocks = alarm.blocks
        self._growth = (1.0 + alarm.tolerance) ** 0.25  # of sqrt(|error|), where the MSE grows so
        self._threshold = alarm.threshold * sharing
        self._clear_threshold = alarm.clear_threshold
        bets = rank_bets(alarm.blocks)
        self._excess, self._mirror = Evidence(bets, size), Evidence(bets, size)
        self._learnt: dict[int, list[float]] = {}  # sorted once it is whole

    def columns(self, error: Floats, loss: Floats) -> tuple[Floats, ...]:
        """Return ``sqrt(|error|)``; see :class:`Rule`."""
        del loss
        return (np.sqrt(np.abs(error)),)

    def take(self, closed: Closed, opened: OpenBlocks | None) -> None:
        """Take blocks; see :class:`Rule`."""
        del opened
        for stream, places in by_stream(closed):
            learnt = self._learnt.setdefault(stream, [])
            lacking = self._blocks - len(learnt)
            if lacking > 0:
                learnt += closed.means[0][places[:lacking]].tolist()
                if len(learnt) == self._blocks:
                    learnt.sort()
                    self.latch.calm[stream] = closed.seen[places[:lacking][-1]]
            if places.size > lacking:
                self._take_stream(stream, places[max(lacking, 0) :], closed, learnt)

    def evidence(self, streams: Indexes) -> Floats:
        """Return how near it is to its alarm; see :class:`Rule`."""
        ratio = self._excess.nearness(streams, self._threshold)
        return np.where(self.latch.active[streams], 1.0, ratio[:, np.newaxis])

    def waiting(self, streams: Indexes) -> Indexes:
        """Return how many blocks of the warm-up are lacking; see :class:`Rule`."""
        known = [len(self._learnt.get(stream, ())) for stream in streams.tolist()]
        return self._blocks - np.array(known, dtype=np.intp)

    def reset(self, stream: int, time: float, events: int) -> None:
        """Turn the alarm of a stream off; what was learnt stays; see :class:`Rule`."""
        self.latch.reset(stream, time, events)
        self._excess.reset(stream)
        self._mirror.reset(stream)

    def grow(self, size: int) -> None:
        """Make room for more streams."""
        for part in (self.latch, self._excess, self._mirror):
            part.grow(size)

    def clear(self, streams: Indexes) -> None:
        """Forget some streams, and what was learnt of them."""
        for stream in streams.tolist():
            self._learnt.pop(stream, None)
        self.latch.clear(streams)
        self._excess.reset(streams)
        self._mirror.reset(streams)

    def dump(self) -> Tree:
        """Return its state."""
        streams = sorted(self._learnt)
        learnt = [np.array(self._learnt[stream]) for stream in streams]
        return {
            "latch": self.latch.dump(),
            "excess": self._excess.dump(),
            "mirror": self._mirror.dump(),
            "streams": np.array(streams, dtype=np.int64),
            "lengths": np.array([values.size for values in learnt], dtype=np.int64),
            "learnt": np.concatenate([*learnt, np.zeros(0)]),
        }

    def load(self, node: Node) -> None:
        """Continue from a state of as many streams."""
        streams = node.ints("streams", below=self.latch.since.size)
        lengths = node.ints("lengths", streams.size, self._blocks + 1)
        values = node.floats("learnt", int(lengths.sum()))
        parts = np.split(values, np.cumsum(lengths)[:-1])
        self._learnt = {
            stream: part.tolist() for stream, part in zip(streams.tolist(), parts, strict=False)
        }
        self._excess.load(node, "excess")
        self._mirror.load(node, "mirror")
        self.latch.load(node.node("latch"))

    def _take_stream(
        self, stream: int, places: Indexes, closed: Closed, learnt: list[float]
    ) -> None:
        """Take the blocks of one stream whose warm-up is over."""
        excess, mirror = self._excess.row(stream), self._mirror.row(stream)
        columns = (closed.means[0] / self._growth, closed.share, closed.seen, closed.time)
        latch = self.latch
        for value, share, seen, time in zip(
            *(each[places].tolist() for each in columns), strict=True
        ):
            if latch.active[stream, 0]:
                rank = bisect_right(learnt, value)
                if self._mirror.step(mirror, rank, share) >= self._clear_threshold:
                    self.reset(stream, time, seen)
                    mirror = [0.0] * len(mirror)
                continue
            rank = self._blocks - bisect_left(learnt, value)
            evidence = self._excess.step(excess, rank, share)
            if evidence >= self._threshold:
                latch.set(stream, 0, time, seen)
                latch.fresh[stream] = False  # the block is over
                excess = [0.0] * len(excess)
            elif evidence < CALM * self._threshold:
                latch.calm[stream] = seen
        self._excess.put(stream, excess)
        self._mirror.put(stream, mirror)
