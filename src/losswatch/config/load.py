"""Read the YAML, or say everything that is wrong with it."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from losswatch.config.document import read_document, show_path
from losswatch.config.messages import is_secret, message_of, path_of
from losswatch.config.model import Config, MonitorConfig, SourceConfig, WebFileConfig
from losswatch.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path as FilePath

    from losswatch.config.document import Path

__all__ = [
    "COMMAND_LINE",
    "load_config",
    "load_web_file",
    "parse_config",
    "parse_monitor",
    "parse_source",
]

COMMAND_LINE = "command line"
"""The name of what is wrong in settings that are given as options."""

_Section = TypeVar("_Section", MonitorConfig, SourceConfig)
_Whole = TypeVar("_Whole", Config, WebFileConfig)


def load_config(path: FilePath, environment: Mapping[str, str] | None = None) -> Config:
    """Read a config file.

    Raises
    ------
    ConfigError
        With every problem: file, line, path, what was found and the remedy.
    """
    return parse_config(_text_of(path), str(path), environment)


def parse_config(
    text: str, name: str = "config", environment: Mapping[str, str] | None = None
) -> Config:
    """Read a config from text; see :func:`load_config`."""
    return _parse_document(Config, text, name, environment)


def load_web_file(path: FilePath, environment: Mapping[str, str] | None = None) -> WebFileConfig:
    """Read a file of exporter-toolkit, its paths taken from its own folder.

    Raises
    ------
    ConfigError
        With every problem, as :func:`load_config`.
    """
    content = _parse_document(WebFileConfig, _text_of(path), str(path), environment)
    tls = content.tls_server_config
    if tls is None:
        return content
    files = {
        name: str(path.absolute().parent / value)
        for name in ("cert_file", "key_file", "client_ca_file")
        if (value := getattr(tls, name)) is not None
    }
    return content.model_copy(update={"tls_server_config": tls.model_copy(update=files)})


def _text_of(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ConfigError(str(path), [Problem(0, "", message)]) from None
    except UnicodeDecodeError:
        raise ConfigError(
            str(path), [Problem(0, "", "is no UTF-8 text; save it as UTF-8")]
        ) from None


def _parse_document(
    section: type[_Whole],
    text: str,
    name: str,
    environment: Mapping[str, str] | None,
) -> _Whole:
    """Return a document as the section that the whole of it is."""
    secret = partial(is_secret, root=section)
    document = read_document(text, os.environ if environment is None else environment, secret)
    problems = document.problems
    config = None
    if document.data is None and not problems:
        problems = [Problem(0, "", f"is empty; must have {_needed(section)}")]
    elif document.data is not None:
        try:
            config = section.model_validate(document.data)
        except ValidationError as error:
            known = {(problem.line, problem.path) for problem in problems}
            for details in error.errors():
                at: Path = path_of(details)
                line, shown = document.line_of(at), show_path(at, secret)
                if (line, shown) not in known:
                    problems.append(Problem(line, shown, message_of(details, at, section)))
    if problems or config is None:
        raise ConfigError(name, sorted(problems, key=lambda problem: problem.line))
    return config


def _needed(section: type[Config | WebFileConfig]) -> str:
    """Return the keys that must be there, or else all."""
    keys = [name for name, key in section.model_fields.items() if key.is_required()]
    *most, last = keys or section.model_fields
    return f"{', '.join(most)} {'and' if keys else 'or'} {last}"


def parse_source(settings: Mapping[str, object]) -> SourceConfig:
    """Return a source given as on the command line.

    Raises
    ------
    ConfigError
        With every problem.
    """
    return _parse(SourceConfig, settings, ("sources", 0))


def parse_monitor(settings: Mapping[str, object]) -> MonitorConfig:
    """Return a monitor given as on the command line; see :func:`parse_source`."""
    return _parse(MonitorConfig, settings, ("monitors", 0))


def _parse(section: type[_Section], settings: Mapping[str, object], place: Path) -> _Section:
    """Return a section that would stand at this place of a config."""
    try:
        return section.model_validate(dict(settings))
    except ValidationError as error:
        found = [
            Problem(0, show_path(path_of(details)), message_of(details, path_of(details, place)))
            for details in error.errors()
        ]
        raise ConfigError(COMMAND_LINE, found) from None
