"""Windows as they stand in the YAML."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from operator import attrgetter
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from losswatch.config.schema import DURATION, or_variable
from losswatch.config.section import wrong
from losswatch.core.window import Window, parse_duration, parse_window

__all__ = ["Duration", "Windows"]

MOST = 16
"""Windows of a monitor: each has its own series."""


def _duration(text: object) -> object:
    try:
        parse_duration(text)
    except ValueError as error:
        raise wrong("{error}", error=str(error)) from None
    return text


def _window(value: object) -> Window:
    try:
        return parse_window(value)
    except ValueError as error:
        raise wrong("{error}", error=str(error)) from None


def _apart(windows: list[Window]) -> list[Window]:
    """Refuse two that would have the same label, or always the same value."""
    for one, other in combinations(windows, 2):
        if one == other:
            raise wrong("has {label} twice; keep one", label=one.label)
        if one.label == other.label:
            raise wrong(
                "has two windows with the label {label}; spell the duration of one of them"
                " differently, as in 60s for 1m",
                label=one.label,
            )
        if replace(one, label=other.label) == other:
            raise wrong(
                "has {one} and {other}, which are the same; keep one",
                one=one.label,
                other=other.label,
            )
    return windows


def _form(needed: str, **properties: object) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [needed],
        "additionalProperties": False,
    }


_TEXT = {"type": "string", "pattern": DURATION}
_SCHEMA = {
    "anyOf": [
        _TEXT,
        {
            **_form(
                "last",
                last=_TEXT,
                panes=or_variable({"type": "integer", "minimum": 1, "maximum": 10_000}),
                exact=or_variable({"type": "boolean"}),
            ),
            "not": {"properties": {"exact": {"const": True}}, "required": ["exact", "panes"]},
        },
        _form("events", events=or_variable({"type": "integer", "minimum": 1, "maximum": 10**7})),
        _form(
            "half_life",
            half_life={"type": "string", "pattern": rf"{DURATION}|^[0-9]+ events?$"},
        ),
        _form("tumbling", tumbling=_TEXT),
    ]
}

Duration = Annotated[str, BeforeValidator(_duration), WithJsonSchema(_TEXT)]
"""Text such as ``1h30m``; :func:`losswatch.core.window.parse_duration` gives the seconds."""

_Window = Annotated[
    Window,
    PlainValidator(_window),
    PlainSerializer(attrgetter("label"), return_type=str),
    WithJsonSchema(_SCHEMA),
]

Windows = Annotated[
    list[_Window],
    Field(max_length=MOST),
    AfterValidator(_apart),
]
