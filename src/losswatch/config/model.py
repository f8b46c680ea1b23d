"""Every key of the YAML, its default and its meaning.

This is the only list of them: the loader, ``losswatch schema`` and the test of
``docs/configuration.md`` all read it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

__all__ = ["Config", "MonitorConfig", "SourceConfig", "json_schema"]

Name = Annotated[str, Field(min_length=1, max_length=128)]
FieldName = Literal["y_true", "y_pred", "w", "model"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MonitorConfig(_Section):
    """One model to watch."""

    model: Name = Field(description="The model's name: the value of the label `model`.")
    unit: Name | None = Field(
        default=None, description="Unit of the target, shown beside the RMSE, for example minutes."
    )
    outputs: list[Name] = Field(
        default=[],
        description="For a model with several outputs: their names. Then y_true and y_pred are"
        " objects with just these keys.",
    )
    buckets: list[float] | None = Field(
        default=None,
        min_length=1,
        description="Upper bounds of the buckets of losswatch_l2_loss, increasing, in the unit"
        " squared. Default: the powers of ten from 1e-6 to 1e9.",
    )

    @field_validator("buckets")
    @classmethod
    def _increasing(cls, bounds: list[float] | None) -> list[float] | None:
        if bounds and not (
            all(map(math.isfinite, bounds)) and all(a < b for a, b in pairwise(bounds))
        ):
            raise PydanticCustomError("buckets", "must be finite and increasing")
        return bounds

    @field_validator("outputs")
    @classmethod
    def _distinct(cls, outputs: list[str]) -> list[str]:
        if len(set(outputs)) < len(outputs):
            raise PydanticCustomError("outputs", "must be different names")
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
    delimiter: str = Field(
        default=",", min_length=1, max_length=1, description="Between the cells of a CSV."
    )
    model: Name | None = Field(
        default=None, description="The model of events that do not name one."
    )
    fields: dict[FieldName, Name] = Field(
        default={},
        description="Your names of the fields y_true, y_pred, w and model. In JSON a dot goes"
        " into an object: payload.actual.",
    )
    max_line_bytes: int = Field(
        default=1_048_576, ge=1, description="A longer line is refused (line_too_long)."
    )

    @model_validator(mode="after")
    def _follow_a_file(self) -> Self:
        if self.follow and self.file == "-":
            raise PydanticCustomError(
                "follow", "standard input cannot be followed: remove follow, it is read to its end"
            )
        return self


class Config(_Section):
    """The whole file."""

    version: Literal[1] = Field(description="Version of this format; always 1.")
    listen: str = Field(
        default="127.0.0.1:18100",
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        description="Address and port of /metrics; port 0 takes a free one.",
    )
    monitors: list[MonitorConfig] = Field(min_length=1, description="The models to watch.")
    sources: list[SourceConfig] = Field(
        min_length=1, description="Where the events of all models come from."
    )

    @field_validator("listen")
    @classmethod
    def _port(cls, listen: str) -> str:
        if int(listen.rpartition(":")[2]) > 65535:
            raise PydanticCustomError("port", "must have a port up to 65535")
        return listen

    @field_validator("monitors")
    @classmethod
    def _one_monitor_a_model(cls, monitors: list[MonitorConfig]) -> list[MonitorConfig]:
        names = [monitor.model for monitor in monitors]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError(
                "model",
                "must have one monitor for each model; twice: {names}",
                {"names": ", ".join(twice)},
            )
        return monitors


def json_schema() -> dict[str, object]:
    """Return the JSON schema of the YAML, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "losswatch",
        **{k: v for k, v in Config.model_json_schema().items() if k != "title"},
    }
