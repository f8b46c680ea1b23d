"""Every key of the YAML, its default and its meaning.

This is the only list of them: the loader, ``losswatch schema`` and the test of
``docs/configuration.md`` all read it.
"""

from __future__ import annotations

import math
import os.path
import re
from itertools import combinations, pairwise
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from losswatch.config.schema import VARIABLE, SchemaWithVariables

__all__ = ["Config", "MonitorConfig", "SourceConfig", "format_of", "json_schema"]

Name = Annotated[str, Field(min_length=1, max_length=128)]
FieldName = Literal["y_true", "y_pred", "w", "model"]

_LISTEN = r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"
_NO_KEY = re.compile(r'["\\\x00-\x1f]')


def _wrong(message: str, **values: object) -> PydanticCustomError:
    """Return an error whose message is shown as it is."""
    return PydanticCustomError("losswatch", message, values)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MonitorConfig(_Section):
    """One model to watch."""

    model: Name = Field(description="The model's name: the value of the label `model`.")
    unit: Name | None = Field(
        default=None,
        description="Unit of the target, shown to people beside the numbers, for example minutes.",
    )
    outputs: list[Name] = Field(
        default=[],
        description="For a model with several outputs: their names. Then y_true and y_pred are"
        " objects with just these keys.",
    )
    buckets: list[float] | None = Field(
        default=None,
        min_length=1,
        description="Upper bounds of the buckets of losswatch_l2_loss, from 0 on and increasing, in"
        " the unit squared. Default: the powers of ten from 1e-6 to 1e9.",
    )

    @field_validator("buckets")
    @classmethod
    def _increasing(cls, bounds: list[float] | None) -> list[float] | None:
        if bounds and not (
            all(map(math.isfinite, bounds))
            and bounds[0] >= 0
            and all(a < b for a, b in pairwise(bounds))
        ):
            raise _wrong(
                "is {bounds}; must be finite, increasing, and not below 0", bounds=f"{bounds!r:.60}"
            )
        return bounds

    @field_validator("outputs")
    @classmethod
    def _distinct(cls, outputs: list[str]) -> list[str]:
        if twice := _twice(outputs):
            raise _wrong("has {twice} twice; keep one", twice=twice)
        return outputs


class SourceConfig(_Section):
    """One place where events come from."""

    file: str = Field(
        min_length=1,
        description="Path of the file, from the folder of this YAML; `-` is standard input.",
    )
    follow: bool = Field(
        default=False,
        description="Go on reading what is appended, through rotation, as `tail -F` does.",
    )
    format: Literal["ndjson", "csv"] | None = Field(
        default=None,
        description="Default: csv if the file's name ends in .csv or .csv.gz, else ndjson.",
    )
    delimiter: str = Field(default=",", description="Between the cells of a CSV; one character.")
    model: Name | None = Field(
        default=None, description="The model of events that do not name one."
    )
    fields: dict[FieldName, Name] = Field(
        default={},
        json_schema_extra={"propertyNames": {"enum": list(get_args(FieldName))}},
        description="Your names of the fields y_true, y_pred, w and model. In JSON a dot goes"
        " into an object: payload.actual.",
    )
    max_line_bytes: int = Field(
        default=1_048_576, ge=1, description="A longer line is refused (line_too_long)."
    )

    @field_validator("follow")
    @classmethod
    def _follow_a_file(cls, follow: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        if follow and info.data.get("file") == "-":
            raise _wrong("is true, but standard input is always read to its end; remove it")
        return follow

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise _wrong(
                "is {delimiter}; must be one character, no quote and no line feed",
                delimiter=f"{delimiter!r:.60}",
            )
        return delimiter

    @field_validator("fields")
    @classmethod
    def _apart(cls, fields: dict[FieldName, str], info: ValidationInfo) -> dict[FieldName, str]:
        places = {str(name): str(name) for name in get_args(FieldName)} | dict(fields.items())
        nested = (info.data.get("format") or format_of(info.data.get("file", ""))) != "csv"
        if nested:
            for name, place in places.items():
                _check_keys(name, place)
        mark = "." if nested else ""  # what goes on after it stands inside
        for (name, place), (other, another) in combinations(places.items(), 2):
            longer, shorter = max(place, another, key=len), min(place, another, key=len)
            if place == another or (mark and longer.startswith(shorter + mark)):
                raise _wrong(
                    "{name} is at {place} and {other} at {another}; give each a place of its own,"
                    " none inside another",
                    name=name,
                    place=place,
                    other=other,
                    another=another,
                )
        return fields


class Config(_Section):
    """The whole file."""

    version: Literal[1] = Field(description="Version of this format; always 1.")
    listen: str = Field(
        default="127.0.0.1:18100",
        json_schema_extra={"anyOf": [{"pattern": _LISTEN}, {"pattern": VARIABLE}]},
        description="Address and port of /metrics; port 0 takes a free one.",
    )
    monitors: list[MonitorConfig] = Field(min_length=1, description="The models to watch.")
    sources: list[SourceConfig] = Field(
        min_length=1, description="Where the events of all models come from."
    )

    @field_validator("listen", mode="before")
    @classmethod
    def _address_and_port(cls, listen: object) -> object:
        if not isinstance(listen, str) or not re.fullmatch(_LISTEN, listen):
            rule = "must be an address and a port, as in 127.0.0.1:18100"
        elif int(listen.rpartition(":")[2]) > 65535:
            rule = "must have a port up to 65535"
        else:
            return listen
        raise _wrong("is {listen}; {rule}", listen=f"{listen!r:.60}", rule=rule)

    @field_validator("monitors")
    @classmethod
    def _one_monitor_a_model(cls, monitors: list[MonitorConfig]) -> list[MonitorConfig]:
        if twice := _twice([monitor.model for monitor in monitors]):
            raise _wrong("has the model {twice} twice; keep one monitor for each", twice=twice)
        return monitors

    @field_validator("sources")
    @classmethod
    def _known_models(cls, sources: list[SourceConfig], info: ValidationInfo) -> list[SourceConfig]:
        known = {monitor.model for monitor in info.data.get("monitors", ())}
        unknown = {s.model for s in sources if s.model is not None and s.model not in known}
        if known and unknown:
            raise _wrong(
                "gives events to {models}, which no monitor watches; declared: {known}",
                models=", ".join(sorted(unknown)),
                known=", ".join(sorted(known)),
            )
        if twice := _twice([os.path.normpath(source.file) for source in sources]):
            raise _wrong("has the file {twice} twice; its events would count twice", twice=twice)
        return sources


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


def format_of(file: str) -> str:
    """Return the format of a file that is named like this."""
    return "csv" if file.removesuffix(".gz").endswith(".csv") else "ndjson"


def _twice(names: list[str]) -> str:
    """Return the names that occur more than once."""
    return ", ".join(sorted({name for name in names if names.count(name) > 1}))


def _check_keys(name: str, place: str) -> None:
    """Refuse what cannot be a path of keys in JSON."""
    if not all(place.split(".")) or _NO_KEY.search(place):
        raise _wrong(
            "{name} is at {place}; must be keys with dots between them, without quotes,"
            " backslashes and control characters",
            name=name,
            place=repr(place),
        )
