"""The side of the books of a model that is saved, taken over and merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.registry import Registry
from losswatch.core.tree import Node
from losswatch.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from losswatch.core.alarms.book import AlarmBook, AlarmSettings
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.ledger import Ledger
    from losswatch.core.segments import Segments
    from losswatch.core.tree import Tree

__all__ = ["Merged", "SavedBooks"]


@dataclass(frozen=True)
class Merged:
    """What a merge led to: notes for the log, and where the other's events are now.

    The other's slot ``s`` is ``slots[s]`` here, and the ``pool_seq`` of its
    events of an output is larger by ``offsets[output]``.
    """

    notes: list[str]
    slots: Indexes
    offsets: Mapping[str, int]


class SavedBooks:
    """Dumps, loads and merges the books of a model. Not thread-safe; for them to inherit."""

    now: float
    registry: Registry | None
    alarms: AlarmBook
    fold: Callable[[], None]
    keep: Callable[[float], None]
    _watched: AlarmSettings
    _arrived: float
    _segments: Segments | None
    _keep: float
    _ledgers: dict[str, Ledger]
    _alike: Callable[[], Self]
    _new_ledgers: Callable[[Registry | None], dict[str, Ledger]]
    _new_alarms: Callable[[Registry | None], AlarmBook]
    _retire: Callable[[float], None]

    def dump(self) -> Tree:
        """Return the state of all outputs; what is counted in this process is not of it.

        A million events in exact windows, or 100,000 segments, take some
        hundred milliseconds. The arrays may be those that are in use: write
        them before the next event.
        """
        self.fold()
        registry = None if self.registry is None else self.registry.dump()
        outputs: Tree = {output: ledger.dump() for output, ledger in self._ledgers.items()}
        clock = {"now": self.now, "arrived": self._arrived}
        alarms = self.alarms.dump()
        return {**clock, "registry": registry, "outputs": outputs, "alarms": alarms}

    def check(self, node: Node) -> dict[str, Node]:
        """Return the states of the outputs, by their names.

        Raises
        ------
        StateError
            It is no state, or one of other outputs, or split otherwise.
        """
        if (node.node("registry").tree is None) != (self._segments is None):
            which = "is not split by segments" if self.registry else "is split by segments"
            raise StateError(
                f"the state {which}, other than the config; use another state file, or put"
                " segments back"
            )
        states = dict(node.node("outputs").nodes())
        if states.keys() != self._ledgers.keys():
            raise StateError(
                f"the state has the outputs {sorted(states)!r:.200}, the config has"
                f" {sorted(self._ledgers)!r:.200}; use another state file, or put them back"
            )
        return states

    def load(self, tree: object, slots: int = 0) -> list[str]:
        """Continue from a state, while nothing was entered; return notes for the log.

        Windows that are declared otherwise than before start empty. There must
        be so many slots.

        Raises
        ------
        StateError
            It is no state, or one of other outputs or labels; nothing is changed.
        """
        node = Node(tree)
        now, arrived = node.number("now"), node.number("arrived")
        states = self.check(node)
        registry, notes = None, []
        if self._segments is not None:
            registry = Registry(self._segments, self._keep)
            notes += registry.load(node.node("registry"))
        if slots > (1 if registry is None else registry.size):
            raise StateError(
                f"the state has late truths of {slots:,} segments, but fewer segments;"
                " restore a copy"
            )
        ledgers = self._new_ledgers(registry)
        for output, ledger in ledgers.items():
            notes += ledger.load(states[output], now)
        alarms = self._new_alarms(registry)
        notes += alarms.load(node.node("alarms"))
        self._ledgers, self.now, self._arrived = ledgers, now, arrived
        self.alarms = alarms
        if self.registry is not None and registry is not None:
            self.registry.become(registry)
        return list(dict.fromkeys(notes))

    def merge(self, tree: object) -> Merged:
        """Add the state of another machine, as if all its events had come here.

        Windows that count events start anew: the order of the events of both
        is not known.

        Raises
        ------
        StateError
            As for :meth:`load`; nothing is changed.
        """
        other: SavedBooks = self._alike()
        other.keep(self._keep)
        notes = other.load(tree)
        self.fold()
        self.now = other.now = max(self.now, other.now)
        self._arrived = max(self._arrived, other._arrived)
        to, new = np.zeros(1, dtype=np.intp), np.zeros(0, dtype=np.intp)
        if self.registry is not None and other.registry is not None:
            self.registry.meet(other.registry)
            self._retire(self.now)
            other._retire(self.now)
            to, new = self.registry.merge(other.registry)
        offsets = {}
        for output, ledger in self._ledgers.items():
            theirs = other._ledgers[output]
            if self.registry is not None and self.registry.size > ledger.size:
                ledger.grow(2 * self.registry.size)
            offsets[output] = ledger.total
            for part in (ledger, theirs):
                part.advance(self.now)
            notes += ledger.merge(theirs, to, new)
        if self._watched.are_used:
            self.alarms = self._new_alarms(self.registry)
            notes.append("alarms start anew: in which order the events of both came is not known")
        return Merged(list(dict.fromkeys(notes)), to, offsets)
