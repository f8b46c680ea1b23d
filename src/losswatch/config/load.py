"""Read the YAML, or say everything that is wrong with it."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from losswatch.config.document import Document, Path, read_document, show_path
from losswatch.config.model import Config, SourceConfig
from losswatch.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path as FilePath

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

__all__ = ["load_config", "parse_config", "parse_source"]


def load_config(path: FilePath, environment: Mapping[str, str] | None = None) -> Config:
    """Read a config file.

    Raises
    ------
    ConfigError
        With every problem: file, line, path, what was found and the remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ConfigError(str(path), [Problem(0, "", message)]) from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), [Problem(0, "", "is no UTF-8 text")]) from None
    return parse_config(text, str(path), environment)


def parse_config(
    text: str, name: str = "config", environment: Mapping[str, str] | None = None
) -> Config:
    """Read a config from text; see :func:`load_config`."""
    document = read_document(text, os.environ if environment is None else environment)
    problems = document.problems
    config = None
    if document.data is None and not problems:
        problems = [Problem(0, "", "is empty; the least is in config/minimal.yml")]
    elif document.data is not None:
        try:
            config = Config.model_validate(document.data)
        except ValidationError as error:
            unset = {(problem.line, problem.path) for problem in problems}
            found = [_problem(details, document) for details in error.errors()]
            problems += [p for p in found if (p.line, p.path) not in unset]
    if problems or config is None:
        raise ConfigError(name, sorted(problems, key=lambda problem: problem.line))
    return config


def parse_source(settings: Mapping[str, object]) -> SourceConfig:
    """Return a source given as on the command line.

    Raises
    ------
    ConfigError
        With every problem.
    """
    try:
        return SourceConfig.model_validate(dict(settings))
    except ValidationError as error:
        found = [
            Problem(0, show_path(d["loc"]), _message(d, ("sources", 0, *d["loc"])))
            for d in error.errors()
        ]
        raise ConfigError("command line", found) from None


def _problem(details: ErrorDetails, document: Document) -> Problem:
    path = tuple(step for step in details["loc"] if step != "[key]")
    return Problem(document.line_of(path), show_path(path), _message(details, path))


def _message(details: ErrorDetails, path: Path) -> str:
    if details["type"] == "extra_forbidden":
        return _unknown_key(str(path[-1]), _keys_at(path[:-1]))
    if details["type"] == "missing":
        return f"is missing; add it: {_description_at(path)}"
    message = details["msg"].removeprefix("Input ").removeprefix("Value error, ")
    message = message.replace("should be", "must be", 1).replace("should have", "must have", 1)
    return f"is {details['input']!r:.80}; {message}"


def _unknown_key(key: str, allowed: list[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"is no key here; {guess}allowed: {', '.join(allowed)}"


def _keys_at(path: Path) -> list[str]:
    section = _section_at(path)
    return list(section.model_fields) if section else []


def _description_at(path: Path) -> str:
    section = _section_at(path[:-1])
    field = section.model_fields.get(str(path[-1])) if section else None
    return (field.description if field else None) or "it is required"


def _section_at(path: Path) -> type[BaseModel] | None:
    """Return the section of the config that stands at a path."""
    section: type[BaseModel] | None = Config
    for step in path:
        if section is not None and isinstance(step, str):
            section = _section_in(section.model_fields.get(step))
    return section


def _section_in(field: FieldInfo | None) -> type[BaseModel] | None:
    """Return the section that a key holds, or holds a list of."""
    for kind in get_args(field.annotation) if field else ():
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
