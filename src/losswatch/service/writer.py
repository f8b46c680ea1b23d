"""The one loop that counts: what the sources have is made safe, then counted, then settled."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from losswatch.errors import LosswatchError, SourceError, StoreError
from losswatch.service.round import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from threading import Event

    from losswatch.service.alarm_log import AlarmLog
    from losswatch.service.keeper import Keeper
    from losswatch.service.refusals import RefusalLog
    from losswatch.sources.base import Batch, Outcome, Position, Source

__all__ = ["Writer"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.05
"""How long to wait when no source has anything: the delay of a followed line."""

_REST_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_ASK_SECONDS = 10.0


class Writer:
    """Takes from all sources in turn, until it is told to stop.

    All that they have at a moment is one commit, so that the more comes, the
    less of it is syncing. While the state cannot be written nothing is
    counted, and nothing is lost: see :meth:`Source.failed`.

    Parameters
    ----------
    sources
        Where events come from.
    keeper
        Makes rounds safe and counts them.
    refusals, alarms
        Where refusals and alarms are logged.
    wake
        Set by whoever has something, or wants to stop.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        keeper: Keeper,
        refusals: RefusalLog,
        alarms: AlarmLog,
        wake: Event,
    ) -> None:
        self.writable = True
        self._sources: Sequence[Source] = list(sources)
        self._active = list(self._sources)
        self._keeper = keeper
        self._refusals = refusals
        self._alarms = alarms
        self._wake = wake
        self._again: dict[str, Batch] = {}
        self._positions: dict[str, Position] = {}
        self._stopped = False
        self._running = False
        self._rested = time.monotonic()
        self._asked: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()

    @property
    def is_ready(self) -> bool:
        """Whether what comes now is counted."""
        return self._running and self.writable

    @property
    def positions(self) -> dict[str, Position]:
        """Where the sources stand that moved; of this process alone."""
        return dict(self._positions)

    def stop(self) -> None:
        """Make :meth:`run` return soon. May be called from a signal handler.

        So it sets nothing that has a lock: the thread that it interrupts may
        hold it.
        """
        self._stopped = True

    def post(self, call: Callable[[], object]) -> None:
        """Have something done soon, between two rounds. May be called from a signal handler."""
        self._asked.put((call, Future()))

    def ask(self, call: Callable[[], T], seconds: float = _ASK_SECONDS) -> T:
        """Have something done between two rounds; return what it returned, or raise so.

        Raises
        ------
        StoreError
            The service stops, or is too busy.
        """
        future: Future[T] = Future()
        self._asked.put((call, future))
        self._wake.set()
        if not self._running:
            self._refuse_asked()
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise StoreError(f"no answer within {seconds:g} s; try again") from None

    def change(self, sources: Sequence[Source]) -> None:
        """Take from these from now on; call it between two rounds.

        One that was there before goes on, or stays ended; one that is not
        there any more is closed.
        """
        gone = [source for source in self._sources if source not in sources]
        for source in gone:
            source.close()
            self._again.pop(source.name, None)  # its position is before that batch
        new = [source for source in sources if source not in self._sources]
        kept = [source for source in self._active if source in sources]
        self._sources, self._active = list(sources), [*kept, *new]

    def run(self) -> None:
        """Count what comes until :meth:`stop`."""
        self._running = True
        while not self._stopped:
            self._wake.clear()
            self._answer()
            parts = [
                (source, batch) for source in list(self._active) if (batch := self._ask(source))
            ]
            if parts:
                self._count(Round(parts))
            self._refusals.tick()
            if time.monotonic() - self._rested >= _REST_SECONDS:
                self._rest()
            if not parts:
                self._wake.wait(_IDLE_SECONDS)
            elif not self.writable:
                self._wake.wait(_RETRY_SECONDS)
        self.close()
        self._refusals.flush()
        self._alarms.tick()

    def close(self) -> None:
        """Let go of the sources: those who wait for an answer get one. Safe to call twice."""
        self._running = False
        for source in self._active:
            source.close()
        self._refuse_asked()

    def _answer(self) -> None:
        """Do what was asked for."""
        while not self._asked.empty():
            call, future = self._asked.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except (KeyError, LosswatchError) as error:
                future.set_exception(error)

    def _refuse_asked(self) -> None:
        while not self._asked.empty():
            self._asked.get()[1].set_exception(StoreError("the service stops; ask again later"))

    def _ask(self, source: Source) -> Batch | None:
        """Return what a source has, if anything; one that ended or broke is not asked again."""
        if source.name in self._again:
            return self._again.pop(source.name)
        try:
            batch = source.next_batch()
        except SourceError as error:
            logger.error("%s; this source is given up", error)
            batch = None
        if batch is None:
            self._active.remove(source)
            source.close()
            logger.info("%s has ended%s", source.name, "" if self._active else "; still serving")
            return None
        moved = batch.position is not None and batch.position != self._positions.get(source.name)
        return batch if batch.lines or moved else None

    def _count(self, batches: Round) -> None:
        try:
            outcomes = self._keeper.take(batches)
        except StoreError as error:
            self._fail(batches, str(error))
            return
        self._is_writable()
        self._positions |= batches.positions
        for (source, batch), outcome in zip(batches.parts, outcomes, strict=True):
            self._settle(source, batch, outcome)

    def _settle(self, source: Source, batch: Batch, outcome: Outcome) -> None:
        for refusal in batch.refused:
            self._keeper.monitors.reject(refusal.reason, model=refusal.model)
        for refusal in outcome.refused:
            self._refusals.add(source.name, refusal)
        source.committed(outcome)

    def _fail(self, batches: Round, reason: str) -> None:
        if self.writable:
            logger.error("%s; nothing is counted until the state can be written", reason)
        self.writable = False
        for source, batch in batches.parts:
            if source.failed(reason):
                self._again[source.name] = batch

    def _is_writable(self) -> None:
        if not self.writable:
            logger.info("the state can be written again")
        self.writable = True

    def _probe(self) -> None:
        """See whether the state can be written: who is not ready may be sent nothing."""
        with suppress(StoreError):
            self._keeper.probe()
            self._is_writable()

    def _rest(self) -> None:
        self._rested = time.monotonic()
        self._alarms.tick()
        if not self.writable and not self._again:
            self._probe()
        try:
            self._keeper.rest()
        except StoreError as error:
            logger.error("no snapshot of the state: %s; the journal goes on", error)
