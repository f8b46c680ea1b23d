"""The side of a monitor that is saved, and taken over after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losswatch.core.tree import Node
from losswatch.errors import Reason, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Lock

    from losswatch.core.books import Books
    from losswatch.core.join.desk import Desk
    from losswatch.core.monitor import Monitor

__all__ = ["Saved"]


class Saved:
    """Dumps and loads the state of a monitor. Thread-safe; for a monitor to inherit.

    State is what a restart must not lose: costs, windows, segments, and the
    records of the join. What Prometheus counts is of one process, and is not.
    """

    model: str
    _lock: Lock
    _desk: Desk
    _books: Books
    _last_event: float | None
    _drain: Callable[[], None]

    def dump(self) -> dict[str, Any]:
        """Return the state: texts, numbers and arrays."""
        with self._lock:
            self._drain()
            return {
                "model": self.model,
                "last_event": self._last_event,
                "books": self._books.dump(),
                "join": self._desk.dump(),
            }

    def load(self, tree: Mapping[str, Any]) -> list[str]:
        """Take over a state; nothing may have been counted yet.

        Returns
        -------
        What of it does not fit these windows, for people.

        Raises
        ------
        StateError
            It is not the state of this model, or of other outputs or segments;
            nothing is changed.
        """
        node = Node(tree)
        model = node.node("model").tree
        if model != self.model:
            raise StateError(f"the state is of {model!r:.60}, not of {self.model!r}")
        last_event = node.time("last_event")
        with self._lock:
            self._books.check(node.node("books"))  # at first: it tells best what differs
            slots, take_over = self._desk.read(node.node("join"))
            notes = self._books.load(node.node("books").tree, slots)
            take_over()  # what is wrong was found by now
            self._last_event = last_event
        return notes

    def merge(self, other: Monitor) -> list[str]:
        """Add all that another monitor of this model has seen; the other is used up.

        Exact: as if all events had come here. What both have seen, by its id,
        counts once; predictions and truths that wait on both sides are joined.
        Windows that count events start anew, their order is not known.

        Returns
        -------
        What could not be merged, for people.

        Raises
        ------
        StateError
            The other has other outputs or other segments; nothing is changed.
        """
        with self._lock:
            self._drain()
            other._drain()  # noqa: SLF001  # of the same kind
            add_records = self._desk.merge(other._desk)  # noqa: SLF001
            merged = self._books.merge(other._books.dump())  # noqa: SLF001
            taken = add_records(merged)
            times = (self._last_event, other._last_event)  # noqa: SLF001
            seen = [at for at in times if at is not None]
            self._last_event = max(seen, default=None)
        refused = [r for r in taken.rejected if r.reason is not Reason.OUTDATED_TRUTH]
        return [*merged.notes, *(f"{r.detail} ({r.reason})" for r in refused)]

    def sweep(self, now: float) -> None:
        """Forget predictions and truths that are over; a little at a time."""
        with self._lock:
            self._drain()
            self._desk.sweep(now)
