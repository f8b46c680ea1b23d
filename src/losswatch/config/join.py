"""How predictions wait for their truths, as it stands in the YAML."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from losswatch.config.schema import DURATION
from losswatch.config.section import Section, wrong
from losswatch.config.windows import Duration  # noqa: TC001  # pydantic reads it
from losswatch.core.join.settings import Join
from losswatch.core.window import parse_duration

__all__ = ["JoinConfig"]

_NONE = re.compile(r"(0+(ms|[smhdw]))+")
_MOST = 100_000_000


def _seconds(text: object) -> float:
    """Return the seconds of a duration that may be 0."""
    if isinstance(text, str) and _NONE.fullmatch(text):
        return 0.0
    return parse_duration(text)


def _retention(text: object) -> object:
    try:
        _seconds(text)
    except ValueError as error:
        raise wrong("{error}; 0s keeps none", error=str(error)) from None
    return text


_Retention = Annotated[
    str,
    BeforeValidator(_retention),
    WithJsonSchema({"type": "string", "pattern": DURATION}),
]


class JoinConfig(Section):
    """How predictions and truths that come apart are joined by their id."""

    ttl: Duration = Field(
        default="7d",
        description="A prediction waits so long for its truth, and a truth for its prediction.",
    )
    pending: int = Field(
        default=1_000_000,
        ge=1,
        le=_MOST,
        description="So many wait at most; the oldest expires for a further one.",
    )
    retention: _Retention = Field(
        default="24h",
        description="So long after it was scored can an event be revised, and is the same one"
        " known for a duplicate; 0s keeps none.",
    )
    retained: int = Field(
        default=1_000_000,
        ge=1,
        le=_MOST,
        description="So many scored events are kept for that at most; the oldest goes for a"
        " further one.",
    )
    time: Literal["truth", "prediction"] = Field(
        default="truth", description="Whose time a joined event has, for windows of time."
    )

    @property
    def settings(self) -> Join:
        """The same for a monitor."""
        return Join(
            ttl=parse_duration(self.ttl),
            pending=self.pending,
            retention=_seconds(self.retention),
            retained=self.retained,
            time=self.time,
        )
