"""The paths of the exporter and what each answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from losswatch.web.api import api_routes
from losswatch.web.landing import landing_page
from losswatch.web.problems import problem_teller
from losswatch.web.scrapes import GZIP_LEVEL, Scrapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.web.alarms import Acknowledge
    from losswatch.web.api import Inlet
    from losswatch.web.scrapes import Render

__all__ = ["make_app"]


def make_app(
    render: Render,
    read: Callable[[], MonitorsSnapshot],
    ready: Callable[[], bool],
    acknowledge: Acknowledge,
    inlets: Sequence[Inlet] = (),
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
    """

    def landing(_: Request) -> Response:
        return HTMLResponse(landing_page(read()))

    def healthy(_: Request) -> Response:
        return PlainTextResponse("losswatch is healthy.\n")

    def is_ready(_: Request) -> Response:
        if ready():
            return PlainTextResponse("losswatch is ready.\n")
        return PlainTextResponse("losswatch is not ready.\n", status_code=503)

    tell = problem_teller([path for inlet in inlets for path in inlet.paths])
    return Starlette(
        routes=[
            *api_routes(read, inlets, acknowledge),  # first: each event may be a request
            Route("/", landing),
            Route("/metrics", Scrapes(render).answer),
            Route("/-/healthy", healthy),
            Route("/-/ready", is_ready),
        ],
        middleware=[Middleware(GZipMiddleware, compresslevel=GZIP_LEVEL)],
        exception_handlers={HTTPException: tell, Exception: tell},
    )
