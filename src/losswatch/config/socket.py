"""The keys of ``socket``: events that workers on this machine send."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from losswatch.config.schema import VARIABLE
from losswatch.config.section import Name, Section, wrong

__all__ = ["SocketConfig"]

_MODE = r"^0?[0-7]{3}$"


class SocketConfig(Section):
    """A Unix socket for processes with ``losswatch.connect``."""

    path: Name = Field(
        description="Path of the socket, from the folder of this YAML; at most about 100 bytes."
    )
    mode: str = Field(
        default="0600",
        json_schema_extra={"anyOf": [{"pattern": _MODE}, {"pattern": VARIABLE}]},
        description="Who may connect: the permissions of the socket, octal and in quotes.",
    )
    queue: int = Field(
        default=200_000,
        ge=1,
        description="So many events may wait to be counted; beyond that workers wait.",
    )

    @field_validator("mode")
    @classmethod
    def _octal(cls, mode: str) -> str:
        if not re.fullmatch(_MODE, mode):
            raise wrong(
                'is {mode}; must be three octal digits in quotes, as in "0660"',
                mode=f"{mode!r:.60}",
            )
        return mode
