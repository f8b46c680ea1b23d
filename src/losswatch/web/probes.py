"""What machines ask again and again: whether losswatch lives, and whether it takes events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

__all__ = ["HEALTHY", "READY", "make_probes", "probe_routes"]

HEALTHY, READY = "/-/healthy", "/-/ready"


def probe_routes(ready: Callable[[], bool]) -> Iterator[BaseRoute]:
    """Yield the paths of the probes."""

    def healthy(_: Request) -> Response:
        return PlainTextResponse("losswatch is healthy.\n")

    def is_ready(_: Request) -> Response:
        if ready():
            return PlainTextResponse("losswatch is ready.\n")
        return PlainTextResponse("losswatch is not ready.\n", status_code=503)

    yield Route(HEALTHY, healthy)
    yield Route(READY, is_ready)


def make_probes(ready: Callable[[], bool]) -> Starlette:
    """Return an application that answers the probes and nothing else."""
    return Starlette(routes=[*probe_routes(ready)])
