"""The service: sources to monitors to /metrics, until it is told to stop."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from losswatch.config.model import labels_of
from losswatch.core.monitors import Monitors
from losswatch.errors import SourceError, StoreError
from losswatch.prometheus import ConfigStatus, Exposition
from losswatch.service.address import split_address
from losswatch.service.alarm_log import AlarmLog
from losswatch.service.build import make_monitor, make_source
from losswatch.service.clock import DayClock
from losswatch.service.keeper import Keeper
from losswatch.service.refusals import RefusalLog
from losswatch.service.serve import serve
from losswatch.service.status import service_samples
from losswatch.service.writer import Writer
from losswatch.sources.http import HttpSource
from losswatch.sources.workers import SocketSource
from losswatch.store.database import Store
from losswatch.web.api import Inlet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from losswatch.config.model import Config, SourceConfig
    from losswatch.sources.base import Source

__all__ = ["Service"]

logger = logging.getLogger(__name__)

MEMORY = ":memory:"
"""The state that is kept nowhere."""


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
    ListenError, SourceError, StateError, StoreError
        From :meth:`run`: an address, a file or the state cannot be used.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._wake = Event()
        self._stopped = False
        self._writer: Writer | None = None
        self._clock = DayClock()
        self.monitors = self._make_monitors()

    def stop(self) -> None:
        """Make :meth:`run` return soon. May be called from a signal handler."""
        self._stopped = True
        if self._writer is not None:
            self._writer.stop()

    def run(self) -> None:
        """Take events and serve the cost until :meth:`stop`."""
        with ExitStack() as stack:
            sources = self._make_sources(stack)
            keeper = self._open_state(stack)
            positions = keeper.restore()
            for source in sources:
                if source.name in positions:
                    source.resume(positions[source.name])
            refusals, alarms = RefusalLog(time.monotonic), AlarmLog(self.monitors)
            writer = Writer(sources, keeper, refusals, alarms, self._wake)
            self._writer = writer
            self._serve(stack, sources, writer, keeper)
            if not self._stopped:
                writer.run()
            writer.close()
            _save(keeper)

    def _serve(
        self, stack: ExitStack, sources: list[Source], writer: Writer, keeper: Keeper
    ) -> None:
        host, port = split_address(self._config.listen)
        config = ConfigStatus(successful=True, loaded_at=time.time())
        more = lambda: service_samples(sources, writable=writer.writable)  # noqa: E731  # of two
        _show(Exposition(self.monitors.snapshot, config, more), sources)
        server = serve(
            self.monitors,
            host=host,
            port=port,
            ready=lambda: writer.is_ready,
            config=config,
            inlets=list(_inlets(self._config.sources, sources)),
            more=more,
            acknowledge=lambda *told: writer.ask(partial(keeper.acknowledge, *told)),
        )
        stack.enter_context(server)
        stack.callback(writer.close)  # before the server stops: clients who wait get an answer
        logger.info("serving the cost at %smetrics", server.url)

    def _make_monitors(self) -> Monitors:
        return Monitors(make_monitor(monitor, self._clock) for monitor in self._config.monitors)

    def _open_state(self, stack: ExitStack) -> Keeper:
        store = None
        if self._config.state == MEMORY:
            logger.info("the state is kept in memory: a restart begins anew; see the key state")
        else:
            store = Store(self._folder / self._config.state)
            stack.callback(store.close)
        declared = {monitor.model: monitor.model_dump_json() for monitor in self._config.monitors}
        return Keeper(self.monitors, store, self._clock, declared)

    def _make_sources(self, stack: ExitStack) -> list[Source]:
        monitors, sources = self._config.monitors, []
        timed = any(monitor.timed for monitor in monitors)
        for config in self._config.sources:
            self._refuse_pipe(config)
            source = make_source(
                config, self._folder, labels_of(monitors), timed=timed, wake=self._wake.set
            )
            stack.callback(source.close)
            sources.append(source)
        return sources

    def _refuse_pipe(self, config: SourceConfig) -> None:
        """Refuse a file that would block the other sources: a pipe or a directory."""
        if config.file is None or config.file == "-":
            return
        path = self._folder / config.file
        if path.exists() and not path.is_file():
            raise SourceError(
                f"{path}: is no regular file; a pipe can be standard input: file: '-'"
            )


def _inlets(configs: list[SourceConfig], sources: list[Source]) -> Iterator[Inlet]:
    for config, source in zip(configs, sources, strict=True):
        if config.http is not None and isinstance(source, HttpSource):
            yield Inlet(config.http.path, source, config.http.max_body_bytes)


def _show(page: Exposition, sources: list[Source]) -> None:
    """Show workers the page that is served: each of them may be asked for it."""
    for source in sources:
        if isinstance(source, SocketSource):
            source.page = page.render


def _save(keeper: Keeper) -> None:
    """Take a snapshot at the end: the next start has no journal to read."""
    try:
        keeper.snapshot()
    except StoreError as error:
        logger.warning("no snapshot of the state at the end: %s; the journal has it all", error)
