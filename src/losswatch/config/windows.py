"""Windows as they stand in the YAML."""

from __future__ import annotations

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
from losswatch.core.window import (
    PANES,
    HalfLife,
    Last,
    LastEvents,
    Window,
    check_apart,
    parse_duration,
    parse_window,
)

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


def _spelled(window: Window) -> object:
    """Return a window as the YAML has it: the state keeps what the YAML says."""
    if isinstance(window, LastEvents):
        return {"events": window.events}
    if isinstance(window, HalfLife):
        return {"half_life": window.label.removeprefix("half-life ")}
    if not isinstance(window, Last):
        return {"tumbling": window.label.removeprefix("tumbling ")}
    if window.panes == PANES:
        return window.label
    how = {"exact": True} if window.panes is None else {"panes": window.panes}
    return {"last": window.label, **how}


def _apart(windows: list[Window]) -> list[Window]:
    try:
        check_apart(windows)
    except ValueError as error:
        raise wrong("{error}", error=str(error)) from None
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
    PlainSerializer(_spelled),
    WithJsonSchema(_SCHEMA),
]

Windows = Annotated[
    list[_Window],
    Field(max_length=MOST),
    AfterValidator(_apart),
]
