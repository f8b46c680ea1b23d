"""The keys of ``kafka``: events that are read from its topics."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from losswatch.config.schema import VARIABLE
from losswatch.config.section import Name, Section, twice, wrong, wrong_above, wrong_at

__all__ = ["DeadLettersConfig", "KafkaConfig"]

_BROKER = r"([A-Z_]+://)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}"
_BROKERS = rf"^{_BROKER}(, *{_BROKER})*$"
_TOPIC = r"^[A-Za-z0-9._-]{1,249}$"

_OURS = {
    "bootstrap.servers": "brokers",
    "metadata.broker.list": "brokers",
    "group.id": "group",
    "auto.offset.reset": "start",
    "allow.auto.create.topics": "",
    "enable.auto.commit": "",
    "enable.auto.offset.store": "",
    "enable.partition.eof": "",
    "partition.assignment.strategy": "",
}
"""What losswatch sets itself, and the key for it; positions are kept with the state."""


def _brokers(value: object) -> object:
    """Return a list of brokers, which may be written as one text."""
    return re.split(", *", value) if isinstance(value, str) else value


def _topic(topic: str) -> str:
    if not re.fullmatch(_TOPIC, topic) or topic in {".", ".."}:
        raise wrong(
            "is {topic}; must be the name of a topic: up to 249 letters, digits and . _ -",
            topic=f"{topic!r:.60}",
        )
    return topic


def _setting(value: object) -> object:
    """Return a setting as librdkafka takes it: text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


_TOPIC_SCHEMA = {"type": "string", "anyOf": [{"pattern": _TOPIC}, {"pattern": VARIABLE}]}
_BROKERS_SCHEMA = {"type": "string", "anyOf": [{"pattern": _BROKERS}, {"pattern": VARIABLE}]}

_Topic = Annotated[str, AfterValidator(_topic), WithJsonSchema(_TOPIC_SCHEMA)]
_Brokers = Annotated[
    list[str],
    BeforeValidator(_brokers),
    WithJsonSchema(
        {"anyOf": [_BROKERS_SCHEMA, {"type": "array", "items": _BROKERS_SCHEMA, "minItems": 1}]}
    ),
]
_Setting = Annotated[
    str,
    BeforeValidator(_setting),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


class DeadLettersConfig(Section):
    """Where messages go that hold no event; one of the two."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [key]} for key in ("file", "topic")]}
    )

    file: Name | None = Field(
        default=None,
        description="Path of a file that they are appended to, from the folder of this YAML.",
    )
    topic: _Topic | None = Field(
        default=None,
        validate_default=True,
        description="A topic of the same brokers that they are sent to.",
    )

    @field_validator("topic")
    @classmethod
    def _one_of_two(cls, topic: str | None, info: ValidationInfo) -> str | None:
        if "file" in info.data and (topic is None) == (info.data["file"] is None):
            has = "none" if topic is None else "both"
            raise wrong_above("has {has} of file and topic; must have one", has=has)
        return topic


class KafkaConfig(Section):
    """Topics that are read, from where the state says."""

    brokers: _Brokers = Field(
        description="Address and port of one broker or several; the others are found through them."
    )
    topics: list[_Topic] = Field(min_length=1, description="The topics that are read.")
    group: Name = Field(
        default="losswatch",
        description="The consumer group; processes of one group share the partitions.",
    )
    start: Literal["earliest", "latest"] = Field(
        default="earliest",
        description="Where a partition is begun of which the state knows no position.",
    )
    dead_letters: DeadLettersConfig | None = Field(
        default=None,
        description="Where messages go that hold no event, with reason and position: {file: ...}"
        " or {topic: ...}. Default: nowhere; they are counted and logged all the same.",
    )
    settings: dict[str, _Setting] = Field(
        default={},
        json_schema_extra={"writeOnly": True},  # there may be passwords
        description="More settings of librdkafka, for example security.protocol.",
    )

    @field_validator("brokers")
    @classmethod
    def _addresses(cls, brokers: list[str]) -> list[str]:
        bad = [broker for broker in brokers if not re.fullmatch(_BROKER, broker)]
        if bad or not brokers:
            raise wrong(
                "has {bad}; must be addresses with ports, as in localhost:9092",
                bad=f"{bad[0]!r:.60}" if bad else "none",
            )
        return brokers

    @field_validator("topics")
    @classmethod
    def _distinct(cls, topics: list[str]) -> list[str]:
        if found := twice(topics):
            raise wrong("has {twice} twice; keep one", twice=found)
        return topics

    @field_validator("dead_letters")
    @classmethod
    def _not_read_again(
        cls, dead_letters: DeadLettersConfig | None, info: ValidationInfo
    ) -> DeadLettersConfig | None:
        if dead_letters and dead_letters.topic in info.data.get("topics", ()):
            raise wrong(
                "sends to {topic}, which is read: each would come back for ever; take another",
                topic=dead_letters.topic,
            )
        return dead_letters

    @field_validator("settings")
    @classmethod
    def _not_ours(cls, settings: dict[str, str]) -> dict[str, str]:
        if problems := [((key,), _ours(key)) for key in settings if key in _OURS]:
            raise wrong_at(problems)
        return settings


def _ours(setting: str) -> str:
    if key := _OURS[setting]:
        return f"is set by losswatch; remove it, and give {key} beside settings instead"
    return "is set by losswatch, which keeps positions in its state; remove it"
