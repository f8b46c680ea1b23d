"""The monitors of this process and the one server that shows them all.

Process-wide on purpose: two models in one process belong on one page.
"""

from __future__ import annotations

import logging
import os
from threading import Lock
from typing import TYPE_CHECKING

from losswatch.core.monitors import Monitors
from losswatch.errors import ListenError
from losswatch.service.address import split_address
from losswatch.service.serve import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.core.monitor import Monitor
    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.web.server import WebServer

__all__ = ["live_monitor", "live_snapshot", "serve_live"]

logger = logging.getLogger(__name__)

_monitors = Monitors()
_servers: dict[str, WebServer | None] = {}
_lock = Lock()


def _start_anew() -> None:
    """Forget what a forked child has of its parent: its events, its threads, its locks."""
    global _monitors, _servers, _lock  # process-wide on purpose
    _monitors, _servers, _lock = Monitors(), {}, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


def live_monitor(model: str, make: Callable[[], Monitor]) -> Monitor:
    """Return the live monitor of a model, made if there is none yet."""
    return _monitors.get(model) or _monitors.setdefault(make())


def serve_live(listen: str, *, required: bool = False) -> WebServer | None:
    """Serve the live monitors at an address, once a process.

    If the address cannot be listened on, this is logged once and the process
    goes on: watching a model must not stop it.

    Parameters
    ----------
    listen
        Address and port.
    required
        Raise instead of logging.

    Raises
    ------
    ListenError
        Only if required.
    """
    with _lock:
        if listen not in _servers or (required and _servers[listen] is None):
            _servers[listen] = _try_to_serve(listen, required=required)
        return _servers[listen]


def _try_to_serve(listen: str, *, required: bool) -> WebServer | None:
    try:
        host, port = split_address(listen)
        server = serve(_monitors, host=host, port=port)
    except ListenError as error:
        if required:
            raise
        logger.warning("the cost is not served: %s", error)
        return None
    logger.info("serving the cost at %smetrics", server.url)
    return server


def live_snapshot() -> MonitorsSnapshot:
    """Return one reading of all live monitors."""
    return _monitors.snapshot()
