"""Lines of CSV with a header to events. One line is one record."""

from __future__ import annotations

import csv
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from losswatch.core.events import Event, EventColumns
from losswatch.errors import Reason, RejectedEvent
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.ids import id_column, id_value
from losswatch.sources.sides import Sides
from losswatch.sources.times import time_cell, time_cells
from losswatch.sources.values import (
    float_column,
    segment_cell,
    segment_column,
    side_column,
    text_value,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losswatch.sources.fields import Fields

__all__ = ["CsvDecoder"]


class CsvDecoder:
    """Decodes CSV; the first line is the header.

    If the header lacks ``y_true`` or ``y_pred``, or a column that ``fields``
    names, it and every line after it is refused (``wrong_header``): the count
    tells how many events are lost. With ``prediction_id`` it may lack one of
    the two: then the file holds truths alone, or predictions.

    Parameters
    ----------
    fields
        The columns of the fields; here a dot is part of the name.
    model
        The model of records that name none.
    limit
        The longest line, in bytes.
    delimiter
        Between cells.
    """

    def __init__(self, fields: Fields, model: str | None, limit: int, delimiter: str = ",") -> None:
        self._fields = fields.places
        self._named = fields.named
        self._segment = fields.segment
        self._sides = Sides()
        self._default_model = model
        self._limit = limit
        self._delimiter = delimiter
        self._header: list[str] | None = None
        self._places: dict[str, int] = {}
        self._wrong = ""

    def decode(self, lines: Sequence[bytes], first: int) -> Batch:
        """Decode lines; see :class:`losswatch.sources.base.Decoder`."""
        return self._decode_together(lines, first) or self._decode_singly(lines, first)

    @property
    def header(self) -> list[str] | None:
        """The cells of the header, ``None`` before it was read; it may be given instead."""
        return self._header

    @header.setter
    def header(self, cells: list[str] | None) -> None:
        if cells is not None:
            with suppress(RejectedEvent):  # refused when it was read
                self._read_header(cells)

    def decode_cut(self, line: bytes, number: int) -> Batch:
        """Refuse a record without line feed: the end of its last number may be missing."""
        del line
        detail = "the file was taken away before the line feed of this record was written"
        refusal = Refusal(number, Reason.INVALID_CSV, detail, self._default_model)
        return Batch(refused=[refusal], lines=1)

    def _decode_together(self, lines: Sequence[bytes], first: int) -> Batch | None:
        """Return ``None`` if one of them needs a closer look."""
        text = b"\n".join(lines)
        if not self._header or self._wrong or b'"' in text or not text.isascii():
            return None
        rows = [line.split(self._delimiter) for line in text.decode().split("\n")]
        long = len(text) > self._limit and max(map(len, lines), default=0) > self._limit
        if long or set(map(len, rows)) != {len(self._header)}:
            return None
        cells = list(zip(*rows, strict=True))
        found = {field: cells[place] for field, place in self._places.items()}
        numbers = range(first, first + len(lines))
        try:
            columns = self._columns(found, numbers)
        except RejectedEvent:
            return None
        if columns is None or (columns.prediction_id and not self._sides.fit(columns)):
            return None
        return Batch(columns, lines=len(lines))

    def _columns(
        self, found: Mapping[str, Sequence[str]], lines: Sequence[int]
    ) -> EventColumns | None:
        """Return the events of columns of cells, ``None`` if a number is not just that.

        Raises
        ------
        RejectedEvent
            A time, a label or an id cannot be used.
        """
        absent = ("",) * len(lines)
        ids = id_column([cell.strip() for cell in found.get("prediction_id", ())])
        column = side_column if ids else float_column
        y_true, y_pred = (column(found.get(field, absent)) for field in ("y_true", "y_pred"))
        w = float_column(found["w"]) if "w" in found else [1.0] * len(lines)
        if not (y_true and y_pred and w):
            return None
        default = self._default_model
        return EventColumns(
            model=[name.strip() or default for name in found.get("model", absent)],
            y_true=y_true,
            y_pred=y_pred,
            w=w,
            line=lines,
            time=time_cells(found.get("time", ())),
            segment={
                name: segment_column(name, found.get(field, absent), segment_cell)
                for name, field in self._segment.items()
            },
            prediction_id=ids,
        )

    def _decode_singly(self, lines: Sequence[bytes], first: int) -> Batch:
        batch = Batch(lines=len(lines))
        events = []
        for number, line in zip(count(first), lines):
            model = self._default_model
            try:
                cells = self._cells(line)
                if self._header is None:
                    self._read_header(cells)
                elif self._wrong:
                    raise RejectedEvent(Reason.WRONG_HEADER, self._wrong)
                else:
                    model = self._model(cells)
                    events.append(self._event(cells, model, number))
            except RejectedEvent as rejection:
                batch.refused.append(Refusal(number, rejection.reason, rejection.detail, model))
        batch.columns = EventColumns.of(events)
        return batch

    def _cells(self, line: bytes) -> list[str]:
        if len(line) > self._limit:
            detail = (
                f"the line has more than {self._limit} bytes; raise max_line_bytes if it should"
            )
            raise RejectedEvent(Reason.LINE_TOO_LONG, detail)
        try:
            text = line.decode("utf-8" if self._header else "utf-8-sig")
        except UnicodeDecodeError as error:
            detail = f"byte {error.start + 1} of the line is no UTF-8"
            raise RejectedEvent(Reason.INVALID_UTF8, detail) from None
        if not text.strip():
            raise RejectedEvent(Reason.EMPTY_LINE, "the line is empty; must be a CSV record")
        if '"' not in text:
            return text.split(self._delimiter)
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True))
        except (csv.Error, StopIteration) as error:
            detail = f"{error}; must be one CSV record a line"
            raise RejectedEvent(Reason.INVALID_CSV, detail) from None

    def _read_header(self, cells: list[str]) -> None:
        self._header = [cell.strip() for cell in cells]
        self._places = {
            field: self._header.index(column)
            for field, column in self._fields.items()
            if column in self._header
        }
        needed = {"y_true", "y_pred", *self._named}
        if "prediction_id" in self._places and not {"y_true", "y_pred"}.isdisjoint(self._places):
            needed -= {"y_true", "y_pred"}
        missing = [
            c for field, c in self._fields.items() if field in needed and field not in self._places
        ]
        twice = [c for c in self._fields.values() if self._header.count(c) > 1]
        if twice:
            self._wrong = f"the header has the column {' and '.join(twice)} twice; keep one"
        if missing:
            self._wrong = (
                f"the header is {self._delimiter.join(self._header)!r:.120}; it lacks "
                f"{' and '.join(missing)}: map the columns with fields, or set delimiter"
            )
        if self._wrong:
            raise RejectedEvent(Reason.WRONG_HEADER, self._wrong)

    def _model(self, cells: list[str]) -> str | None:
        """Return the model of a record, which must have as many cells as the header."""
        if len(cells) != len(self._header or ()):
            detail = f"the record has {len(cells)} cells; the header has {len(self._header or ())}"
            raise RejectedEvent(Reason.INVALID_CSV, detail)
        place = self._places.get("model")
        return self._default_model if place is None else cells[place].strip() or self._default_model

    def _event(self, cells: list[str], model: str | None, number: int) -> Event:
        found = {field: cells[place] for field, place in self._places.items()}
        w = found.get("w", "")
        prediction_id = id_value(found.get("prediction_id", "").strip())
        sides = {field: found.get(field, "").strip() or None for field in ("y_true", "y_pred")}
        self._sides.check(sides["y_true"], sides["y_pred"], prediction_id)
        y_true, y_pred = (
            None if text is None else text_value(field, text) for field, text in sides.items()
        )
        return Event(
            model=model,
            y_true=y_true,
            y_pred=y_pred,
            w=text_value("w", w) if w.strip() else 1.0,
            line=number,
            time=time_cell(found.get("time", "")),
            segment={
                name: segment_cell(name, found.get(field, ""))
                for name, field in self._segment.items()
            }
            or None,
            prediction_id=prediction_id,
        )
