"""Lines of JSON, one object each, to events.

The usual line goes through a typed decoder that reads just the fields needed.
A line that it refuses is read again by the standard library, which decides:
it knows ``NaN`` and ``Infinity``, takes several outputs, and tells what is
wrong. So one line in a million may be bad at no cost to the others.
"""

from __future__ import annotations

import json
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from losswatch.core.events import Event, EventColumns
from losswatch.core.labels import label_value
from losswatch.errors import Reason, RejectedEvent
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.times import is_time, time_column, time_value
from losswatch.sources.values import (
    is_absent,
    json_value,
    label,
    segment_column,
    weight,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from losswatch.sources.fields import Fields

__all__ = ["NdjsonDecoder"]

_BOM = b"\xef\xbb\xbf"
_LONGEST_INTEGER = 200
"""Digits of a number that is kept as an integer, which takes long to read if it is long."""


class NdjsonDecoder:
    """Decodes NDJSON.

    Parameters
    ----------
    fields
        Where the fields stand.
    model
        The model of records that name none.
    limit
        The longest line, in bytes.
    """

    def __init__(self, fields: Fields, model: str | None, limit: int) -> None:
        struct, attributes = fields.struct()
        self._record = msgspec.json.Decoder(struct).decode
        self._y_true, self._y_pred, self._w, self._model, self._time = (
            _getter(attributes.get(name)) for name in ("y_true", "y_pred", "w", "model", "time")
        )
        self._segment = {name: _getter(attributes[field]) for name, field in fields.segment.items()}
        self._paths = fields.paths
        self._label_paths = {name: fields.paths[field] for name, field in fields.segment.items()}
        self._default_model = model
        self._limit = limit

    def decode(self, lines: Sequence[bytes], first: int) -> Batch:
        """Decode lines; see :class:`losswatch.sources.base.Decoder`."""
        return self._decode_together(lines, first) or self._decode_singly(lines, first)

    def decode_cut(self, line: bytes, number: int) -> Batch:
        """Decode a line without line feed: the brace at its end tells that it is whole."""
        return self.decode([line], number)

    def _decode_together(self, lines: Sequence[bytes], first: int) -> Batch | None:
        """Return ``None`` if one of them is bad, or has several outputs."""
        if max(map(len, lines), default=0) > self._limit or not _is_utf8(b"\n".join(lines)):
            return None
        try:
            records = list(map(self._record, lines))
            columns = self._columns(records, range(first, first + len(lines)))
        except (msgspec.DecodeError, RecursionError, RejectedEvent):
            return None
        return Batch(columns, lines=len(lines))

    def _columns(self, records: list[Any], lines: Sequence[int]) -> EventColumns:
        default = self._default_model
        model, w = list(map(self._model, records)), list(map(self._w, records))
        n = len(records)
        return EventColumns(
            model=[default] * n if is_absent(model) else _named(model, default),
            y_true=list(map(self._y_true, records)),
            y_pred=list(map(self._y_pred, records)),
            w=[1.0] * n if is_absent(w) else [1.0 if x is None else x for x in w],
            line=lines,
            time=time_column(list(map(self._time, records))),
            segment={
                name: segment_column(name, list(map(label_of, records)))
                for name, label_of in self._segment.items()
            },
        )

    def _decode_singly(self, lines: Sequence[bytes], first: int) -> Batch:
        batch = Batch(lines=len(lines))
        records, numbers, events = [], [], []
        for number, text in zip(count(first), lines):
            line = text.removeprefix(_BOM)
            model = self._default_model
            try:
                self._check(line)
                if (typed := self._typed(line)) is not None:
                    records.append(typed)
                    numbers.append(number)
                else:
                    record = _read(line)
                    model = label(_walk(record, self._paths.get("model"))) or model
                    events.append(self._event(record, model, number))
            except RejectedEvent as rejection:
                batch.refused.append(Refusal(number, rejection.reason, rejection.detail, model))
        batch.columns = self._columns(records, numbers)
        batch.events = events
        return batch

    def _typed(self, line: bytes) -> Any | None:  # noqa: ANN401  # a type made at run time
        """Return the record of a line, ``None`` if it needs a closer look."""
        try:
            record = self._record(line)
            time = self._time(record)
            for name, label_of in self._segment.items():
                label_value(name, label_of(record))
        except (msgspec.DecodeError, RecursionError, RejectedEvent):
            return None
        return record if time is None or is_time(time) else None

    def _check(self, line: bytes) -> None:
        """Refuse what is no line of text."""
        if len(line) > self._limit:
            detail = (
                f"the line has more than {self._limit} bytes; raise max_line_bytes if it should"
            )
            raise RejectedEvent(Reason.LINE_TOO_LONG, detail)
        if not line or line.isspace():
            raise RejectedEvent(Reason.EMPTY_LINE, "the line is empty; must be a JSON object")
        try:
            line.decode()
        except UnicodeDecodeError as error:
            detail = f"byte {error.start + 1} of the line is no UTF-8"
            raise RejectedEvent(Reason.INVALID_UTF8, detail) from None

    def _event(self, record: object, model: str | None, number: int) -> Event:
        paths = self._paths
        return Event(
            model=model,
            y_true=json_value("y_true", _walk(record, paths["y_true"])),
            y_pred=json_value("y_pred", _walk(record, paths["y_pred"])),
            w=weight(_walk(record, paths.get("w"))),
            line=number,
            time=time_value(_walk(record, paths.get("time"), Reason.INVALID_TIME)),
            segment=self._segment_of(record),
        )

    def _segment_of(self, record: object) -> dict[str, str | None] | None:
        return {
            name: label_value(name, _walk(record, path, Reason.INVALID_SEGMENT))
            for name, path in self._label_paths.items()
        } or None


def _getter(attribute: str | None) -> Callable[[Any], Any]:
    """Return what reads an attribute, or nothing where a field has no place."""
    return (lambda _: None) if attribute is None else attrgetter(attribute)


def _named(models: list[str | None], default: str | None) -> list[str | None]:
    """Return the models; those that are not named or empty are the default."""
    if {None, ""}.isdisjoint(models):
        return models
    return [model or default for model in models]


def _read(line: bytes) -> object:
    """Read a line the thorough way."""
    try:
        record = json.loads(line.decode(), parse_int=_integer)  # bytes could pass as UTF-16
    except RecursionError:
        detail = "the line is nested too deep; must be a JSON object with few levels"
        raise RejectedEvent(Reason.TOO_DEEP, detail) from None
    except json.JSONDecodeError as error:
        hint = "" if b"{" in line or b"}" in line else " (is it CSV? then the format must be csv)"
        detail = f"{error.msg}: column {error.colno}; must be one JSON object a line{hint}"
        raise RejectedEvent(Reason.INVALID_JSON, detail) from None
    if not isinstance(record, dict):
        raise RejectedEvent(Reason.WRONG_TYPE, f"{record!r:.60} is found; must be a JSON object")
    return record


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def _walk(
    record: object, path: tuple[str, ...] | None, reason: Reason = Reason.WRONG_TYPE
) -> object:
    """Return what stands at a path, ``None`` if nothing does or there is no path."""
    if path is None:
        return None
    for key in path:
        if not isinstance(record, dict):
            if record is None:
                return None
            detail = f"{record!r:.60} is found where an object with {key!r} must be"
            raise RejectedEvent(reason, detail)
        record = record.get(key)
    return record
