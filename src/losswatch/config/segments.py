"""Segments as they stand in the YAML."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticKnownError

from losswatch.config.schema import VARIABLE, or_variable
from losswatch.config.section import Section, twice, wrong, wrong_at
from losswatch.config.windows import Duration  # noqa: TC001  # pydantic reads it
from losswatch.core.labels import LONGEST_VALUE, RESERVED, check_label, label_text

__all__ = ["SegmentsConfig"]


def _label(name: str) -> str:
    try:
        check_label(name)
    except ValueError as error:
        raise wrong("{error}", error=str(error)) from None
    return name


def _value(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticKnownError("string_type")
    try:
        return label_text(value)
    except ValueError as error:
        raise wrong("{error}", error=str(error)) from None


_LABEL_SCHEMA = {
    "type": "string",
    "pattern": rf"^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$|{VARIABLE}",
    "not": {"enum": sorted(RESERVED)},
}
Label = Annotated[str, AfterValidator(_label), WithJsonSchema(_LABEL_SCHEMA)]
_VALUE_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE},
        {"type": "integer"},
    ]
}
LabelValue = Annotated[str, BeforeValidator(_value), WithJsonSchema(or_variable(_VALUE_SCHEMA))]


class SegmentsConfig(Section):
    """Which label sets of a model get a cost of their own."""

    labels: list[Label] = Field(
        min_length=1,
        max_length=10,
        description="The labels whose values together name a segment, for example city and tier;"
        " they are read from segment.city and segment.tier, or from where fields says.",
    )
    limit: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="So many segments at most; the events of further ones count together.",
    )
    idle: Duration = Field(
        default="24h",
        description="A segment without an event for so long is retired.",
    )
    declared: list[dict[str, LabelValue]] = Field(
        default=[],
        description="Label sets that are there from the start and never retired; each has all"
        " the labels.",
    )

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: list[str]) -> list[str]:
        if found := twice(labels):
            raise wrong("has {twice} twice; keep one", twice=found)
        return labels

    @field_validator("declared")
    @classmethod
    def _whole(cls, declared: list[dict[str, str]], info: ValidationInfo) -> list[dict[str, str]]:
        labels, limit = info.data.get("labels"), info.data.get("limit")
        if labels is not None:
            rule = f"must have each of {', '.join(labels)} and no other"
            problems = [
                ((index,), f"has the labels {', '.join(given) or 'none'}; {rule}")
                for index, given in enumerate(declared)
                if set(given) != set(labels)
            ]
            if problems:
                raise wrong_at(problems)
        if found := twice([_shown(given) for given in declared]):
            raise wrong("has {twice} twice; keep one", twice=f"{found:.200}")
        if limit is not None and len(declared) > limit:
            raise wrong(
                "has {n} segments; must have at most {limit}: raise limit if all are needed",
                n=len(declared),
                limit=limit,
            )
        return declared


def _shown(segment: dict[str, str]) -> str:
    pairs = ", ".join(f"{label}: {value}" for label, value in sorted(segment.items()))
    return f"{{{pairs}}}"
