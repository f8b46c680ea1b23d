"""What the paths share that take events: bounds, threads, and the way back to those who wait."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from losswatch.web.body import BodyLimits, BodyReader

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Desk", "LoopMailbox"]

T = TypeVar("T")

_THREADS = 2


class LoopMailbox:
    """Brings replies from the thread of the writer to those who wait in an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def deliver(self, replies: list[tuple[Any, object]], /) -> None:
        """Wake the loop once for all replies; one that has ended needs none."""
        try:
            self.loop.call_soon_threadsafe(_settle, replies)
        except RuntimeError:
            return


class Desk:
    """What the paths of an application share: the bounds, the threads, the mailbox."""

    def __init__(self, limits: BodyLimits) -> None:
        self.limits = limits
        self.bodies = BodyReader(limits)
        self.requests = 0
        self._threads = ThreadPoolExecutor(_THREADS, "losswatch-decode")
        self._mailbox: LoopMailbox | None = None

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Call in a thread: the loop goes on."""
        return asyncio.get_running_loop().run_in_executor(self._threads, call)

    def mailbox(self) -> LoopMailbox:
        """Return the one of this event loop."""
        loop = asyncio.get_running_loop()
        if self._mailbox is None or self._mailbox.loop is not loop:
            self._mailbox = LoopMailbox(loop)
        return self._mailbox


def _settle(replies: list[tuple[asyncio.Future[object], object]]) -> None:
    for waiter, reply in replies:
        if not waiter.done():  # the client may have gone
            waiter.set_result(reply)
