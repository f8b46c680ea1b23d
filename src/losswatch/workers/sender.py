"""The thread of a worker that sends, again and again, until what it sent is safe."""

from __future__ import annotations

import logging
import os
from threading import Event, Thread
from typing import TYPE_CHECKING

from losswatch.workers.batches import bodies_of
from losswatch.workers.link import Link

if TYPE_CHECKING:
    from pathlib import Path

    from losswatch.workers.outbox import Cut, Marker, Outbox

__all__ = ["Sender"]

logger = logging.getLogger(__name__)

_INTERVAL = 0.1
"""Seconds that events gather for."""

_PATIENCE = 0.5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class Sender:
    """Sends what an outbox has, as one session.

    A batch has a number and is sent until it is acknowledged, one after
    another, so that the owner knows each that comes again.

    Parameters
    ----------
    path
        The owner's socket.
    model
        Whose events they are.
    outbox
        Where they wait.
    """

    def __init__(self, path: Path, model: str | None, outbox: Outbox) -> None:
        self._path = path
        self._model = model
        self._outbox = outbox
        self._session = os.urandom(8).hex()
        self._number = 0
        self._link: Link | None = None
        self._stop = Event()
        self._away = False
        self._lost = False
        self._thread = Thread(target=self._run, name="losswatch-worker", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether anybody sends."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread, whatever it is at; wait for it a little."""
        self._stop.set()
        self._outbox.ring()
        self._thread.join(_PATIENCE)
        if self._thread.is_alive() and (link := self._link):
            link.wake()
            self._thread.join(_PATIENCE)

    def abandon(self) -> None:
        """Let go of the socket in a forked child, where the thread is not."""
        if self._link is not None:
            self._link.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._outbox.wait(_INTERVAL)
            try:
                while not self._stop.is_set() and (cut := self._outbox.cut()):
                    self._ship(cut)
            except Exception:  # the events that come next are to be sent all the same
                logger.exception("%s: sending goes on", self._path)
        if self._link is not None:
            self._link.say_bye()
            self._link.close()

    def _ship(self, cut: Cut) -> None:
        """Send what was cut; tell its markers, unless all is to end."""
        left = cut.size
        try:
            for events, body in bodies_of(self._model, cut):
                self._number += 1
                if not self._deliver(body, events):
                    logger.warning("%s: %d events were not acknowledged", self._path, left)
                    return
                left -= events
                cut = cut._replace(dropped=0, refused=[])  # it is told once
        except Exception:
            logger.exception("%s: %d events are dropped", self._path, left)
            self._outbox.drop(left)
            self._outbox.give_back(cut)
        self._tell(cut.markers, lost=left > 0)

    def _tell(self, markers: list[Marker], *, lost: bool) -> None:
        """Tell that all before is safe, or lost; also what was lost when nobody asked."""
        self._lost |= lost
        for marker in markers:
            marker.lost = self._lost
            marker.set()
        if markers:
            self._lost = False

    def _deliver(self, body: bytes, events: int) -> bool:
        """Send a batch until it is safe; tell whether it is."""
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                link = self._opened()
                spoilt = "" if link.safe >= self._number else link.deliver(self._number, body)
            except OSError as error:  # a LinkError, or there is no descriptor for a socket
                self._lose(error)
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if spoilt:
                logger.error("%s: %d events are dropped: %s", self._path, events, spoilt)
                self._outbox.drop(events)
                self._lost = True
            return True
        return False

    def _opened(self) -> Link:
        if self._link is None:
            self._link = Link(self._path, self._session)
            self._link.open()
            if self._away:
                logger.info("%s: the owner is there again", self._path)
            self._away = False
        return self._link

    def _lose(self, error: OSError) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        if not self._away and not self._stop.is_set():
            logger.warning("%s; events wait in memory meanwhile", error)
        self._away = True
