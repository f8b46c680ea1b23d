"""The path that has the config loaded again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from losswatch.errors import LosswatchError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

__all__ = ["RELOAD", "Lifecycle", "lifecycle_routes"]

RELOAD = "/-/reload"


class Lifecycle(NamedTuple):
    """Whether the config may be loaded again over HTTP, and how.

    ``reload`` returns what takes a restart; it raises if the config of before
    goes on.
    """

    enabled: bool
    reload: Callable[[], Sequence[str]]


def lifecycle_routes(lifecycle: Lifecycle) -> Iterator[BaseRoute]:
    """Yield the path."""

    def reload(_: Request) -> Response:
        if not lifecycle.enabled:
            remedy = "start with --web.enable-lifecycle, or set web: {enable_lifecycle: true}"
            return PlainTextResponse(f"reloading over HTTP is off; {remedy}\n", 403)
        try:
            notes = lifecycle.reload()
        except LosswatchError as error:
            status = 503 if isinstance(error, StoreError) else 500
            return PlainTextResponse(f"the config of before goes on:\n{error}\n", status)
        return PlainTextResponse("".join(f"{line}\n" for line in ("the config was loaded", *notes)))

    yield Route(RELOAD, reload, methods=["POST", "PUT"])
