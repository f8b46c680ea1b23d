"""The service: sources to monitors to /metrics, until it is told to stop."""

from __future__ import annotations

import logging
import time
from threading import Event
from typing import TYPE_CHECKING

from losswatch.config.model import labels_of
from losswatch.core.monitors import Monitors
from losswatch.errors import SourceError
from losswatch.prometheus import ConfigStatus
from losswatch.service.address import split_address
from losswatch.service.build import make_monitor, make_source
from losswatch.service.ingest import Ingest
from losswatch.service.refusals import RefusalLog
from losswatch.service.serve import serve

if TYPE_CHECKING:
    from pathlib import Path

    from losswatch.config.model import Config, SourceConfig
    from losswatch.sources.base import Source

__all__ = ["Service"]

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.05
"""How long to wait when no source has anything: the delay of a followed line."""


class Service:
    """Runs one config.

    When all sources have ended it goes on serving: a scraper may not have
    seen the last events yet.

    Parameters
    ----------
    config
        What to watch.
    folder
        Paths of files are taken from here.

    Raises
    ------
    ListenError, SourceError
        From :meth:`run`: an address or a file cannot be used.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._stop = Event()
        self._ready = False
        self.monitors = Monitors(make_monitor(monitor, time.time) for monitor in config.monitors)

    def stop(self) -> None:
        """Make :meth:`run` return soon. May be called from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Take events and serve the cost until :meth:`stop`."""
        host, port = split_address(self._config.listen)
        status = ConfigStatus(successful=True, loaded_at=time.time())
        with serve(
            self.monitors, host=host, port=port, ready=lambda: self._ready, config=status
        ) as server:
            logger.info("serving the cost at %smetrics", server.url)
            sources = [self._make_source(source) for source in self._config.sources]
            try:
                self._take_all(sources)
            finally:
                self._ready = False
                for source in sources:
                    source.close()

    def _make_source(self, config: SourceConfig) -> Source:
        """Make a source that never blocks the others: no pipe and no directory."""
        path = self._folder / config.file
        if config.file != "-" and path.exists() and not path.is_file():
            raise SourceError(
                f"{path}: is no regular file; a pipe can be standard input: file: '-'"
            )
        monitors = self._config.monitors
        timed = any(monitor.timed for monitor in monitors)
        return make_source(config, self._folder, labels_of(monitors), timed=timed)

    def _take_all(self, sources: list[Source]) -> None:
        refusals = RefusalLog(time.monotonic)
        ingest = Ingest(self.monitors, refusals, time.time)
        active = list(sources)
        self._ready = True
        while not self._stop.is_set():
            lines = sum(self._take_from(source, active, ingest) for source in list(active))
            refusals.tick()
            if not lines:
                self._stop.wait(_IDLE_SECONDS)
        refusals.flush()

    def _take_from(self, source: Source, active: list[Source], ingest: Ingest) -> int:
        """Take one batch; a source that ended or broke is not asked again."""
        try:
            batch = source.next_batch()
        except SourceError as error:
            logger.error("%s; this source is given up", error)
            batch = None
        if batch is None:
            active.remove(source)
            source.close()
            logger.info("%s has ended%s", source.name, "" if active else "; still serving")
            return 0
        ingest.take(source.name, batch)
        return batch.lines
