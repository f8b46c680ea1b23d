"""The paths that events are sent to."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from starlette.responses import Response

from losswatch.web.body import GoneError, RefusedBodyError, gunzip
from losswatch.web.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import Receive, Scope, Send

    from losswatch.web.desk import Desk

__all__ = ["MEDIA_TYPES", "MOST_LISTED", "MOST_REQUESTS", "Intake", "IntakeEndpoint", "Kind"]

Kind = Literal["any", "prediction", "truth"]

MEDIA_TYPES = ("application/x-ndjson", "application/json", "text/plain")
"""What a body may be said to be; nothing is right too. What it holds is seen from it."""

MOST_LISTED = 100
"""Refused events that an answer lists."""

MOST_REQUESTS = 256
"""Requests that are read or wait for their commit, so that scrapes find a connection."""

_INLINE = 1 << 17
"""Bytes that are decoded at once, in a millisecond; more of them, and all gzip, by threads."""


class Refused(Protocol):
    """An event that does not count: its place in the request from 1, and why."""

    @property
    def line(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...


class Reply(Protocol):
    """What became of a request; ``detail`` says why nothing was counted."""

    @property
    def status(self) -> int: ...
    @property
    def accepted(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def refused(self) -> Sequence[Refused]: ...
    @property
    def detail(self) -> str: ...


class Intake(Protocol):
    """Takes the events of requests, from any thread."""

    @property
    def full(self) -> bool:
        """Whether no more is taken now."""

    def offer(self, kind: Kind, body: bytes, sender: object, mailbox: Any) -> Reply | None:  # noqa: ANN401
        """Return the reply, ``None`` if the mailbox gets it later, with ``sender``."""


class IntakeEndpoint:
    """One path. ASGI itself: a request for each event is the usual case, and half as dear so.

    Parameters
    ----------
    intake
        Where the events go.
    kind
        What they are.
    desk
        What the paths have in common.
    """

    def __init__(self, intake: Intake, kind: Kind, desk: Desk) -> None:
        self._intake = intake
        self._kind = kind
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request once its events are safe."""
        desk = self._desk
        if desk.requests >= MOST_REQUESTS:
            answer = problem(429, f"{MOST_REQUESTS} requests wait already; send it later")
            return await answer(scope, receive, send)
        desk.requests += 1
        try:
            answer = await self._answer(dict(scope["headers"]), receive)
        except RefusedBodyError as refusal:
            answer = problem(refusal.status, refusal.detail, refusal.headers)
        except GoneError:
            return None
        finally:
            desk.requests -= 1
        return await answer(scope, receive, send)

    async def _answer(self, headers: dict[bytes, bytes], receive: Receive) -> Response:
        mailbox = self._desk.mailbox()
        waiter = mailbox.loop.create_future()
        offer = partial(self._intake.offer, self._kind, sender=waiter, mailbox=mailbox)
        # Those who wait hold no body: it is decoded.
        return _answer_of(await self._offer(offer, headers, receive) or await waiter)

    async def _offer(
        self, offer: Callable[..., Reply | None], headers: dict[bytes, bytes], receive: Receive
    ) -> Reply | None:
        packed = _is_packed(headers)
        if self._intake.full:
            raise RefusedBodyError(429, "too many events wait already; send it later")
        desk = self._desk
        body = await desk.bodies.read(receive, headers.get(b"content-length"))
        try:
            if packed:
                return await desk.run(lambda: offer(body=gunzip(body, desk.limits)))
            if len(body) > _INLINE:
                return await desk.run(lambda: offer(body=body))
            return offer(body=body)
        finally:
            desk.bodies.drop(body)


def _is_packed(headers: dict[bytes, bytes]) -> bool:
    """Tell whether a body is gzip; refuse what is sent as something else than events."""
    media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
    if media_type and media_type not in MEDIA_TYPES:
        detail = f"the content type is {media_type!r:.60}; must be one of {', '.join(MEDIA_TYPES)}"
        raise RefusedBodyError(415, detail, {"accept-post": ", ".join(MEDIA_TYPES)})
    coding = headers.get(b"content-encoding", b"").strip().lower().decode("latin-1")
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        detail = f"the content encoding is {coding!r:.60}; must be gzip or none"
        raise RefusedBodyError(415, detail, {"accept-encoding": "gzip"})
    return coding.endswith("gzip")


def _answer_of(reply: Reply) -> Response:
    if reply.status == 200 and not reply.refused:  # made by hand, as it is the usual one
        text = (
            f'{{"accepted":{reply.accepted},"duplicates":{reply.duplicates},'
            '"refused_total":0,"refused":[]}'
        )
        return Response(text, media_type="application/json")
    if reply.status == 200:
        return Response(json.dumps(_result(reply)), media_type="application/json")
    if reply.status == 422:
        return problem(422, "not one event counts; see what is refused", more=_result(reply))
    return problem(reply.status, reply.detail)


def _result(reply: Reply) -> dict[str, object]:
    return {
        "accepted": reply.accepted,
        "duplicates": reply.duplicates,
        "refused_total": len(reply.refused),
        "refused": [
            {"line": refused.line, "reason": str(refused.reason), "detail": refused.detail}
            for refused in reply.refused[:MOST_LISTED]
        ],
    }
