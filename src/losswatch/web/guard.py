"""Stands before the application: headers for every answer, and the password."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from losswatch.web.connection import READING
from losswatch.web.origin import is_of_another_site
from losswatch.web.probes import HEALTHY, READY
from losswatch.web.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from losswatch.web.doors import Doors
    from losswatch.web.passwords import Passwords
    from losswatch.web.rate import Rate

__all__ = ["OPEN_PATHS", "Guard"]

OPEN_PATHS = frozenset({HEALTHY, READY})
"""Who probes has no password, and learns nothing."""

_MOST_WAITING = 32
"""Passwords that are looked at or wait for it; some seconds of work."""

_TWO_LENGTHS = "has both Content-Length and Transfer-Encoding; send one of them"
_CLOSE = {"connection": "close"}
"""A proxy may take what follows for another request than this server does."""

_OF_ANOTHER_SITE = "a page of another site asked for this; nothing is taken from there"

_TOO_MANY = "there are more requests than rate_limit in the section web allows; try again later"

_ASK = {"www-authenticate": 'Basic realm="losswatch", charset="UTF-8"'}


class Guard:
    """ASGI: lets in who may come in.

    One thread looks at passwords, so that a flood of wrong ones takes one core
    at most, and the same header that comes twice meanwhile is looked at once.

    Parameters
    ----------
    app
        Returns the application of now.
    doors
        Returns what is asked of now.
    """

    def __init__(self, app: Callable[[], ASGIApp], doors: Callable[[], Doors]) -> None:
        self._app = app
        self._doors = doors
        self._thread = ThreadPoolExecutor(1, "losswatch-passwords")
        self._waiting: dict[bytes, asyncio.Future[bool]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        doors = self._doors()
        if doors.headers:
            send = _with_headers(send, doors.headers)
        refusal = _of_rules(scope)
        if refusal is None and scope["path"] not in OPEN_PATHS:
            refusal = _of_rate(doors.rate) or await self._of_password(scope, doors.passwords)
        return await (refusal or self._app())(scope, receive, send)

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _of_password(self, scope: Scope, passwords: Passwords | None) -> Response | None:
        if passwords is None:
            return None
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return problem(401, "a user and a password are needed", _ASK)
        mark = passwords.mark(given[0])
        if passwords.knows(mark):
            return None
        if mark not in self._waiting and len(self._waiting) >= _MOST_WAITING:
            return problem(503, "too many passwords wait to be looked at; try again")
        if await self._right(mark, given[0], passwords):
            return None
        return problem(401, "user or password is wrong", _ASK)

    async def _right(self, mark: bytes, header: bytes, passwords: Passwords) -> bool:
        """Have a password looked at, together with all who wait for the same."""
        look = self._waiting.get(mark)
        if look is None:
            loop = asyncio.get_running_loop()
            look = loop.run_in_executor(self._thread, passwords.check, header)
            self._waiting[mark] = look
            look.add_done_callback(lambda _: self._waiting.pop(mark, None))
        return await asyncio.shield(look)


def _of_rules(scope: Scope) -> Response | None:
    """Return why no request like this is taken, if so."""
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
        return problem(400, _TWO_LENGTHS, _CLOSE)
    if scope["method"] not in READING and is_of_another_site(scope["headers"]):
        return problem(403, _OF_ANOTHER_SITE)
    return None


def _of_rate(rate: Rate | None) -> Response | None:
    wait = 0.0 if rate is None else rate.take()
    return problem(429, _TOO_MANY, {"retry-after": f"{math.ceil(wait)}"}) if wait else None


def _with_headers(send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return with_headers
