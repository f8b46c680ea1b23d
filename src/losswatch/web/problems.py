"""What a request that cannot be answered gets: problem details, as RFC 9457 has them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from starlette.requests import Request

__all__ = ["MEDIA_TYPE", "problem", "problem_teller"]

_API = "/api/"

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = "1"
_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """Return the answer to a request that failed; one that may be tried again says when.

    Parameters
    ----------
    status
        Of HTTP; its title is that of the problem.
    detail
        What was found and what is allowed.
    headers
        Besides those that each problem has.
    more
        Further members.
    """
    title = HTTPStatus(status).phrase
    content = {"title": title, "status": status, "detail": detail, **(more or {})}
    retry = {"retry-after": _RETRY_SECONDS} if status in _LATER else {}
    return Response(
        json.dumps(content), status, headers={**retry, **(headers or {})}, media_type=MEDIA_TYPE
    )


def problem_teller(paths: Collection[str]) -> Callable[[Request, Exception], Response]:
    """Return what answers a request that no handler took, or that one could not.

    Parameters
    ----------
    paths
        Besides those below ``/api/``, where errors are JSON; elsewhere they are text.
    """

    def tell(request: Request, error: Exception) -> Response:
        status, detail, headers = 500, "an error of losswatch; its log says more", None
        if isinstance(error, HTTPException):
            status, detail, headers = error.status_code, error.detail, error.headers
        if status == 404:
            detail = _nowhere(paths)
        if status == 405:
            detail = f"{request.method} is not for this path; must be {(headers or {})['Allow']}"
        path = request.url.path
        if path.startswith(_API) or path in paths:
            return problem(status, detail, headers)
        return PlainTextResponse(detail, status, headers)

    return tell


def _nowhere(paths: Collection[str]) -> str:
    """Return what a path that is not there is answered with: most who ask for one send events."""
    taken = "no events are taken here: that needs an http source in the config"
    if paths:
        taken = f"events are taken at {', '.join(paths)}"
    return f"there is no such path: see / for all; {taken}"
