"""The description of ``/api/v1`` that programs read: OpenAPI 3.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losswatch.version import __version__
from losswatch.web.alarm_paths import ACKNOWLEDGE, ALARMS
from losswatch.web.intake import MEDIA_TYPES, MOST_LISTED
from losswatch.web.problems import MEDIA_TYPE as PROBLEM
from losswatch.web.schemas import SCHEMAS, ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from losswatch.web.intake import Kind

__all__ = ["describe"]

Json = dict[str, Any]

_NAMES = {"any": "Event", "prediction": "Prediction", "truth": "Truth"}

_SUMMARIES = {
    "any": "Send events: with both sides or, with a prediction_id, with one",
    "prediction": "Send predictions, whose truths come later",
    "truth": "Send truths of predictions",
}

_ABOUT_EVENTS = f"""The answer comes when the events are safe: after a 200 they count for ever.
Any other answer means that nothing of the request counts, and it may be sent again. An event
with a prediction_id counts once, however often it is sent: the others are `duplicates`. Each
line, or element of an array, stands for itself: of those `refused` the first {MOST_LISTED} are
listed. The body may be gzip (Content-Encoding), and what it holds is seen from it: an array if it
begins with [, else JSON objects, one a line or a single one. The config may give the fields other
names; here they have their own.
"""

_FAILURES = {
    400: "The body cannot be read as a whole.",
    403: "A browser sent it, for a page of another site.",
    408: "The body came too slowly.",
    413: "The body is too large, as it is sent or unpacked.",
    415: "The content type or the content encoding is another one.",
    429: "Too much waits already, or rate_limit of the config is reached: send it again, later.",
    503: "The state cannot be written, or the service stops: send it again, later.",
}
_LATER = frozenset({429, 503})

_TOO_MANY = "The config has a rate_limit, and it is reached: ask again, later."

_USER = "user"

_ASKED = {"WWW-Authenticate": {"description": "Basic.", "schema": {"type": "string"}}}

_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
}


def describe(inlets: Iterable[tuple[str, Kind]], cost: str, openapi: str) -> Json:
    """Return the description as plain data.

    Parameters
    ----------
    inlets
        The paths that events are sent to, and what is sent to each.
    cost, openapi
        The paths of the cost, and of the description itself.
    """
    paths: Json = {path: {"post": _post(path, kind)} for path, kind in inlets}
    paths[cost] = {"get": _get_cost()}
    paths[ALARMS] = {"get": _get_alarms()}
    paths[ACKNOWLEDGE] = {"post": _post_acknowledge()}
    paths[openapi] = {"get": _get_openapi()}
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"]["401"] = _unauthorized()
            operation["responses"].setdefault("429", _failure(_TOO_MANY, retry=True))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "losswatch",
            "version": __version__,
            "description": "The exact running L2 cost of regression models.",
        },
        "servers": [{"url": "/"}],
        "security": [{}, {_USER: []}],  # the second where the config names users
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {_USER: {"type": "http", "scheme": "basic"}},
        },
    }


def _post(path: str, kind: Kind) -> Json:
    event = ref(_NAMES[kind])
    # As lines or as an array: what holds for one media type holds for all.
    body = {"schema": {"anyOf": [event, {"type": "array", "items": event}]}}
    return {
        "operationId": "post" + path.replace("/", "_").replace("-", "_"),
        "summary": _SUMMARIES[kind],
        "description": _ABOUT_EVENTS,
        "requestBody": {"content": dict.fromkeys(MEDIA_TYPES, body)},
        "responses": {
            "200": _answer("Something counts, or counted before, or nothing was sent.", "Result"),
            "422": _failure("Not one event counts: all are refused.", "RefusedProblem"),
            **{str(s): _failure(text, retry=s in _LATER) for s, text in _FAILURES.items()},
        },
    }


def _get_cost() -> Json:
    return {
        "operationId": "get_cost",
        "summary": "The cost of now: of each model, segment and window",
        "parameters": [
            _filter("model", "Only this model, or these."),
            _filter("window", "Only this window, or these, as in 5m or lifetime."),
        ],
        "responses": {
            "200": _answer("The costs; none if there is no such model or window.", "Costs"),
            "400": _failure("A parameter is unknown."),
        },
    }


def _get_alarms() -> Json:
    return {
        "operationId": "get_alarms",
        "summary": "The alarms of now: of each model and segment",
        "parameters": [_filter("model", "Only this model, or these.")],
        "responses": {
            "200": _answer("The alarms, those that are off too.", "Alarms"),
            "400": _failure("A parameter is unknown."),
        },
    }


def _post_acknowledge() -> Json:
    return {
        "operationId": "acknowledge_alarm",
        "summary": "Turn an alarm off and let it begin anew",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("Acknowledgement")}},
        },
        "responses": {
            "200": _answer("It is off, and that is safe.", "Acknowledged"),
            "400": _failure("The body is no such object."),
            "403": _failure(_FAILURES[403]),
            "404": _failure("There is no such model, alarm or segment."),
            "408": _failure(_FAILURES[408]),
            "415": _failure("The content type is another one."),
            "503": _failure("The state cannot be written: ask again, later.", retry=True),
        },
    }


def _get_openapi() -> Json:
    return {
        "operationId": "get_openapi",
        "summary": "This description",
        "responses": {
            "200": {
                "description": "OpenAPI 3.1.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    }


def _filter(name: str, description: str) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": "array", "items": {"type": "string"}},
    }


def _answer(description: str, schema: str, media_type: str = "application/json") -> Json:
    return {"description": description, "content": {media_type: {"schema": ref(schema)}}}


def _unauthorized() -> Json:
    failure = _failure("A user of the config and the password are needed, if it names any.")
    return {**failure, "headers": _ASKED}


def _failure(description: str, schema: str = "Problem", *, retry: bool = False) -> Json:
    headers = {"headers": _RETRY_AFTER} if retry else {}
    return {**_answer(description, schema, PROBLEM), **headers}
