"""The alarm that a detector of another library raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.latch import Latch
from losswatch.core.alarms.rule import by_stream

if TYPE_CHECKING:
    from losswatch.core.alarms.blocks import Closed
    from losswatch.core.alarms.open_blocks import OpenBlocks
    from losswatch.core.alarms.settings import Detector, DetectorAlarm
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["DetectorRule"]


class DetectorRule:
    """Feeds a detector for each stream with the means of blocks. It promises nothing.

    An alarm stays on until so many blocks went by without a detection. What a
    detector has seen is not kept with the state; whether its alarm is on is.

    Parameters
    ----------
    alarm
        What was declared.
    size
        How many streams there are.
    """

    def __init__(self, alarm: DetectorAlarm, size: int) -> None:
        self.latch = Latch(alarm.severities, size)
        self._make = alarm.make
        self._input = alarm.input
        self._clear_blocks = alarm.clear_blocks
        self._detectors: dict[int, Detector] = {}
        self._quiet: dict[int, int] = {}

    def columns(self, error: Floats, loss: Floats) -> tuple[Floats, ...]:
        """Return what the detector is fed with; see :class:`Rule`."""
        if self._input == "squared":
            return (loss,)
        size = np.abs(error)
        if self._input == "log":  # of the loss; the smallest one instead of none
            return (2.0 * np.log(np.maximum(size, 5e-324)),)
        return (size if self._input == "abs" else np.sqrt(size),)

    def take(self, closed: Closed, opened: OpenBlocks | None) -> None:
        """Take blocks; see :class:`Rule`."""
        del opened
        for stream, places in by_stream(closed):
            columns = (closed.means[0], closed.seen, closed.time)
            for block in zip(*(each[places].tolist() for each in columns), strict=True):
                self._take_block(stream, *block)

    def evidence(self, streams: Indexes) -> Floats:
        """Nothing is known of how near a detector is: 1 where the alarm is on."""
        return self.latch.active[streams].astype(np.float64)

    def waiting(self, streams: Indexes) -> Indexes:
        """Detectors know of no warm-up."""
        return np.zeros(streams.size, dtype=np.intp)

    def reset(self, stream: int, time: float, events: int) -> None:
        """Turn the alarm of a stream off and begin anew; see :class:`Rule`."""
        self.latch.reset(stream, time, events)
        self._detectors.pop(stream, None)
        self._quiet.pop(stream, None)

    def grow(self, size: int) -> None:
        """Make room for more streams."""
        self.latch.grow(size)

    def clear(self, streams: Indexes) -> None:
        """Forget some streams."""
        self.latch.clear(streams)
        for stream in streams.tolist():
            self._detectors.pop(stream, None)
            self._quiet.pop(stream, None)

    def dump(self) -> Tree:
        """Return its state: which alarms are on, and how long they have been quiet."""
        return {
            "latch": self.latch.dump(),
            "streams": np.array(sorted(self._quiet), dtype=np.int64),
            "quiet": np.array([self._quiet[stream] for stream in sorted(self._quiet)], np.int64),
        }

    def load(self, node: Node) -> None:
        """Continue from a state of as many streams; detectors begin anew."""
        streams = node.ints("streams", below=self.latch.since.size)
        quiet = node.ints("quiet", streams.size)
        self._quiet = dict(zip(streams.tolist(), quiet.tolist(), strict=True))
        self.latch.load(node.node("latch"))

    def _take_block(self, stream: int, mean: float, seen: int, time: float) -> None:
        detector = self._detectors.get(stream)
        if detector is None:
            detector = self._detectors[stream] = self._make()
        detector.update(mean)
        self.latch.fresh[stream] = False
        if not detector.drift_detected:
            self._rest(stream, seen, time)
            return
        self._quiet[stream] = 0
        if not self.latch.active[stream, 0]:
            self.latch.calm[stream] = seen
            self.latch.set(stream, 0, time, seen)

    def _rest(self, stream: int, seen: int, time: float) -> None:
        """Count a quiet block; clear the alarm after enough of them."""
        if self.latch.active[stream, 0]:
            self._quiet[stream] = self._quiet.get(stream, 0) + 1
            if self._quiet[stream] >= self._clear_blocks:
                self.latch.reset(stream, time, seen)
                self._quiet.pop(stream, None)
