"""Serve the cost of monitors over HTTP, from a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.prometheus import ConfigStatus, Exposition
from losswatch.web.app import make_app
from losswatch.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from losswatch.prometheus import Sample
    from losswatch.web.alarms import Acknowledge
    from losswatch.web.api import Inlet

__all__ = ["serve"]


def serve(  # noqa: PLR0913  # all that is served, and where
    monitors: Monitor | Iterable[Monitor] | Monitors,
    *,
    host: str = "127.0.0.1",
    port: int = 18100,
    ready: Callable[[], bool] = lambda: True,
    config: ConfigStatus | None = None,
    inlets: Sequence[Inlet] = (),
    more: Callable[[], Iterable[Sample]] = tuple,
    acknowledge: Acknowledge | None = None,
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
    config
        Exported if given.
    inlets
        Where events can be sent to.
    more
        Returns further samples to export.
    acknowledge
        Turns an alarm of a model off; if not given, the monitors do.

    Returns
    -------
    The running server; ``stop()`` it, or use it in a ``with`` block.

    Raises
    ------
    ListenError
        The address cannot be listened on.
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
    exposition = Exposition(monitors.snapshot, config, more)
    app = make_app(
        exposition.render, monitors.snapshot, ready, acknowledge or monitors.acknowledge, inlets
    )
    return WebServer(app, host, port)
