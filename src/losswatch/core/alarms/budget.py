"""The alarm for a mean loss above its budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.bets import CAP, clearing_bets, excess_bets
from losswatch.core.alarms.evidence import CALM, Evidence
from losswatch.core.alarms.latch import Latch
from losswatch.core.alarms.rule import by_stream

if TYPE_CHECKING:
    from losswatch.core.alarms.blocks import Closed
    from losswatch.core.alarms.open_blocks import OpenBlocks
    from losswatch.core.alarms.settings import BudgetAlarm
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["BudgetRule"]

_MANY = 12
"""Streams with a block in one round, from which on they are faster at once than one by one."""


class BudgetRule:
    """Alarms where the mean loss is above ``max_rmse ** 2``, cleared by the mirrored test.

    While the mean loss of a block given the past is at most the budget, at
    most one alarm in ``threshold`` blocks is expected, for losses of any
    tails. An alarm that is on goes off when the losses, counted up to 20
    budgets each, show that their mean is below the budget again. A block takes
    about 2 µs.

    Parameters
    ----------
    alarm
        What was declared.
    size
        How many streams there are.
    sharing
        How many rules share the promise.
    """

    def __init__(self, alarm: BudgetAlarm, size: int, sharing: int = 1) -> None:
        self.latch = Latch(alarm.severities, size)
        self._budgets = alarm.budgets
        self._cap = None if alarm.loss_cap is None else alarm.loss_cap * alarm.budgets[0]
        self._threshold = alarm.threshold * sharing
        self._clear_threshold = alarm.clear_threshold
        bets = excess_bets(single=not alarm.block.timed and alarm.block.size == 1)
        self._excess = [Evidence(bets, size) for _ in alarm.budgets]
        self._mirror = Evidence(clearing_bets(), size)

    def columns(self, error: Floats, loss: Floats) -> tuple[Floats, ...]:
        """Return losses, and losses in budgets up to a cap; see :class:`Rule`."""
        del error
        with np.errstate(over="ignore"):
            capped = np.minimum(loss / self._budgets[0], CAP)
        return loss if self._cap is None else np.minimum(loss, self._cap), capped

    def take(self, closed: Closed, opened: OpenBlocks | None) -> None:
        """Take blocks; see :class:`Rule`."""
        rounds = int(closed.round.max(initial=0)) + 1
        if len(closed) < _MANY * rounds:
            for stream, places in by_stream(closed):
                self._take_stream(stream, places, closed, opened)
        else:
            for number in range(rounds):
                self._take_round(np.flatnonzero(closed.round == number), closed, opened)
        if opened is not None:
            self._glance(opened)

    def evidence(self, streams: Indexes) -> Floats:
        """Return how near each severity is to its alarm; see :class:`Rule`."""
        rows = [each.nearness(streams, self._threshold) for each in self._excess]
        return np.where(self.latch.active[streams], 1.0, np.array(rows).T)

    def waiting(self, streams: Indexes) -> Indexes:
        """Nothing is learnt at first."""
        return np.zeros(streams.size, dtype=np.intp)

    def reset(self, stream: int, time: float, events: int) -> None:
        """Turn the alarm of a stream off; see :class:`Rule`."""
        self.latch.reset(stream, time, events)
        for each in (*self._excess, self._mirror):
            each.reset(stream)

    def grow(self, size: int) -> None:
        """Make room for more streams."""
        self.latch.grow(size)
        for each in (*self._excess, self._mirror):
            each.grow(size)

    def clear(self, streams: Indexes) -> None:
        """Forget some streams."""
        self.latch.clear(streams)
        for each in (*self._excess, self._mirror):
            each.reset(streams)

    def dump(self) -> Tree:
        """Return its state."""
        excess: Tree = {str(k): each.dump() for k, each in enumerate(self._excess)}
        return {"latch": self.latch.dump(), "excess": excess, "mirror": self._mirror.dump()}

    def load(self, node: Node) -> None:
        """Continue from a state of as many streams."""
        for k, each in enumerate(self._excess):
            each.load(node.node("excess"), str(k))
        self._mirror.load(node, "mirror")
        self.latch.load(node.node("latch"))

    def _take_stream(
        self, stream: int, places: Indexes, closed: Closed, opened: OpenBlocks | None
    ) -> None:
        """Take the blocks of one stream, one by one."""
        places = self._counted(stream, places)
        rows = [each.row(stream) for each in self._excess]
        mirror = self._mirror.row(stream)
        columns = (closed.means[0], closed.means[1], closed.share, closed.seen, closed.time)
        blocks = zip(places.tolist(), *(each[places].tolist() for each in columns), strict=True)
        latch, calm = self.latch, int(self.latch.calm[stream])
        active = latch.active[stream].tolist()
        for place, mean, capped, share, seen, time in blocks:
            for k, budget in enumerate(self._budgets):
                if active[k]:
                    continue
                row = rows[k].copy()
                evidence = self._excess[k].step(row, mean / budget - 1.0, share)
                if evidence >= self._threshold:
                    self._excess[k].put(stream, rows[k])
                    latch.calm[stream] = calm
                    self._raise(stream, k, closed, place, opened)
                    rows[k], active[k] = [0.0] * len(row), True
                    continue
                rows[k] = row
                if k == 0 and evidence < CALM * self._threshold:
                    calm = seen
            if not active[0]:
                continue
            if latch.fresh[stream]:
                latch.fresh[stream] = False
                continue
            if self._mirror.step(mirror, min(capped, CAP) - 1.0, share) >= self._clear_threshold:
                self.reset(stream, time, seen)
                rows, mirror = [[0.0] * len(row) for row in rows], [0.0] * len(mirror)
                active, calm = [False] * len(active), seen
        latch.calm[stream] = calm
        for each, row in zip((*self._excess, self._mirror), (*rows, mirror), strict=True):
            each.put(stream, row)

    def _counted(self, stream: int, places: Indexes) -> Indexes:
        """Return the blocks that count: not one that an alarm was turned off in."""
        if self.latch.spent[stream] and places.size:
            self.latch.spent[stream] = False
            return places[1:]
        return places

    def _take_round(self, places: Indexes, closed: Closed, opened: OpenBlocks | None) -> None:
        """Take a block of each of many streams, all at once."""
        latch = self.latch
        spent = latch.spent[closed.stream[places]]
        latch.spent[closed.stream[places[spent]]] = False
        places = places[~spent]
        for k, budget in enumerate(self._budgets):
            todo = places[~latch.active[closed.stream[places], k]]
            streams, share = closed.stream[todo], closed.share[todo]
            scores = closed.means[0][todo] / budget - 1.0
            evidence = self._excess[k].peek(streams, scores, share)
            fired = evidence >= self._threshold
            for place in todo[fired].tolist():
                self._raise(int(closed.stream[place]), k, closed, place, opened)
            calm = ~fired
            self._excess[k].step_many(streams[calm], scores[calm], share[calm])
            if k == 0:
                calm = evidence < CALM * self._threshold
                latch.calm[streams[calm]] = closed.seen[todo[calm]]
        places = places[latch.active[closed.stream[places], 0]]
        fresh = latch.fresh[closed.stream[places]]
        latch.fresh[closed.stream[places[fresh]]] = False
        self._try_to_clear(places[~fresh], closed)

    def _try_to_clear(self, places: Indexes, closed: Closed) -> None:
        """Take a block of each stream whose alarm is on, and clear those that are well again."""
        if not places.size:
            return
        streams = closed.stream[places]
        scores = np.minimum(closed.means[1][places], CAP) - 1.0  # a mean may round up
        evidence = self._mirror.step_many(streams, scores, closed.share[places])
        for place in places[evidence >= self._clear_threshold].tolist():
            stream = int(closed.stream[place])
            self.reset(stream, float(closed.time[place]), int(closed.seen[place]))

    def _raise(
        self, stream: int, severity: int, closed: Closed, place: int, opened: OpenBlocks | None
    ) -> None:
        """Turn an alarm on that a block led to, at the event by which it was sure."""
        if opened is None:
            self._set(stream, severity, float(closed.time[place]), int(closed.seen[place]))
        else:
            self._raise_at(stream, severity, int(closed.number[place]), opened)

    def _raise_at(self, stream: int, severity: int, block: int, opened: OpenBlocks) -> None:
        means, clock, numbers = opened.least_means(block)
        scores = means / self._budgets[severity] - 1.0
        sure = self._excess[severity].peek(stream, scores, 1.0) >= self._threshold
        first = int(np.argmax(sure)) if sure.any() else -1
        self._set(stream, severity, float(clock[first]), int(numbers[first]))

    def _set(self, stream: int, severity: int, time: float, events: int) -> None:
        self.latch.set(stream, severity, time, events)
        self._excess[severity].reset(stream)

    def _glance(self, opened: OpenBlocks) -> None:
        """Turn alarms on that the blocks that go on will lead to, whatever comes."""
        numbers, streams, means = opened.going()
        for k, budget in enumerate(self._budgets):
            todo = ~self.latch.active[streams, k] & ~self.latch.spent[streams]
            if not todo.any():
                continue
            scores = means[todo] / budget - 1.0
            fired = self._excess[k].peek(streams[todo], scores, 1.0) >= self._threshold
            for place in np.flatnonzero(todo)[fired].tolist():
                self._raise_at(int(streams[place]), k, int(numbers[place]), opened)
