"""``/metrics`` in an ASGI application of your own: FastAPI, Starlette, Django and others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from losswatch.service.mounted import Mounted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from losswatch.core.monitor import Monitor
    from losswatch.core.monitors import Monitors
    from losswatch.workers.connection import Connection

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

__all__ = ["metrics_app"]


def metrics_app(
    shown: Monitor | Iterable[Monitor] | Monitors | Connection,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return an ASGI application that answers every path with the page of metrics.

    The page is made in a thread: the event loop goes on.

    Parameters
    ----------
    shown
        As for :func:`losswatch.wsgi.metrics_app`.

    Examples
    --------
    .. code-block:: python

        app = FastAPI()
        app.mount("/metrics", losswatch.asgi.metrics_app(losswatch.connect("losswatch.sock")))
    """
    mounted = Mounted(shown)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # no body
        if scope["type"] != "http":
            raise RuntimeError(f"/metrics speaks http and not {scope['type']}")
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        status, told, body = await asyncio.to_thread(
            mounted.answer,
            scope["method"],
            headers.get("accept", ""),
            headers.get("accept-encoding", ""),
            scope.get("query_string", b"").decode("latin-1"),
        )
        raw = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in told]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return app
