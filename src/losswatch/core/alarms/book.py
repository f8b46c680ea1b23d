"""All alarms of a model."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from losswatch.core.alarms.bound import LowerBound
from losswatch.core.alarms.correlation import Correlation, advised_block
from losswatch.core.alarms.watch import Watch
from losswatch.core.tree import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from losswatch.core.alarms.latch import Change
    from losswatch.core.alarms.settings import Alarm
    from losswatch.core.alarms.watch import WatchReading
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes, Scored
    from losswatch.core.tree import Tree

__all__ = ["AlarmBook", "AlarmSettings", "AlarmsReading"]


@dataclass(frozen=True)
class AlarmSettings:
    """What a monitor is asked to watch for."""

    alarms: tuple[Alarm, ...] = ()
    max_rmse: float | None = None
    model_version: str = ""

    @property
    def are_used(self) -> bool:
        """Whether there is anything to do for an event."""
        return bool(self.alarms) or self.max_rmse is not None


@dataclass(frozen=True)
class AlarmsReading:
    """What all alarms of a model show at a moment, and what an output is known of."""

    watches: tuple[WatchReading, ...] = ()
    objective_mse: float | None = None
    lower_bound: Mapping[str, float] = field(default_factory=dict)  # of the MSE, by output
    correlation: Mapping[str, float] = field(default_factory=dict)  # in events, by output


class AlarmBook:
    """The alarms of a model, on all outputs that they watch. Not thread-safe.

    Parameters
    ----------
    settings
        What was declared.
    outputs
        The names of the outputs.
    size
        How many slots there are.
    """

    def __init__(self, settings: AlarmSettings, outputs: Sequence[str], size: int) -> None:
        self.settings = settings
        self._size = size
        self._watches: dict[str, list[Watch]] = {output: [] for output in outputs}
        for alarm in settings.alarms:
            watched = outputs if alarm.output is None else [alarm.output]
            for output in watched:
                self._watches[output].append(Watch(alarm, output, size, len(watched)))
        self._bounds = {output: LowerBound() for output in outputs}
        self._correlations = {output: Correlation() for output in outputs}

    def add(self, output: str, events: Scored, clock: Floats) -> None:
        """Add events in the order of their arrival, with the clock when each came."""
        if not self.settings.are_used or not len(events):
            return
        loss = events.error * events.error
        for watch in self._watches[output]:
            watch.add(events, loss, clock)
        self._bounds[output].add(loss, events.w, clock)
        self._correlations[output].add(events.error, clock)

    def read(self, now: float, slots: Indexes) -> AlarmsReading:
        """Return what alarms show at a time, of these slots."""
        limit = self.settings.max_rmse
        if not self.settings.are_used:
            return AlarmsReading()
        return AlarmsReading(
            watches=tuple(watch.read(now, slots) for watch in self._all()),
            objective_mse=None if limit is None else limit * limit,
            lower_bound={output: bound.mse for output, bound in self._bounds.items()},
            correlation={output: each.events for output, each in self._correlations.items()},
        )

    def reset(self, name: str, now: float, slots: Indexes | None = None) -> int:
        """Turn an alarm off and let it begin anew; return in how many streams it was on."""
        watches = [watch for watch in self._all() if watch.alarm.name == name]
        return sum(watch.reset(now, slots) for watch in watches)

    @property
    def size(self) -> int:
        """How many slots there are."""
        return self._size

    @property
    def names(self) -> list[str]:
        """The names of the alarms."""
        return [alarm.name for alarm in self.settings.alarms]

    def changes(self) -> Iterator[tuple[Watch, Change]]:
        """Yield what went on or off since it was asked last."""
        for watch in self._all():
            for change in watch.changes():
                yield watch, change

    def advice(self) -> Iterator[tuple[str, float, int]]:
        """Yield alarms of whole outputs: name, events of a block, and how many it should have.

        As far as that is known: see :class:`Correlation`.
        """
        for watch in self._all():
            memory = self._correlations[watch.output].events
            if not (watch.alarm.per_segment or math.isnan(memory + watch.mean_block)):
                yield watch.alarm.name, watch.mean_block, advised_block(memory)

    def grow(self, size: int) -> None:
        """Make room for more slots."""
        self._size = size
        for watch in self._all():
            watch.grow(size)

    def clear(self, slots: Indexes) -> None:
        """Forget some slots."""
        for watch in self._all():
            watch.clear(slots)

    def dump(self) -> Tree:
        """Return its state, nothing if there are no alarms."""
        if not self.settings.are_used:
            return None
        watches: list[Tree] = [
            {"declared": _declared(watch), "state": watch.dump()} for watch in self._all()
        ]
        return {
            "model_version": self.settings.model_version,
            "size": self._size,
            "watches": watches,
            "bounds": {output: bound.dump() for output, bound in self._bounds.items()},
            "correlations": {output: each.dump() for output, each in self._correlations.items()},
        }

    def load(self, node: Node) -> list[str]:
        """Continue from a state, while it is empty; return notes for the log.

        Alarms that are declared otherwise than before start anew, and so do
        all if the model has another version.

        Raises
        ------
        StateError
            It is no such state.
        """
        if node.tree is None or not self.settings.are_used:
            return []
        version = node.node("model_version").tree
        if version != self.settings.model_version:
            now = self.settings.model_version
            return [f"the version of the model is {now!r}, it was {version!r}: alarms start anew"]
        self.grow(max(self._size, node.whole("size")))
        states = dict(map(_known, node.node("watches").rows()))
        notes = []
        for watch in self._all():
            state = states.get(_declared(watch))
            if state is None:
                notes.append(f"the alarm {watch.alarm.name} is new or was declared otherwise")
            else:
                watch.load(Node(state, f"{node.path}.{watch.alarm.name}"))
        for output, bound in self._bounds.items():
            bound.load(node.node("bounds").node(output))
            self._correlations[output].load(node.node("correlations").node(output))
        return notes

    def _all(self) -> Iterator[Watch]:
        for watches in self._watches.values():
            yield from watches


def _declared(watch: Watch) -> str:
    """Return what tells whether two alarms watch the same in the same way."""
    return f"{watch.output}: {watch.alarm!r}"


def _known(row: object) -> tuple[str, object]:
    node = Node(row, "state.alarms.watches")
    return str(node.node("declared").tree), node.node("state").tree
