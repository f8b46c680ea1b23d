"""The service: sources to monitors to /metrics, until it is told to stop."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from losswatch.core.monitors import Monitors
from losswatch.errors import StoreError
from losswatch.prometheus import ConfigStatus, Exposition
from losswatch.service.address import split_address
from losswatch.service.alarm_log import AlarmLog
from losswatch.service.build import make_monitor
from losswatch.service.clock import DayClock
from losswatch.service.doors import make_doors, warn_of_open_doors
from losswatch.service.keeper import Keeper
from losswatch.service.opened import (
    Opened,
    change_sockets,
    close_new,
    inlets_of,
    open_sources,
    reopen_sources,
    resume,
)
from losswatch.service.refusals import RefusalLog
from losswatch.service.reload import changed_monitors, declared_of, loaded, settled
from losswatch.service.status import service_samples
from losswatch.service.systemd import tell_systemd
from losswatch.service.writer import Writer
from losswatch.sources.workers import SocketSource
from losswatch.store.database import Store
from losswatch.web.app import make_app
from losswatch.web.doors import Doors
from losswatch.web.lifecycle import Lifecycle
from losswatch.web.probes import make_probes
from losswatch.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from losswatch.config.model import Config
    from losswatch.web.app import App

__all__ = ["Service"]

logger = logging.getLogger(__name__)

MEMORY = ":memory:"
"""The state that is kept nowhere."""

_RELOAD_SECONDS = 300.0
_PROBES = Doors(connections=64)


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
    load
        Loads the config again; without it the same one is taken.

    Raises
    ------
    ConfigError, ListenError, SourceError, StateError, StoreError
        From :meth:`run`: a file of the section ``web``, an address, a source
        or the state cannot be used.
    """

    def __init__(
        self, config: Config, folder: Path, load: Callable[[], Config] | None = None
    ) -> None:
        self._config = config
        self._folder = folder
        self._load = load or (lambda: config)
        self._wake = Event()
        self._stopped = False
        self._hung_up = False
        self._writer: Writer | None = None
        self._clock = DayClock()
        self._status = ConfigStatus(successful=True, loaded_at=time.time())
        self._opened: list[Opened] = []
        self.monitors = Monitors(make_monitor(each, self._clock) for each in config.monitors)

    def stop(self) -> None:
        """Make :meth:`run` return soon. May be called from a signal handler."""
        self._stopped = True
        if self._writer is not None:
            self._writer.stop()

    def hang_up(self) -> None:
        """Load the config again soon. May be called from a signal handler."""
        self._hung_up = True
        if self._writer is not None:
            self._writer.post(self._reload_if_hung_up)

    def run(self) -> None:
        """Take events and serve the cost until :meth:`stop`."""
        doors = make_doors(self._config.web, self._folder)
        with ExitStack() as stack:
            stack.callback(self._close_sources)
            self._opened = open_sources(self._config, self._folder, self._wake.set)
            self._keeper = self._open_state(stack)
            resume(self._opened, self._keeper.restore())
            refusals, alarms = RefusalLog(time.monotonic), AlarmLog(self.monitors)
            sources = [each.source for each in self._opened]
            self._writer = writer = Writer(sources, self._keeper, refusals, alarms, self._wake)
            self._serve(stack, writer, doors)
            if self._hung_up:
                self.hang_up()
            if not self._stopped:
                tell_systemd("READY=1")
                writer.run()
            tell_systemd("STOPPING=1")
            writer.close()
            _save(self._keeper)

    def _serve(self, stack: ExitStack, writer: Writer, doors: Doors) -> None:
        web, listen = self._config.web, self._config.listen
        warn_of_open_doors(listen, web)
        if web.probe_listen is not None:
            probes = make_probes(lambda: writer.is_ready)
            server = WebServer(probes, *split_address(web.probe_listen), _PROBES)
            stack.enter_context(server)
            logger.info("answering probes at %s", server.url)
        self._exposition = Exposition(
            self.monitors.snapshot,
            self._status,
            lambda: service_samples(
                [each.source for each in self._opened], writable=writer.writable
            ),
        )
        _show(self._exposition, self._opened)
        self._server = WebServer(self._app(writer), *split_address(listen), doors)
        stack.enter_context(self._server)
        stack.callback(writer.close)  # before the server stops: clients who wait get an answer
        logger.info("serving the cost at %smetrics", self._server.url)

    def _app(self, writer: Writer) -> App:
        """Return what is served by the config of now."""
        keeper = self._keeper
        return make_app(
            self._exposition.render,
            self.monitors.snapshot,
            lambda: writer.is_ready,
            lambda *told: writer.ask(partial(keeper.acknowledge, *told)),
            list(inlets_of(self._opened)),
            lifecycle=Lifecycle(
                self._config.web.enable_lifecycle,
                lambda: writer.ask(self._reload, _RELOAD_SECONDS),
            ),
        )

    def _open_state(self, stack: ExitStack) -> Keeper:
        store = None
        if self._config.state == MEMORY:
            logger.info("the state is kept in memory: a restart begins anew; see the key state")
        else:
            store = Store(self._folder / self._config.state)
            stack.callback(store.close)
        return Keeper(self.monitors, store, self._clock, declared_of(self._config))

    def _close_sources(self) -> None:
        for each in self._opened:
            each.source.close()

    def _reload_if_hung_up(self) -> None:
        if self._hung_up:  # of many signals at once, one does
            self._hung_up = False
            self._reload()

    def _reload(self) -> list[str]:
        """Go on by the config as it is now; between two rounds.

        Returns
        -------
        What takes a restart.

        Raises
        ------
        LosswatchError
            It cannot be; all is as before.
        """
        with loaded(self._status):
            config, notes = settled(self._config, self._load())
            self._go_on_by(config)
        for note in notes:
            logger.warning("%s", note)
        return notes

    def _go_on_by(self, config: Config) -> None:
        """Change to another config. What can fail comes first, and is undone."""
        writer, before = self._writer, self._opened
        assert writer is not None
        doors = make_doors(config.web, self._folder, self._server.doors)
        monitors = changed_monitors(self._config, config, self.monitors, self._clock)
        positions = {**self._keeper.positions(), **writer.positions}
        opened = reopen_sources(config, self._folder, self._wake.set, before, positions)
        try:
            self._keeper.change(monitors, declared_of(config))
        except BaseException:
            close_new(opened, before)
            raise
        self._config, self._opened = config, opened
        change_sockets(opened, before)
        writer.change([each.source for each in opened])
        warn_of_open_doors(config.listen, config.web)
        _show(self._exposition, opened)
        self._server.doors = doors
        self._server.app = self._app(writer)


def _show(page: Exposition, opened: Iterable[Opened]) -> None:
    """Show workers the page that is served: each of them may be asked for it."""
    for each in opened:
        if isinstance(each.source, SocketSource):
            each.source.page = page.render


def _save(keeper: Keeper) -> None:
    """Take a snapshot at the end: the next start has no journal to read."""
    try:
        keeper.snapshot()
    except StoreError as error:
        logger.warning("no snapshot of the state at the end: %s; the journal has it all", error)
