"""Whether an alarm is on: it stays so until it is cleared, so that one fault is one alarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.windows.slots import grown

if TYPE_CHECKING:
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["Change", "Latch"]

_MOST_CHANGES = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm of a stream went on or off.

    ``time`` is when, in seconds since 1970, ``events`` how many events the
    stream had by then, and ``since_change`` how many of them came after what
    seems to be the moment of the change (``None`` where that is not known).
    """

    stream: int
    severity: str
    raised: bool
    time: float
    events: int
    since_change: int | None = None


class Latch:
    """The alarms of many streams, each at several severities. Not thread-safe.

    Parameters
    ----------
    severities
        Their names, the lowest first.
    size
        How many streams there are.
    """

    def __init__(self, severities: tuple[str, ...], size: int) -> None:
        self.severities = severities
        self.active = np.zeros((size, len(severities)), dtype=bool)
        self.raised = np.zeros((size, len(severities)), dtype=np.int64)  # in this process
        self.since = np.zeros(size)
        self.fresh = np.zeros(size, dtype=bool)  # raised within the block that is open
        self.spent = np.zeros(size, dtype=bool)  # and turned off since: the block does not count
        self.calm = np.zeros(size, dtype=np.int64)  # events when there was no evidence yet
        self.begun = np.zeros(size, dtype=np.int64)  # the same, when the alarm went on
        self.changes: list[Change] = []

    def set(self, stream: int, severity: int, time: float, events: int) -> None:
        """Turn an alarm on."""
        self.active[stream, severity] = True
        self.raised[stream, severity] += 1
        if severity == 0:
            self.since[stream] = time
            self.begun[stream] = min(int(self.calm[stream]), events)
            self.fresh[stream] = True
        change = events - int(self.begun[stream])
        name = self.severities[severity]
        self._note(Change(stream, name, raised=True, time=time, events=events, since_change=change))

    def reset(self, stream: int, time: float, events: int) -> None:
        """Turn the alarms of a stream off."""
        for severity in np.flatnonzero(self.active[stream]).tolist():
            name = self.severities[severity]
            self._note(Change(stream, name, raised=False, time=time, events=events))
        self.spent[stream] |= self.fresh[stream]
        self.active[stream] = self.fresh[stream] = False
        self.calm[stream] = events

    def drain(self) -> list[Change]:
        """Return what changed since it was asked last, in the order of time."""
        changes, self.changes = self.changes, []
        return sorted(changes, key=lambda change: (change.time, change.stream))

    def grow(self, size: int) -> None:
        """Make room for more streams."""
        for name in ("active", "raised", "since", "fresh", "spent", "calm", "begun"):
            setattr(self, name, grown(getattr(self, name), size))

    def clear(self, streams: Indexes) -> None:
        """Forget some streams."""
        for name in ("active", "raised", "since", "fresh", "spent", "calm", "begun"):
            getattr(self, name)[streams] = 0

    def dump(self) -> Tree:
        """Return its state; how often alarms were raised is of one process, and not of it."""
        return {
            "active": self.active.ravel(),
            "since": self.since,
            "fresh": self.fresh,
            "spent": self.spent,
            "calm": self.calm,
            "begun": self.begun,
        }

    def load(self, node: Node) -> None:
        """Continue from a state of as many streams."""
        size = self.since.size
        self.active = node.flags("active", self.active.size).reshape(self.active.shape)
        self.fresh, self.spent = node.flags("fresh", size), node.flags("spent", size)
        self.since = node.floats("since", size)
        self.calm, self.begun = node.ints("calm", size), node.ints("begun", size)

    def _note(self, change: Change) -> None:
        if len(self.changes) >= _MOST_CHANGES:  # nobody asks
            del self.changes[: _MOST_CHANGES // 2]
        self.changes.append(change)
