"""The paths of alarms below ``/api/v1``."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from losswatch.core.alarm_rows import alarm_rows
from losswatch.errors import StoreError
from losswatch.web.alarm_paths import ACKNOWLEDGE, ALARMS
from losswatch.web.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from losswatch.core.monitors import MonitorsSnapshot

    Acknowledge = Callable[[str, str, Mapping[str, str] | None], int]

__all__ = ["Acknowledge", "alarm_routes"]

_MOST_BYTES = 65_536
_BODY_SECONDS = 30.0
_RULE = 'must be an object such as {"model": "eta", "alarm": "budget"}, perhaps with segment'


def alarm_routes(
    read: Callable[[], MonitorsSnapshot], acknowledge: Acknowledge
) -> Iterator[BaseRoute]:
    """Yield the paths.

    Parameters
    ----------
    read
        Reads the alarms.
    acknowledge
        Turns an alarm of a model off, of a segment if it is given, and tells
        in how many places it was on.
    """

    def alarms(request: Request) -> Response:
        parameters = request.query_params
        if unknown := set(parameters) - {"model"}:
            detail = f"{', '.join(map(repr, sorted(unknown))):.200} is unknown; must be model"
            return problem(400, detail)
        rows = alarm_rows(read(), parameters.getlist("model") or None)
        return Response(json.dumps({"alarms": rows}), media_type="application/json")

    async def acknowledged(request: Request) -> Response:
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type != "application/json":  # what a page of another site cannot send unasked
            detail = f"the content type is {media_type!r:.60}; must be application/json"
            return problem(415, detail, {"accept-post": "application/json"})
        try:
            asked = _asked(await _body(request))
        except ValueError as error:
            return problem(400, str(error))
        except TimeoutError:
            detail = f"the body was not there after {_BODY_SECONDS:g} s; send it faster"
            return problem(408, detail)
        except ClientDisconnect:
            return Response()
        return await run_in_threadpool(_acknowledge, acknowledge, *asked)

    yield Route(ALARMS, alarms)
    yield Route(ACKNOWLEDGE, acknowledged, methods=["POST"])


def _acknowledge(
    acknowledge: Acknowledge, model: str, alarm: str, segment: Mapping[str, str] | None
) -> Response:
    try:
        count = acknowledge(model, alarm, segment)
    except KeyError as error:
        return problem(404, str(error.args[0]))
    except StoreError as error:
        return problem(503, str(error))
    return Response(json.dumps({"acknowledged": count}), media_type="application/json")


async def _body(request: Request) -> bytes:
    body = b""
    async with asyncio.timeout(_BODY_SECONDS):
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                raise ValueError(f"the body has more than {_MOST_BYTES:,} bytes; {_RULE}")
    return body


def _asked(body: bytes) -> tuple[str, str, Mapping[str, str] | None]:
    """Return model, alarm and segment; raise ``ValueError`` if that is not what was sent."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError(f"the body is no JSON; {_RULE}") from None
    if not isinstance(content, dict) or not _fits(content):
        raise ValueError(f"the body is {str(content)!r:.200}; {_RULE}")
    return content["model"], content["alarm"], content.get("segment")


def _fits(content: dict[str, Any]) -> bool:
    segment = content.get("segment")
    return (
        content.keys() <= {"model", "alarm", "segment"}
        and isinstance(content.get("model"), str)
        and isinstance(content.get("alarm"), str)
        and (segment is None or _is_segment(segment))
    )


def _is_segment(segment: object) -> bool:
    return isinstance(segment, dict) and all(isinstance(value, str) for value in segment.values())
