"""The keys of ``http``: events that are sent to losswatch."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from losswatch.config.schema import VARIABLE
from losswatch.config.section import Section, wrong

__all__ = ["HttpConfig"]

_PATH = r"^(/[A-Za-z0-9._~-]+)*/events$"


class HttpConfig(Section):
    """A path that takes events, beside /metrics."""

    path: str = Field(
        default="/api/v1/events",
        json_schema_extra={"anyOf": [{"pattern": _PATH}, {"pattern": VARIABLE}]},
        description="Where events are posted; its siblings /predictions and /truths take one"
        " side each.",
    )
    max_body_bytes: int = Field(
        default=16_777_216, ge=1, description="A larger body is refused (413), unpacked or not."
    )
    queue: int = Field(
        default=200_000,
        ge=1,
        description="So many events may wait to be counted; a request beyond is told to come"
        " back (429).",
    )

    @field_validator("path")
    @classmethod
    def _ends_in_events(cls, path: str) -> str:
        if not re.fullmatch(_PATH, path):
            raise wrong(
                "is {path}; must begin with / and end in /events, with letters, digits and . _ ~ -"
                " between, as in /api/v1/events",
                path=f"{path!r:.60}",
            )
        return path
