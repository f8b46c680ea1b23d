"""What every section of the YAML is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ABOVE", "Located", "Name", "Section", "twice", "wrong", "wrong_above", "wrong_at"]

Name = Annotated[str, Field(min_length=1, max_length=128)]


ABOVE = "losswatch_above"
"""The type of an error that is one of the section around the key."""

Located = tuple[tuple[str | int, ...], str]
"""A place in what is validated, and what is wrong there."""


class Section(BaseModel):
    """Keys are strict, and so are their values."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def wrong(message: str, /, **values: object) -> PydanticCustomError:
    """Return an error whose message is shown as it is."""
    return PydanticCustomError("losswatch", message, values)


def wrong_above(message: str, /, **values: object) -> PydanticCustomError:
    """Return an error of the whole section whose key is validated; see :func:`wrong`."""
    return PydanticCustomError(ABOVE, message, values)


def wrong_at(problems: Iterable[Located]) -> ValidationError:
    """Return an error that holds several, each with its place in what is validated."""
    details = [
        InitErrorDetails(type=wrong("{message}", message=message), loc=place, input=None)
        for place, message in problems
    ]
    return ValidationError.from_exception_data("losswatch", details)


def twice(names: Sequence[str]) -> str:
    """Return the names that occur more than once."""
    return ", ".join(sorted({name for name in names if names.count(name) > 1}))
