"""Lines of JSON, one object each, to events.

The usual line goes through a typed decoder that reads just the fields needed.
A line that it refuses is read again by the standard library, which decides:
it knows ``NaN`` and ``Infinity``, takes several outputs, and tells what is
wrong. So one line in a million may be bad at no cost to the others.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec

from losswatch.core.events import Event, EventColumns
from losswatch.core.labels import label_value
from losswatch.errors import Reason, RejectedEvent
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.ids import id_value
from losswatch.sources.objects import read_object, walk
from losswatch.sources.records import Records
from losswatch.sources.sides import Sides
from losswatch.sources.times import time_value
from losswatch.sources.values import json_value, label, weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.sources.fields import Fields

__all__ = ["NdjsonDecoder"]

_BOM = b"\xef\xbb\xbf"

_PIECE = 64
"""Lines that are decoded singly for one of them: with one in 1,000 bad it is a sixteenth of all."""


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
    kind
        ``any``, or only a ``prediction`` or a ``truth``; see
        :class:`losswatch.sources.sides.Sides`.
    path
        Where records of any kind go, if these are not of any.
    """

    def __init__(
        self,
        fields: Fields,
        model: str | None,
        limit: int,
        kind: str = "any",
        path: str = "/api/v1/events",
    ) -> None:
        self._sides = Sides(kind, path)
        self._whole = Records(fields, model, whole=True)
        self._partial = Records(fields, model, whole=False)
        self._paths = fields.paths
        id_path = fields.paths.get("prediction_id")
        self._id_key = f'"{id_path[-1]}"'.encode() if id_path else None
        self._label_paths = {name: fields.paths[field] for name, field in fields.segment.items()}
        self._default_model = model
        self._limit = limit

    def decode(self, lines: Sequence[bytes], first: int) -> Batch:
        """Decode lines; see :class:`losswatch.sources.base.Decoder`."""
        batch = self._decode_together(lines, first)
        if batch is not None:
            return batch
        # A few at a time: so a bad one makes only its neighbours slow. Here, and not a call below,
        # as how deep a line may be nested depends on how deep the calls are.
        batch, columns = Batch(lines=len(lines)), []
        for start in range(0, len(lines), _PIECE):
            some, number = lines[start : start + _PIECE], first + start
            together = self._decode_together(some, number) if len(some) < len(lines) else None
            part = self._decode_singly(some, number) if together is None else together
            columns.append(part.columns)
            batch.events += part.events
            batch.refused += part.refused
        batch.columns = EventColumns.join(columns)
        return batch

    def decode_cut(self, line: bytes, number: int) -> Batch:
        """Decode a line without line feed: the brace at its end tells that it is whole."""
        return self.decode([line], number)

    def _decode_together(self, lines: Sequence[bytes], first: int) -> Batch | None:
        """Return ``None`` if one of them is bad, or has several outputs."""
        text = b"\n".join(lines)
        # All together are mostly shorter than a line may be: then none is looked at.
        if len(text) > self._limit and max(map(len, lines), default=0) > self._limit:
            return None
        if not _is_utf8(text):
            return None
        reader = self._partial if self._may_be_partial(text) else self._whole
        try:
            columns = reader.columns(
                list(map(reader.read, lines)), range(first, first + len(lines))
            )
        except (msgspec.DecodeError, RecursionError, RejectedEvent):
            return None
        if reader is self._partial and not self._sides.fit(columns):
            return None
        return Batch(columns, lines=len(lines))

    def _may_be_partial(self, text: bytes) -> bool:
        """Tell whether a record may have an id, or must have one."""
        if self._sides.kind != "any":
            return True
        # A backslash may spell the key another way.
        return self._id_key is not None and (self._id_key in text or b"\\" in text)

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
                    record = read_object(line)
                    model = label(walk(record, self._paths.get("model"))) or model
                    events.append(self._event(record, model, number))
            except RejectedEvent as rejection:
                batch.refused.append(Refusal(number, rejection.reason, rejection.detail, model))
        batch.columns = self._partial.columns(records, numbers)
        batch.events = events
        return batch

    def _typed(self, line: bytes) -> Any | None:  # noqa: ANN401  # a type made at run time
        """Return the record of a line, ``None`` if it needs a closer look."""
        try:
            record = self._partial.read(line)
            self._sides.check(*self._partial.sides(record))
        except (msgspec.DecodeError, RecursionError, RejectedEvent):
            return None
        return record

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
        prediction_id = id_value(walk(record, paths.get("prediction_id"), Reason.INVALID_ID))
        y_true, y_pred = (walk(record, paths[name]) for name in ("y_true", "y_pred"))
        self._sides.check(y_true, y_pred, prediction_id)
        return Event(
            model=model,
            y_true=None if y_true is None else json_value("y_true", y_true),
            y_pred=None if y_pred is None else json_value("y_pred", y_pred),
            w=weight(walk(record, paths.get("w"))),
            line=number,
            time=time_value(walk(record, paths.get("time"), Reason.INVALID_TIME)),
            segment=self._segment_of(record),
            prediction_id=prediction_id,
        )

    def _segment_of(self, record: object) -> dict[str, str | None] | None:
        return {
            name: label_value(name, walk(record, path, Reason.INVALID_SEGMENT))
            for name, path in self._label_paths.items()
        } or None


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False
