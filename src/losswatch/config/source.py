"""The keys of a source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from losswatch.config.fields import FIELD_NAME, FieldName, conflict_of
from losswatch.config.section import Name, Section, wrong

__all__ = ["SourceConfig", "format_of"]


class SourceConfig(Section):
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
        json_schema_extra={"propertyNames": {"pattern": FIELD_NAME}},
        description="Your names of the fields y_true, y_pred, w, model, time and segment.<label>."
        " In JSON a dot goes into an object: payload.actual.",
    )
    max_line_bytes: int = Field(
        default=1_048_576, ge=1, description="A longer line is refused (line_too_long)."
    )

    @field_validator("follow")
    @classmethod
    def _follow_a_file(cls, follow: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        if follow and info.data.get("file") == "-":
            raise wrong("is true, but standard input is always read to its end; remove it")
        return follow

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise wrong(
                "is {delimiter}; must be one character, no quote and no line feed",
                delimiter=f"{delimiter!r:.60}",
            )
        return delimiter

    @field_validator("fields")
    @classmethod
    def _apart(cls, fields: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        kind = info.data.get("format") or format_of(info.data.get("file", ""))
        if problem := conflict_of(fields, kind):
            raise wrong("{problem}", problem=problem)
        return fields


def format_of(file: str) -> str:
    """Return the format of a file that is named like this."""
    return "csv" if file.removesuffix(".gz").endswith(".csv") else "ndjson"
