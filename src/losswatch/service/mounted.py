"""The page of metrics as one answer, for whoever mounts it in an application of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from losswatch.codec.packing import packed, takes_gzip
from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.workers.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Render = Callable[[str, list[str]], tuple[bytes, str]]

__all__ = ["Answer", "Mounted"]


_SMALL = 500
_TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """An answer of HTTP; HEAD has the headers of GET."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Mounted:
    """Answers requests for one page; each takes as long as the page, so not in an event loop.

    Parameters
    ----------
    shown
        A monitor, several, or a connection: then the page is its owner's.
    """

    def __init__(self, shown: Monitor | Iterable[Monitor] | Monitors | Connection) -> None:
        self._render = _renderer(shown)

    def answer(self, method: str, accept: str, encodings: str, query: str) -> Answer:
        """Return the answer to a request.

        Parameters
        ----------
        method
            GET or HEAD; others are refused.
        accept, encodings
            The headers ``Accept`` and ``Accept-Encoding``.
        query
            The query, of which ``name[]`` is read.
        """
        if method not in {"GET", "HEAD"}:
            return _text(405, "only GET and HEAD are answered here\n", [("allow", "GET, HEAD")])
        try:
            page, content_type = self._render(accept, parse_qs(query).get("name[]", []))
        except OSError as error:
            return _text(503, f"{error}\n")
        headers = [("content-type", content_type), ("vary", "Accept, Accept-Encoding")]
        if len(page) >= _SMALL and takes_gzip(encodings):
            page = packed(page)
            headers.append(("content-encoding", "gzip"))
        headers.append(("content-length", str(len(page))))
        return Answer(200, headers, b"" if method == "HEAD" else page)


def _renderer(shown: Monitor | Iterable[Monitor] | Monitors | Connection) -> Render:
    if isinstance(shown, Connection):
        return shown.page
    # Here: a worker that shows its owner's page does not need what makes one.
    from losswatch.prometheus import Exposition  # noqa: PLC0415

    if isinstance(shown, Monitor):
        shown = [shown]
    return Exposition((shown if isinstance(shown, Monitors) else Monitors(shown)).snapshot).render


def _text(status: int, text: str, more: Iterable[tuple[str, str]] = ()) -> Answer:
    body = text.encode()
    headers = [("content-type", _TEXT), ("content-length", str(len(body))), *more]
    return Answer(status, headers, body)
