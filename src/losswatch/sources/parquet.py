"""Parquet and Arrow files as a source."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losswatch.core.coded import Coded
from losswatch.errors import SourceError
from losswatch.sources.row_positions import RowPosition
from losswatch.sources.rows import Numbers, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import ModuleType
    from typing import Any

    from losswatch.sources.arrow import Place
    from losswatch.sources.base import Batch, Outcome, Position
    from losswatch.sources.fields import Fields

__all__ = ["ParquetSource"]

logger = logging.getLogger(__name__)


class _Type(NamedTuple):
    """What the column of a field may hold."""

    kinds: frozenset[str]
    rule: str


_NUMBER = _Type(frozenset({"number", "whole number"}), "numbers (integers, floats or decimals)")
_TIME = _Type(_NUMBER.kinds | {"time"}, "timestamps, dates, or numbers: seconds since 1970")
_LABEL = _Type(frozenset({"text", "whole number"}), "text, or whole numbers")
_TYPES = {
    **dict.fromkeys(("y_true", "y_pred", "w"), _NUMBER),
    "time": _TIME,
    "model": _Type(frozenset({"text"}), "text"),
    "prediction_id": _LABEL,
}


class ParquetSource:
    """A Parquet file, or an Arrow file or stream, read once from beginning to end.

    It is read in columns, some 32,000 rows at once, and no row becomes an
    object of its own unless it is refused or has a ``prediction_id``. ``line``
    is the number of the row, from 1. Two columns of numbers take about 10 ns a
    row.

    Parameters
    ----------
    path
        The file.
    fields
        The columns of the fields; a dot goes into a struct.
    model
        The model of rows that name none.

    Raises
    ------
    SourceError
        It cannot be opened, is no such file, lacks a column or has one of a
        type that cannot be used; or pyarrow is not installed.
    """

    def __init__(self, path: Path, fields: Fields, model: str | None) -> None:
        self.name = str(path)
        self._model = model
        self._segment = fields.segment
        self._arrow = _arrow()
        self._file = self._arrow.ArrowFile(path)
        try:
            start = RowPosition.start(path)
            self._places = self._found(fields)
        except SourceError:
            self._file.close()
            raise
        self._batches: Iterator[Any] | None = self._file.batches([*self._places.values()])
        self._left: Any | None = None  # rows that were read and not handed over
        self._start = start
        self._rows = 0
        self.position = 0  # bytes read of the file, about

    def resume(self, position: Position) -> None:
        """Go on after the rows that a position tells, or at the first if it is another file."""
        there = RowPosition.of(position, self.name)
        if not there.is_of(self._start):
            logger.warning("%s is another file now; reading it from its beginning", self.name)
            return
        while self._rows < there.rows and (rows := self._next()) is not None:
            known = min(rows.num_rows, there.rows - self._rows)
            self._rows += known
            self._left = rows.slice(known) if known < rows.num_rows else None
        if self._rows < there.rows:
            raise SourceError(f"{self.name}: has fewer rows than the {there.rows:,} read before")

    def next_batch(self) -> Batch | None:
        """Return the next rows; see :class:`losswatch.sources.base.Source`."""
        rows = self._next()
        if rows is None:
            self.close()
            return None
        with self._file.damage():
            batch = self._decoded(rows).batch(self._model)
        self._rows += rows.num_rows
        batch.position = replace(self._start, rows=self._rows).as_json()
        return batch

    def _next(self) -> Any | None:  # noqa: ANN401  # pyarrow tells no types
        """Return the next rows, ``None`` at the end."""
        if self._left is not None:
            rows, self._left = self._left, None
            return rows
        following = None if self._batches is None else next(self._batches, None)
        if following is None:
            return None
        share, rows = following
        self.position = int(share * self._start.size)
        return rows

    def committed(self, outcome: Outcome) -> None:
        """Nobody waits for an answer."""

    def failed(self, reason: str) -> bool:
        """The batch is to be tried again."""
        del reason
        return True

    def close(self) -> None:
        """Close the file."""
        self._batches = self._left = None
        self._file.close()

    def _found(self, fields: Fields) -> Mapping[str, Place]:
        """Return where the fields stand that the file has."""
        found = {name: self._file.find(path) for name, path in fields.paths.items()}
        places = {name: place for name, place in found.items() if place is not None}
        needed = {"y_true", "y_pred", *fields.named}
        if "prediction_id" in places and not {"y_true", "y_pred"}.isdisjoint(places):
            needed -= {"y_true", "y_pred"}  # predictions alone, or truths
        missing = [
            ".".join(path) for name, path in fields.paths.items() if name in needed - {*places}
        ]
        if missing:
            has = ", ".join(self._file.schema.names)
            raise SourceError(
                f"{self.name}: has the columns {has:.200}; it lacks {' and '.join(missing)}:"
                " map the columns with fields"
            )
        for name, place in places.items():
            self._check(name, ".".join(fields.paths[name]), place)
        return places

    def _check(self, name: str, path: str, place: Place) -> None:
        allowed = _TYPES.get(name, _LABEL)
        if self._arrow.kind_of(place.type) not in {*allowed.kinds, "nothing"}:
            raise SourceError(
                f"{self.name}: the column {path} ({name}) has the type {place.type!s:.80};"
                f" must be {allowed.rule}"
            )

    def _decoded(self, rows: Any) -> Rows:  # noqa: ANN401  # pyarrow tells no types
        arrow = self._arrow
        arrays = {name: place.of(rows) for name, place in self._places.items()}
        size = rows.num_rows

        def numbers(name: str) -> Numbers | None:
            if name not in arrays:
                return None
            read = arrow.seconds if name == "time" else arrow.floats
            return Numbers(read(arrays[name]), arrow.absent(arrays[name]))

        def texts(name: str) -> Coded:
            return arrow.coded(arrays[name]) if name in arrays else Coded.constant(None, size)

        nothing = Numbers(np.broadcast_to(np.nan, size), np.broadcast_to(np.bool_(1), size))
        return Rows(
            self._rows + 1,
            size,
            numbers("y_true") or nothing,
            numbers("y_pred") or nothing,
            numbers("w"),
            numbers("time"),
            texts("model"),
            {label: texts(field) for label, field in self._segment.items()},
            arrow.texts(arrays["prediction_id"]) if "prediction_id" in arrays else (),
        )


def _arrow() -> ModuleType:
    try:
        from losswatch.sources import arrow  # noqa: PLC0415  # an extra, and slow to import
    except ImportError as error:
        raise SourceError(
            f"Parquet and Arrow files need pyarrow ({error}): pip install 'losswatch[parquet]'"
        ) from None
    return arrow
