"""The paths of the exporter and what each answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from losswatch.codec.packing import LEVEL
from losswatch.web.api import api_routes
from losswatch.web.landing import landing_page
from losswatch.web.lifecycle import Lifecycle, lifecycle_routes
from losswatch.web.probes import probe_routes
from losswatch.web.problems import problem_teller
from losswatch.web.scrapes import Scrapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.web.alarms import Acknowledge
    from losswatch.web.api import Inlet
    from losswatch.web.scrapes import Render

__all__ = ["App", "make_app"]

App = Starlette
"""What a server serves."""


def make_app(  # noqa: PLR0913  # all that is served
    render: Render,
    read: Callable[[], MonitorsSnapshot],
    ready: Callable[[], bool],
    acknowledge: Acknowledge,
    inlets: Sequence[Inlet] = (),
    *,
    lifecycle: Lifecycle | None = None,
) -> Starlette:
    """Return the ASGI application of the exporter.

    Handlers of other pages than the metrics are plain functions: each runs in a
    worker thread, so a large page does not hold up the probes.

    Parameters
    ----------
    render
        Makes the page at ``/metrics``.
    read
        Reads the costs for the landing page and the API.
    ready
        Whether events are taken now.
    acknowledge
        Turns an alarm of a model off.
    inlets
        Where events are sent to; without any nothing can be sent.
    lifecycle
        Whether and how the config is loaded again, if there is one.
    """

    def landing(_: Request) -> Response:
        return HTMLResponse(landing_page(read()))

    tell = problem_teller([path for inlet in inlets for path in inlet.paths])
    return Starlette(
        routes=[
            *api_routes(read, inlets, acknowledge),  # first: each event may be a request
            Route("/", landing),
            Route("/metrics", Scrapes(render).answer),
            *probe_routes(ready),
            *(lifecycle_routes(lifecycle) if lifecycle else ()),
        ],
        middleware=[Middleware(GZipMiddleware, compresslevel=LEVEL)],
        exception_handlers={HTTPException: tell, Exception: tell},
    )
