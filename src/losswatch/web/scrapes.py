"""Answers to scrapes: in time, and one page for all who asked for it at once."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from losswatch.codec.packing import packed, takes_gzip
from losswatch.errors import OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.requests import Request

__all__ = ["Render", "Scrapes"]

logger = logging.getLogger(__name__)

TIMEOUT = "x-prometheus-scrape-timeout-seconds"
"""What Prometheus tells of how long it waits."""

_ON_THE_WAY = 0.25
"""Seconds of the timeout that are left for the answer to arrive."""


class Render(Protocol):
    """Renders the metrics: ``Accept`` header and names to page and content type."""

    def __call__(
        self, accept: str, names: Collection[str], deadline: float | None
    ) -> tuple[bytes, str]:
        """Return the page; may raise ``OutOfTimeError`` after the deadline."""


class Ask(NamedTuple):
    """What a scraper asks for."""

    accept: str
    names: frozenset[str]
    zipped: bool

    @classmethod
    def of(cls, request: Request) -> Ask:
        """Return what a request asks for."""
        names = frozenset(request.query_params.getlist("name[]"))
        zipped = takes_gzip(request.headers.get("accept-encoding", ""))
        return cls(request.headers.get("accept", ""), names, zipped)


Written = tuple[bytes, dict[str, str]]
"""A page as it is sent, and its headers."""


class _Page:
    """A page that was not begun yet, and those who wait for it."""

    def __init__(self) -> None:
        self.written: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self.deadlines: list[float] = []

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits still."""
        return max(self.deadlines, default=-math.inf) > time.monotonic()

    @property
    def deadline(self) -> float | None:
        """Until when it is of use to somebody."""
        return None if math.inf in self.deadlines else max(self.deadlines)


class Scrapes:
    """Answers scrapes, of which one page at a time is made, by a thread.

    Who asks while one is made waits for the next, together with all others that
    ask for the same then: so none gets numbers from before it asked, and a
    crowd of scrapers costs what two do. A scrape that says how long it waits
    gets 503 shortly before. For one event loop.

    Parameters
    ----------
    render
        Makes a page; called from other threads.
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self._next: dict[Ask, _Page] = {}
        self._maker: asyncio.Task[None] | None = None

    async def answer(self, request: Request) -> Response:
        """Return the answer to a scrape."""
        seconds = timeout_of(request.headers)
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                body, headers = await self._page(Ask.of(request), time.monotonic() + seconds)
        except (TimeoutError, OutOfTimeError):
            told = request.headers.get(TIMEOUT, "")
            logger.warning("a scrape was not answered within its timeout of %.20s s", told)
            return PlainTextResponse(_late(told), 503)
        return Response(body, headers=headers)

    async def _page(self, ask: Ask, deadline: float) -> Written:
        page = self._next.get(ask)
        if page is None:
            page = self._next[ask] = _Page()
        page.deadlines.append(deadline)
        if self._maker is None:
            self._maker = asyncio.create_task(self._make())
        try:
            return await asyncio.shield(page.written)
        finally:  # who is gone wants it no more
            page.deadlines.remove(deadline)

    async def _make(self) -> None:
        """Make the pages that are asked for, in the order in which they were."""
        try:
            while self._next:
                ask = next(iter(self._next))
                page = self._next.pop(ask)
                if page.is_wanted:
                    await self._make_one(ask, page)
        finally:
            self._maker = None

    async def _make_one(self, ask: Ask, page: _Page) -> None:
        try:
            written = await run_in_threadpool(self._write, ask, page.deadline)
        except Exception as error:  # noqa: BLE001  # told to those who wait
            page.written.set_exception(error)
            page.written.exception()  # nobody may wait any more
        else:
            page.written.set_result(written)

    def _write(self, ask: Ask, deadline: float | None) -> Written:
        body, content_type = self._render(ask.accept, ask.names, deadline)
        headers = {"content-type": content_type, "vary": "Accept, Accept-Encoding"}
        if ask.zipped:
            body = packed(body)
            headers["content-encoding"] = "gzip"
        return body, headers


def timeout_of(headers: Mapping[str, str]) -> float:
    """Return how long an answer may take, infinity if the scraper does not say so.

    Examples
    --------
    >>> timeout_of({TIMEOUT: "10"}), timeout_of({TIMEOUT: "0.4"}), timeout_of({TIMEOUT: "soon"})
    (9.75, 0.2, inf)
    """
    try:
        seconds = float(headers.get(TIMEOUT, "inf"))
    except ValueError:
        return math.inf
    return seconds - min(_ON_THE_WAY, seconds / 2) if 0 < seconds < math.inf else math.inf


def _late(told: str) -> str:
    return (
        f"The page cannot be written within {told:.20} s, which is the timeout of this scrape"
        " (X-Prometheus-Scrape-Timeout-Seconds).\n"
        "Raise scrape_timeout, or ask for less: /metrics?name[]=losswatch_rmse\n"
    )
