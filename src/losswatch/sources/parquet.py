"""Parquet and Arrow files as a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losswatch.core.coded import Coded
from losswatch.errors import SourceError
from losswatch.sources.rows import Numbers, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType
    from typing import Any

    from losswatch.sources.arrow import Place
    from losswatch.sources.base import Batch, Outcome, Position
    from losswatch.sources.fields import Fields

__all__ = ["SUFFIXES", "ParquetSource"]

SUFFIXES = (".parquet", ".arrow", ".feather")
"""How files are named that are read as these formats."""


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

    It is read in columns, some 65,000 rows at once, and no row becomes an
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
        self._file = self._arrow.ArrowFile(Path(path))
        try:
            self._places = self._found(fields)
        except SourceError:
            self._file.close()
            raise
        self._batches: Iterator[Any] | None = self._file.batches([*self._places.values()])
        self._rows = 0

    def resume(self, position: Position) -> None:
        """Go on after the rows that a position tells; see :class:`Source`."""
        rows = position.get("rows")
        if not isinstance(rows, int) or rows < 0:
            raise SourceError(f"{self.name}: {position!r:.80} is no position of it")
        while self._rows < rows and self._batches is not None:
            if self.next_batch() is None or self._rows > rows:
                raise SourceError(f"{self.name}: has fewer rows than the {rows:,} read before")

    def next_batch(self) -> Batch | None:
        """Return the next rows; see :class:`losswatch.sources.base.Source`."""
        rows = None if self._batches is None else next(self._batches, None)
        if rows is None:
            self.close()
            return None
        batch = self._decoded(rows).batch(self._model)
        self._rows += rows.num_rows
        batch.position = {"rows": self._rows}
        return batch

    def committed(self, outcome: Outcome) -> None:
        """Nobody waits for an answer."""

    def failed(self, reason: str) -> bool:
        """The batch is to be tried again."""
        del reason
        return True

    def close(self) -> None:
        """Close the file."""
        self._batches = None
        self._file.close()

    def _found(self, fields: Fields) -> Mapping[str, Place]:
        """Return where the fields stand that the file has."""
        found = {name: self._file.find(path) for name, path in fields.paths.items()}
        places = {name: place for name, place in found.items() if place is not None}
        needed = {"y_true", "y_pred", *fields.named}
        if "prediction_id" in places and not {"y_true", "y_pred"}.isdisjoint(places):
            needed = {*fields.named}  # predictions alone, or truths
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
