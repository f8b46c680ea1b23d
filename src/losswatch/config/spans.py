"""Spans of events or of time as they stand in the YAML."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from losswatch.config.schema import DURATION, or_variable
from losswatch.config.section import wrong
from losswatch.core.alarms.span import Span

__all__ = ["SpanText"]


def _span(value: object) -> object:
    try:
        Span.of(value)
    except ValueError as error:
        raise wrong("{error}", error=str(error)) from None
    return value


_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": rf"{DURATION}|^[0-9]+ events?$"},
        {"type": "integer", "minimum": 1},
    ]
}

SpanText = Annotated[int | str, BeforeValidator(_span), WithJsonSchema(or_variable(_SCHEMA))]
"""Text such as ``30d`` or ``1000 events``, or a number of events: what ``Span.of`` reads."""
