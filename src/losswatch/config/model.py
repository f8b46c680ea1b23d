"""Every key of the YAML, its default and its meaning.

Together with the sections this is the only list of them: the loader,
``losswatch schema`` and the test of ``docs/configuration.md`` all read it.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationInfo, field_validator

from losswatch.config.alarms import AlarmConfig, ObjectiveConfig
from losswatch.config.fields import SEGMENT, conflict_of
from losswatch.config.http import HttpConfig
from losswatch.config.join import JoinConfig
from losswatch.config.kafka import DeadLettersConfig, KafkaConfig
from losswatch.config.monitor import MonitorConfig
from losswatch.config.schema import VARIABLE, SchemaWithVariables
from losswatch.config.section import Located, Section, twice, wrong, wrong_at
from losswatch.config.segments import SegmentsConfig
from losswatch.config.socket import SocketConfig
from losswatch.config.source import ARROW_SUFFIXES, COLUMNS, SourceConfig, format_of
from losswatch.config.tls import TlsConfig
from losswatch.config.web import (
    ADDRESS,
    HttpServerConfig,
    RateLimitConfig,
    WebConfig,
    WebFileConfig,
    check_address,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ARROW_SUFFIXES",
    "COLUMNS",
    "AlarmConfig",
    "Config",
    "DeadLettersConfig",
    "HttpConfig",
    "HttpServerConfig",
    "JoinConfig",
    "KafkaConfig",
    "MonitorConfig",
    "ObjectiveConfig",
    "RateLimitConfig",
    "SegmentsConfig",
    "SocketConfig",
    "SourceConfig",
    "TlsConfig",
    "WebConfig",
    "WebFileConfig",
    "format_of",
    "json_schema",
    "labels_of",
]


class Config(Section):
    """The whole file."""

    version: Literal[1] = Field(description="Version of this format; always 1.")
    listen: str = Field(
        default="127.0.0.1:18100",
        json_schema_extra={"anyOf": [{"pattern": ADDRESS}, {"pattern": VARIABLE}]},
        description="Address and port of /metrics; port 0 takes a free one.",
    )
    state: str = Field(
        default=":memory:",
        min_length=1,
        description="Path of the file that keeps what was counted over restarts, from the folder of"
        " this YAML; `:memory:` keeps it nowhere.",
    )
    web: WebConfig = Field(
        default=WebConfig(), description="Who may use the server: TLS, passwords, limits."
    )
    monitors: list[MonitorConfig] = Field(min_length=1, description="The models to watch.")
    sources: list[SourceConfig] = Field(
        min_length=1, description="Where the events of all models come from."
    )

    @field_validator("listen", mode="before")
    @classmethod
    def _address_and_port(cls, listen: object) -> object:
        return check_address(listen)

    @field_validator("web")
    @classmethod
    def _probes_apart(cls, web: WebConfig, info: ValidationInfo) -> WebConfig:
        listen = info.data.get("listen")
        if web.probe_listen == listen and listen is not None and not listen.endswith(":0"):
            problem = f"is {listen}, the address of listen; must be another"
            raise wrong_at([(("probe_listen",), problem)])
        return web

    @field_validator("monitors")
    @classmethod
    def _one_monitor_a_model(cls, monitors: list[MonitorConfig]) -> list[MonitorConfig]:
        if found := twice([monitor.model for monitor in monitors]):
            raise wrong("has the model {twice} twice; keep one monitor for each", twice=found)
        return monitors

    @field_validator("sources")
    @classmethod
    def _known_models(cls, sources: list[SourceConfig], info: ValidationInfo) -> list[SourceConfig]:
        known = {monitor.model for monitor in info.data.get("monitors", ())}
        unknown = {s.model for s in sources if s.model is not None and s.model not in known}
        if known and unknown:
            raise wrong(
                "gives events to {models}, which no monitor watches; declared: {known}",
                models=", ".join(sorted(unknown)),
                known=", ".join(sorted(known)),
            )
        return sources

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: list[SourceConfig]) -> list[SourceConfig]:
        for kind, names in _names_of(sources).items():
            if found := twice(names):
                raise wrong(
                    "has the {kind} {twice} twice; its events would count twice",
                    kind=kind,
                    twice=found,
                )
        return sources

    @field_validator("sources")
    @classmethod
    def _dead_letters_apart(cls, sources: list[SourceConfig]) -> list[SourceConfig]:
        names = _names_of(sources)
        for kafka in (source.kafka for source in sources if source.kafka):
            letters = kafka.dead_letters
            if letters and letters.topic in names["kafka topic"]:
                raise wrong(
                    "sends dead letters to {topic}, which is read; take another topic",
                    topic=letters.topic,
                )
            if letters and letters.file and os.path.normpath(letters.file) in names["file"]:
                raise wrong(
                    "writes dead letters to {file}, which is read; take another file",
                    file=letters.file,
                )
        return sources

    @field_validator("sources")
    @classmethod
    def _known_labels(cls, sources: list[SourceConfig], info: ValidationInfo) -> list[SourceConfig]:
        if "monitors" in info.data:
            labels = labels_of(info.data["monitors"])
            problems: list[Located] = [
                ((index, "fields", *place), message)
                for index, source in enumerate(sources)
                for place, message in _field_problems(source, labels)
            ]
            if problems:
                raise wrong_at(problems)
        return sources


def labels_of(monitors: Iterable[MonitorConfig]) -> list[str]:
    """Return the labels that any monitor splits by, in order."""
    return sorted({label for monitor in monitors for label in monitor.labels})


def _names_of(sources: list[SourceConfig]) -> dict[str, list[str]]:
    """Return the names that events come by, of each kind of source."""
    return {
        "file": [os.path.normpath(source.file) for source in sources if source.file],
        "http path": [source.http.path for source in sources if source.http],
        "socket": [os.path.normpath(source.socket.path) for source in sources if source.socket],
        "kafka topic": [
            topic for source in sources if source.kafka for topic in source.kafka.topics
        ],
        "kafka group": [source.kafka.group for source in sources if source.kafka],
    }


def _field_problems(
    source: SourceConfig, labels: list[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with the fields of a source, given what the monitors split by."""
    known = {f"{SEGMENT}{label}" for label in labels}
    unknown = [name for name in source.fields if name.startswith(SEGMENT) and name not in known]
    for name in unknown:
        declared = ", ".join(labels) or "none: give a monitor segments with labels"
        yield (name,), f"is a label that no monitor splits by; declared: {declared}"
    if not unknown and (problem := conflict_of(source.fields, source.lines, labels)):
        yield (), problem


def json_schema() -> dict[str, object]:
    """Return the JSON schema of the YAML, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "losswatch",
        **{
            key: value
            for key, value in Config.model_json_schema(schema_generator=SchemaWithVariables).items()
            if key != "title"
        },
    }
