"""``/metrics`` in a WSGI application of your own: Flask, Django and others."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from losswatch.service.mounted import Mounted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from losswatch.core.monitor import Monitor
    from losswatch.core.monitors import Monitors
    from losswatch.workers.connection import Connection

__all__ = ["metrics_app"]


def metrics_app(
    shown: Monitor | Iterable[Monitor] | Monitors | Connection,
) -> Callable[[dict[str, Any], Callable[..., object]], list[bytes]]:
    """Return a WSGI application that answers every path with the page of metrics.

    Parameters
    ----------
    shown
        A monitor of this process or several; or a connection, whose owner is
        then asked. Where no owner answers it is 503, with the reason.

    Examples
    --------
    >>> import losswatch
    >>> app = metrics_app(losswatch.Monitor("eta"))
    >>> page = app({"REQUEST_METHOD": "GET"}, lambda status, headers: print(status))
    200 OK
    """
    mounted = Mounted(shown)

    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        status, headers, body = mounted.answer(
            environ["REQUEST_METHOD"],
            environ.get("HTTP_ACCEPT", ""),
            environ.get("HTTP_ACCEPT_ENCODING", ""),
            environ.get("QUERY_STRING", ""),
        )
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    return app
