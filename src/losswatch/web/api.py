"""The paths below ``/api/v1``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from losswatch.core.costs import as_json
from losswatch.web.alarms import alarm_routes
from losswatch.web.body import BodyLimits
from losswatch.web.desk import Desk
from losswatch.web.intake import IntakeEndpoint
from losswatch.web.openapi import describe
from losswatch.web.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.web.alarms import Acknowledge
    from losswatch.web.intake import Intake, Kind

__all__ = ["COST", "OPENAPI", "Inlet", "api_routes"]

COST = "/api/v1/cost"
OPENAPI = "/api/v1/openapi.json"
_FILTERS = ("model", "window")
_TOTAL_BODIES = 4
"""So many of the largest bodies may be held at a time."""


class Inlet(NamedTuple):
    """Where events are sent to: ``path`` takes what has both sides, or either.

    Beside it are ``predictions`` and ``truths``, for one side alone.
    """

    path: str
    intake: Intake
    max_body_bytes: int = 1 << 24

    @property
    def paths(self) -> dict[str, Kind]:
        """Each path, and what is sent to it."""
        folder = self.path.rpartition("/")[0]
        return {
            self.path: "any",
            f"{folder}/predictions": "prediction",
            f"{folder}/truths": "truth",
        }


def api_routes(
    read: Callable[[], MonitorsSnapshot], inlets: Sequence[Inlet], acknowledge: Acknowledge
) -> Iterator[BaseRoute]:
    """Yield what is below ``/api/v1``, the busiest first.

    Parameters
    ----------
    read
        Reads the costs.
    inlets
        Where events are sent to.
    acknowledge
        Turns an alarm off.
    """
    for inlet in inlets:
        size = inlet.max_body_bytes
        desk = Desk(BodyLimits(size, _TOTAL_BODIES * size))
        for path, kind in inlet.paths.items():
            yield Route(path, IntakeEndpoint(inlet.intake, kind, desk), methods=["POST"])

    paths = [path for inlet in inlets for path in inlet.paths.items()]
    description = json.dumps(describe(paths, COST, OPENAPI)).encode()

    def cost(request: Request) -> Response:
        parameters = request.query_params
        if unknown := set(parameters) - {*_FILTERS}:
            detail = f"{', '.join(map(repr, sorted(unknown))):.200} is unknown"
            return problem(400, f"{detail}; must be one of {', '.join(_FILTERS)}")
        wanted = [parameters.getlist(name) or None for name in _FILTERS]
        return _json({"costs": as_json(read(), *wanted)})

    def openapi(_: Request) -> Response:
        return Response(description, media_type="application/json")

    yield Route(COST, cost)
    yield from alarm_routes(read, acknowledge)
    yield Route(OPENAPI, openapi)


def _json(content: object) -> Response:
    return Response(json.dumps(content), media_type="application/json")
