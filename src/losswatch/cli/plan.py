"""What the options of ``losswatch replay`` ask for, checked before a file is opened."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from losswatch.config.fields import SEGMENT, conflict_of
from losswatch.config.load import COMMAND_LINE, load_config, parse_monitor, parse_source
from losswatch.config.model import COLUMNS, SourceConfig, format_of, labels_of
from losswatch.core.monitors import UNNAMED, Monitors
from losswatch.errors import ConfigError, Problem
from losswatch.service.build import make_monitor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from losswatch.config.model import Config, MonitorConfig
    from losswatch.core.monitor import Monitor

__all__ = ["MOST_SEGMENTS", "Plan", "plan_of"]

MOST_SEGMENTS = 10_000
"""Segments of a model that ``--by`` keeps apart: each window holds all of them."""

_NEVER_IDLE = "36525d"
"""A century: the events are of the past, so no segment is retired for its age."""

_EVENTS = re.compile(r"([0-9]{1,12}) events?")

_READ = ("format", "delimiter", "model", "fields", "max_line_bytes")
"""The keys of a source that say how it is read."""


class Plan(NamedTuple):
    """How to read the files, where the events go, and whether labels and times are read."""

    settings: SourceConfig
    monitors: Monitors
    labels: list[str]
    timed: bool


def plan_of(options: argparse.Namespace, files: Sequence[str]) -> Plan:
    """Return what the options ask for.

    Raises
    ------
    ConfigError
        With every problem of the options, or of the config that they name.
    """
    _check_lines(options, files)
    if options.config is None:
        template = _template(options.by, options.window)
        settings = _settings(options, SourceConfig(file="-"), files)
        _check_fields(settings, template.labels, files, "add --by with it")
        return Plan(
            settings, Monitors(make=partial(_made, template)), template.labels, template.timed
        )
    _check_alone(options)
    config = load_config(Path(options.config))
    labels = labels_of(config.monitors)
    settings = _settings(options, _described(config), files)
    _check_model(options.model, config)
    _check_fields(
        settings, labels, files, f"labels in {options.config}: {', '.join(labels) or 'none'}"
    )
    timed = any(monitor.timed for monitor in config.monitors)
    return Plan(settings, Monitors(map(make_monitor, config.monitors)), labels, timed)


def _template(labels: Sequence[str], windows: Sequence[str]) -> MonitorConfig:
    """Return what every model gets that is taken as it comes."""
    segments = {"labels": labels, "limit": MOST_SEGMENTS, "idle": _NEVER_IDLE}
    return parse_monitor(
        {
            "model": UNNAMED,
            "windows": [*map(_window, windows)],
            "segments": segments if labels else None,
        }
    )


def _window(text: str) -> object:
    """Return a window as the YAML has it."""
    found = _EVENTS.fullmatch(text)
    return {"events": int(found[1])} if found else text


def _made(template: MonitorConfig, model: str, outputs: tuple[str, ...]) -> Monitor:
    return make_monitor(template.model_copy(update={"model": model, "outputs": [*outputs]}))


def _described(config: Config) -> SourceConfig:
    """Return the source of a config, if it has just one."""
    return config.sources[0] if len(config.sources) == 1 else SourceConfig(file="-")


def _settings(
    options: argparse.Namespace, described: SourceConfig, files: Sequence[str]
) -> SourceConfig:
    """Return how to read the files: as described, where no option says otherwise."""
    settings = {name: getattr(described, name) for name in _READ}
    settings |= {
        name: value for name in _READ if (value := getattr(options, name, None)) is not None
    }
    settings["fields"] = {**described.fields, **dict(options.field)}
    kind = _kinds(settings["format"], files)[0]
    # A name of that format: what fields may be is another for CSV.
    return parse_source({**settings, "file": "-.csv" if kind == "csv" else "-"})


def _kinds(given: str | None, files: Sequence[str]) -> list[str]:
    """Return the formats of the files; what is given is for those of lines."""
    kinds = {format_of(file) for file in files}
    return sorted(kind if kind == COLUMNS else given or kind for kind in kinds)


def _check_lines(options: argparse.Namespace, files: Sequence[str]) -> None:
    """Refuse what tells how lines are read, if no file has lines."""
    if _kinds(None, files) != [COLUMNS]:
        return
    problems = [
        Problem(0, f"--{name}", f"is for files of lines; {files[0]} is read in columns: remove it")
        for name in ("format", "delimiter")
        if getattr(options, name) is not None
    ]
    if problems:
        raise ConfigError(COMMAND_LINE, problems)


def _check_alone(options: argparse.Namespace) -> None:
    """Refuse what a config says itself."""
    rules = {"by": "segments", "window": "windows"}
    problems = [
        Problem(
            0,
            f"--{name}",
            "is for models taken as they come; with --config the YAML says the"
            f" {key} of each: remove one of the two",
        )
        for name, key in rules.items()
        if getattr(options, name)
    ]
    if problems:
        raise ConfigError(COMMAND_LINE, problems)


def _check_model(model: str | None, config: Config) -> None:
    declared = [monitor.model for monitor in config.monitors]
    if model is not None and model not in declared:
        message = f"is {model!r:.60}, which no monitor watches; declared: {', '.join(declared)}"
        raise ConfigError(COMMAND_LINE, [Problem(0, "model", f"{message:.300}")])


def _check_fields(
    settings: SourceConfig, labels: Sequence[str], files: Sequence[str], remedy: str
) -> None:
    """Refuse fields of labels that are not read, and those that do not fit together."""
    problems = [*_field_problems(settings, labels, files, remedy)]
    if problems:
        raise ConfigError(COMMAND_LINE, problems)


def _field_problems(
    settings: SourceConfig, labels: Sequence[str], files: Sequence[str], remedy: str
) -> Iterator[Problem]:
    known = {f"{SEGMENT}{label}" for label in labels}
    unknown = [n for n in settings.fields if n.startswith(SEGMENT) and n not in known]
    for name in unknown:
        yield Problem(0, f"fields.{name}", f"is a label that nothing is split by; {remedy}")
    for kind in [] if unknown else _kinds(settings.format, files):
        if problem := conflict_of(settings.fields, kind, labels):
            yield Problem(0, "fields", problem)
