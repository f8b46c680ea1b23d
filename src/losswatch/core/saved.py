"""The side of a monitor that is saved, and taken over after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losswatch.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Lock

    from losswatch.core.books import Books
    from losswatch.core.join.desk import Desk

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
            It is not the state of this model, or of other outputs or segments.
        """
        with self._lock:
            if tree.get("model") != self.model:
                raise StateError(
                    f"the state is of {tree.get('model')!r:.60}, not of {self.model!r}"
                )
            try:
                notes = self._books.load(tree["books"])
                self._desk.load(tree["join"])
                self._last_event = tree["last_event"]
            except KeyError as missing:
                detail = f"the state of {self.model!r} has no {missing}; restore a copy"
                raise StateError(detail) from None
        return notes

    def sweep(self, now: float) -> None:
        """Forget predictions and truths that are over; a little at a time."""
        with self._lock:
            self._drain()
            self._desk.sweep(now)
