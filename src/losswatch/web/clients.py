"""All clients of a server: how many there are, and which of them has to go."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.web.connection import Connection
    from losswatch.web.doors import Doors

__all__ = ["Clients"]

logger = logging.getLogger(__name__)

_MOST_UNSENT = 1 << 28
"""Bytes of answers that slow readers may hold together."""

_LONGEST_PERIOD = 1.0
_TELL_SECONDS = 10.0


class Clients:
    """The connections of one server. For the thread of its event loop.

    Parameters
    ----------
    doors
        Returns what is asked of clients now.
    """

    def __init__(self, doors: Callable[[], Doors]) -> None:
        self._doors = doors
        self._all: set[Connection] = set()
        self._looking: asyncio.TimerHandle | None = None
        self._told = -_TELL_SECONDS
        self._untold = 0

    @property
    def doors(self) -> Doors:
        """What is asked of clients now."""
        return self._doors()

    def add(self, client: Connection) -> bool:
        """Let one in, if need be in the place of another; tell whether that was possible."""
        if len(self._all) >= self.doors.connections and not self._make_room():
            return False
        self._all.add(client)
        if self._looking is None:
            self._look_later()
        return True

    def discard(self, client: Connection) -> None:
        """Learn that one is gone."""
        self._all.discard(client)

    def refused(self, client: Connection, reason: str) -> None:
        """Log that one was not let in, and of those that come soon after how many they are."""
        now = client.loop.time()
        if now - self._told < _TELL_SECONDS:
            self._untold += 1
            if self._looking is None:
                self._look_later()
            return
        peer = (client.address or ["somewhere"])[0]
        logger.warning("a client at %s was refused: %s", peer, reason)
        self._told = now

    def _tell_rest(self, now: float) -> None:
        if self._untold and now - self._told >= _TELL_SECONDS:
            logger.warning("so were %d more clients in %.0f s", self._untold, now - self._told)
            self._told, self._untold = now, 0

    def _make_room(self) -> bool:
        """Cut who has been silent for longest, or else who reads the slowest.

        Nobody who waits for an answer.
        """
        waiting = [client for client in self._all if client.is_waiting]
        waiting = waiting or [client for client in self._all if client.is_sent_to]
        if not waiting:
            return False
        longest = min(waiting, key=lambda client: client.since)
        self._all.discard(longest)
        longest.cut()
        return True

    def _look_later(self) -> None:
        period = min(_LONGEST_PERIOD, self.doors.seconds / 4)
        self._looking = asyncio.get_running_loop().call_later(period, self._look)

    def _look(self) -> None:
        """Cut who does not get on, and who holds too much."""
        self._looking = None
        now = asyncio.get_running_loop().time()
        self._tell_rest(now)
        for client in list(self._all):
            client.look(now, self.doors.seconds)
        senders = sorted(self._all, key=lambda client: client.since)
        unsent = sum(client.unsent for client in senders)
        for client in senders:
            if unsent <= _MOST_UNSENT:
                break
            unsent -= client.unsent
            if client.unsent:
                client.cut()
        if self._all or self._untold:
            self._look_later()
