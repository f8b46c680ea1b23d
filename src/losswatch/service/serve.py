"""Serve the cost of monitors over HTTP, from a thread of its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.prometheus import Exposition
from losswatch.service.address import is_of_this_machine
from losswatch.web.app import make_app
from losswatch.web.server import WebServer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from losswatch.web.doors import Doors

__all__ = ["serve"]


def serve(
    monitors: Monitor | Iterable[Monitor] | Monitors,
    *,
    host: str = "127.0.0.1",
    port: int = 18100,
    ready: Callable[[], bool] = lambda: True,
    web_config: str | os.PathLike[str] | None = None,
) -> WebServer:
    """Serve ``/metrics``, the probes and a landing page.

    Answers from its own thread; a scrape reads a consistent snapshot and never
    waits for more than one update.

    Parameters
    ----------
    monitors
        One monitor, several, or a collection that may still grow.
    host, port
        Where to listen; port 0 takes a free one.
    ready
        What ``/-/ready`` tells.
    web_config
        Path of a file as exporter-toolkit has it: TLS, passwords, headers. Certificates are
        read again when they change. Without it everybody who reaches the address can read the
        cost and turn alarms off, which is logged where that is not this machine alone.

    Returns
    -------
    The running server; ``stop()`` it, or use it in a ``with`` block.

    Raises
    ------
    ListenError
        The address cannot be listened on.
    ConfigError
        ``web_config`` cannot be used.
    TypeError
        One of the monitors is none.

    Examples
    --------
    >>> import urllib.request
    >>> import losswatch
    >>> monitor = losswatch.Monitor("eta")
    >>> monitor.update(10, 12)
    4.0
    >>> with losswatch.serve(monitor, port=0) as server:
    ...     page = urllib.request.urlopen(server.url + "metrics").read().decode()
    >>> [line for line in page.splitlines() if line.startswith("losswatch_mse")]
    ['losswatch_mse{model="eta",window="lifetime"} 4.0']
    """
    if isinstance(monitors, Monitor):
        monitors = [monitors]
    if not isinstance(monitors, Monitors):
        monitors = Monitors(monitors)
    exposition = Exposition(monitors.snapshot)
    app = make_app(exposition.render, monitors.snapshot, ready, monitors.acknowledge)
    if web_config is None and is_of_this_machine(host):
        return WebServer(app, host, port)
    return _guarded(partial(WebServer, app, host, port), web_config)


def _guarded(
    start: Callable[[Doors], WebServer], web_config: str | os.PathLike[str] | None
) -> WebServer:
    """Serve as a file says, or say that there is none."""
    # Only here, as they load pydantic.
    from losswatch.config.load import load_web_file  # noqa: PLC0415
    from losswatch.config.model import WebConfig  # noqa: PLC0415
    from losswatch.service.doors import make_doors, warn_of_open_doors  # noqa: PLC0415

    config = WebConfig()
    if web_config is not None:
        config = config.with_file(load_web_file(Path(web_config)))
    server = start(make_doors(config, Path()))
    warn_of_open_doors(server.address, config)
    return server
