"""How far each worker's batches were counted, so that one that comes again counts once."""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from losswatch.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from losswatch.sources.base import Position

__all__ = ["Sessions"]

_REMEMBERED_SECONDS = 3600.0
"""So long a session is known that is not connected; a worker tries again every two seconds."""

_RETURN_SECONDS = 60.0
"""So long after a start no session of before is one too many: nobody is connected yet."""

_MOST = 1000
"""Sessions that are known and not connected: they are written with each commit."""


class Sessions:
    """The last number of each session that is in the state for good. Thread-safe.

    A session that says goodbye is forgotten at once. One whose process was
    killed is forgotten an hour after it was last here, of the owner's own time:
    while no owner runs none is.

    Parameters
    ----------
    clock
        Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._safe: dict[str, int] = {}
        self._seen: dict[str, float] = {}
        self._returning: frozenset[str] = frozenset()
        self._connected: Counter[str] = Counter()

    @property
    def connected(self) -> int:
        """How many sessions are connected now."""
        with self._lock:
            return len(self._connected)

    def is_connected(self, session: str) -> bool:
        """Tell whether a session has a connection now."""
        with self._lock:
            return session in self._connected

    def resume(self, position: Position, name: str) -> None:
        """Go on with what the state has.

        Raises
        ------
        SourceError
            It is no position of a socket.
        """
        sessions = position.get("sessions")
        right = isinstance(sessions, dict) and all(
            type(number) is int and number >= 0 for number in sessions.values()
        )
        if not right:
            raise SourceError(f"{name}: the state has {position!r:.120}, no position of a socket")
        with self._lock:
            self._safe = dict(position["sessions"])
            self._seen = dict.fromkeys(self._safe, self._clock())
            self._returning = frozenset(self._safe)

    def last(self, session: str) -> int:
        """Return the last number that is safe; 0 of a session not known."""
        with self._lock:
            return self._safe.get(session, 0)

    def enter(self, session: str) -> None:
        """Learn that a session has connected."""
        with self._lock:
            self._connected[session] += 1

    def leave(self, session: str) -> None:
        """Learn that a connection of a session has ended."""
        with self._lock:
            self._connected[session] -= 1
            if not self._connected[session]:
                del self._connected[session]
            if session in self._safe:
                self._seen[session] = self._clock()

    def forget(self, session: str) -> None:
        """Learn that nothing of a session will come again."""
        with self._lock:
            self._safe.pop(session, None)
            self._seen.pop(session, None)

    def commit(self, numbers: Mapping[str, int]) -> None:
        """Learn which numbers are safe now."""
        with self._lock:
            self._safe.update(numbers)
            self._seen.update(dict.fromkeys(numbers, self._clock()))

    def position(self, numbers: Mapping[str, int]) -> Position:
        """Return what the state is to have once ``numbers`` are safe."""
        with self._lock:
            self._sweep()
            return {"sessions": {**self._safe, **numbers}}

    def _sweep(self) -> None:
        now = self._clock()
        gone = [session for session in self._safe if session not in self._connected]
        gone.sort(key=self._seen.__getitem__)
        many = [session for session in gone if not self._may_return(session, now)]
        old = [session for session in gone if self._seen[session] < now - _REMEMBERED_SECONDS]
        for session in {*many[: max(0, len(many) - _MOST)], *old}:
            del self._safe[session], self._seen[session]

    def _may_return(self, session: str, now: float) -> bool:
        """Tell whether a worker may be on its way back to an owner that has just begun."""
        return session in self._returning and self._seen[session] > now - _RETURN_SECONDS
