"""The keys of a source."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from losswatch.config.fields import FIELD_NAME, FieldName, conflict_of
from losswatch.config.http import HttpConfig  # noqa: TC001  # pydantic reads it
from losswatch.config.kafka import KafkaConfig  # noqa: TC001  # pydantic reads it
from losswatch.config.schema import or_variable
from losswatch.config.section import Name, Section, wrong, wrong_above
from losswatch.config.socket import SocketConfig  # noqa: TC001  # pydantic reads it

__all__ = ["ARROW_SUFFIXES", "COLUMNS", "SourceConfig", "format_of"]

ARROW_SUFFIXES = (".parquet", ".arrow", ".feather")
"""How files are named that are read in columns; their first bytes tell which format it is."""

COLUMNS = "parquet"
"""The format of all of them."""

_IN_COLUMNS = r"\.(parquet|arrow|feather)(\.gz)?$"
_KINDS = ("file", "http", "socket", "kafka")
_TAKES = {"http": "NDJSON", "kafka": "NDJSON", "socket": "columns"}


class SourceConfig(Section):
    """One place where events come from: a file, requests, workers, or topics."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [kind]} for kind in _KINDS],
            "dependentSchemas": {
                "socket": {"properties": dict.fromkeys(("fields", "max_line_bytes"), False)}
            },
            "dependentRequired": {key: ["file"] for key in ("follow", "format", "delimiter")},
            "if": {"properties": {"file": {"pattern": _IN_COLUMNS}}, "required": ["file"]},
            "then": {
                "properties": {
                    "follow": or_variable({"const": False}),
                    "format": or_variable({"type": "null"}),
                    "delimiter": False,
                }
            },
        }
    )

    file: str | None = Field(
        default=None,
        min_length=1,
        description="Path of the file, from the folder of this YAML; `-` is standard input.",
    )
    http: HttpConfig | None = Field(
        default=None,
        description="Events are posted to losswatch; {} takes the defaults.",
    )
    socket: SocketConfig | None = Field(
        default=None, description="Worker processes on this machine send events."
    )
    kafka: KafkaConfig | None = Field(
        default=None, validate_default=True, description="Topics that are read."
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
        description="Your names of the fields y_true, y_pred, w, model, time, prediction_id and"
        " segment.<label>. In JSON a dot goes into an object: payload.actual.",
    )
    max_line_bytes: int = Field(
        default=1_048_576, ge=1, description="A longer line is refused (line_too_long)."
    )

    @field_validator("kafka")
    @classmethod
    def _one_of_all(cls, kafka: KafkaConfig | None, info: ValidationInfo) -> KafkaConfig | None:
        others = [kind for kind in _KINDS[:-1] if info.data.get(kind, "wrong") is not None]
        given = [*others, *(["kafka"] if kafka else [])]
        if len(given) != 1:
            raise wrong_above(
                "has {given} of file, http, socket and kafka; must have one: {file: events.ndjson},"
                " {http: {}}, {socket: {path: losswatch.sock}} or"
                " {kafka: {brokers: ..., topics: [...]}}",
                given=" and ".join(given) or "none",
            )
        return kafka

    @field_validator("follow", "format", "delimiter")
    @classmethod
    def _of_a_file(cls, value: object, info: ValidationInfo) -> object:
        for kind in _KINDS[1:]:
            if info.data.get("file", "") is None and info.data.get(kind):
                raise wrong(
                    "is for a file; {kind} takes {what}: remove it", kind=kind, what=_TAKES[kind]
                )
        return value

    @field_validator("fields", "max_line_bytes")
    @classmethod
    def _of_records(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("socket"):
            raise wrong("is for records of your own; workers send columns: remove it")
        return value

    @field_validator("follow", "format", "delimiter")
    @classmethod
    def _of_lines(cls, value: object, info: ValidationInfo) -> object:
        file = info.data.get("file")
        if value and format_of(file) == COLUMNS:
            raise wrong("is for files of lines; {file} is read in columns: remove it", file=file)
        return value

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
        kind = info.data.get("format") or format_of(info.data.get("file"))
        if problem := conflict_of(fields, kind):
            raise wrong("{problem}", problem=problem)
        return fields

    @property
    def kind(self) -> Literal["file", "http", "socket", "kafka"]:
        """Which of them it is."""
        if self.kafka is not None:
            return "kafka"
        if self.socket is not None:
            return "socket"
        return "http" if self.http is not None else "file"

    @property
    def lines(self) -> str:
        """The format of its records: ``ndjson``, ``csv`` or ``parquet``."""
        by_name = format_of(self.file)
        return by_name if by_name == COLUMNS else self.format or by_name

    @property
    def title(self) -> str:
        """What it reads, for people."""
        if self.kafka is not None:
            return f"kafka {' '.join(self.kafka.topics)}"
        if self.http is not None:
            return f"http {self.http.path}"
        if self.socket is not None:
            return f"socket:{self.socket.path}"
        return "stdin" if self.file == "-" else str(self.file)


def format_of(file: str | None) -> str:
    """Return the format of a file that is named like this, or of records that are in none."""
    name = (file or "").removesuffix(".gz")
    if name.endswith(ARROW_SUFFIXES):
        return COLUMNS
    return "csv" if name.endswith(".csv") else "ndjson"
