"""What the messages about a wrong config say: what was found, and what is allowed."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

from losswatch.config.fields import FIELD_KEYS
from losswatch.config.model import Config
from losswatch.config.section import ABOVE

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from losswatch.config.document import Path

__all__ = ["is_secret", "message_of", "path_of"]

_RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be keys with values; allowed: {keys}",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "model_type": "must be keys with values; allowed: {keys}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "string_type": "must be text; put it in quotes if it is",
    "string_unicode": "must be Unicode text",
    "too_long": "must have at most {max_length} items; it has {actual_length}",
    "too_short": "must have at least one item",
}
"""By pydantic's name of the error; what is not here has a message of its own."""


def path_of(details: ErrorDetails, start: Path = ()) -> Path:
    """Return where an error is."""
    place = details["loc"][:-1] if details["type"] == ABOVE else details["loc"]
    return (*start, *(step for step in place if step != "[key]"))


def is_secret(path: Path, root: type[BaseModel] = Config) -> bool:
    """Tell whether what stands at a path is shown to nobody."""
    section: type[BaseModel] | None = root
    for step in path:
        field = section.model_fields.get(str(step)) if section is not None else None
        if field and (field.json_schema_extra or {}).get("writeOnly"):  # type: ignore[union-attr]
            return True
        if isinstance(step, str):
            section = _section_in(field)
    return False


def message_of(details: ErrorDetails, path: Path, root: type[BaseModel] = Config) -> str:
    """Return what was found at a path, what is allowed and how to mend it."""
    keys = _keys_at(path, root)
    if details["type"] == "extra_forbidden":
        return _unknown_key(str(path[-1]), _keys_at(path[:-1], root))
    if details["loc"][-1:] == ("[key]",):
        return _of_a_key(details, path)
    if details["type"] == "missing":
        return f"is missing; needed: {_description_at(path, root)}"
    if details["type"] not in _RULES:
        return details["msg"]
    values = {"keys": ", ".join(keys), **details.get("ctx", {})}
    shape = details["input"] is None or isinstance(details["input"], dict | list)
    found = _shown(details["input"]) if shape or not is_secret(path, root) else "hidden"
    return f"is {found}; {_RULES[details['type']].format_map(values)}"


def _shown(value: object) -> str:
    """Return a value as it stands in YAML, cut to a length that fits a line."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping" if value else "{}"
    if isinstance(value, list):
        return "a list" if value else "[]"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, dt.date) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_key(key: str, allowed: list[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"is no key here; {guess}allowed: {', '.join(allowed)}"


def _of_a_key(details: ErrorDetails, path: Path) -> str:
    """Return what is wrong with a key that the user chose."""
    if "fields" in path:
        return _unknown_key(str(path[-1]), FIELD_KEYS)
    return f"is no name of a user; must be text without a colon ({details['msg'].lower()})"


def _keys_at(path: Path, root: type[BaseModel]) -> list[str]:
    if path[-1:] == ("fields",):
        return FIELD_KEYS
    if path[-1:] == ("settings",):
        return ["those of librdkafka"]
    if path[-1:] == ("basic_auth_users",):
        return ["names of users"]
    section = _section_at(path, root)
    return list(section.model_fields) if section else ["each of the labels"]


def _description_at(path: Path, root: type[BaseModel]) -> str:
    section = _section_at(path[:-1], root)
    field = section.model_fields.get(str(path[-1])) if section else None
    return (field.description if field else None) or "it is required"


def _section_at(path: Path, root: type[BaseModel]) -> type[BaseModel] | None:
    """Return the section that stands at a path."""
    section: type[BaseModel] | None = root
    for step in path:
        if section is not None and isinstance(step, str):
            section = _section_in(section.model_fields.get(step))
    return section


def _section_in(field: FieldInfo | None) -> type[BaseModel] | None:
    """Return the section that a key holds, or holds a list of."""
    for kind in (field.annotation, *get_args(field.annotation)) if field else ():
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
