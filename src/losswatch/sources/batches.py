"""Batches of workers to events; what they hold is checked as that of any other source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losswatch.codec.columns import coded_of, lines_of, texts_of
from losswatch.codec.frames import LARGEST_FRAME
from losswatch.codec.tree import decode_tree
from losswatch.core.coded import Coded
from losswatch.core.events import EventColumns
from losswatch.errors import Reason, StateError
from losswatch.sources.base import Batch, Refusal
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.sources.rows import Numbers, Rows
from losswatch.sources.values import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.sources.fields import Fields

__all__ = ["BatchDecoder", "Delivered", "SpoiltBatchError", "joined"]

_MOST_LINES = 1 << 16
_MOST_REFUSED = 100_000
_LONGEST_DETAIL = 200
_LARGEST_COUNT = 1 << 53
_WRONG = (
    *(LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError),
    StateError,
)


class SpoiltBatchError(ValueError):
    """A batch cannot be read; the message says why."""


class Delivered(NamedTuple):
    """What a batch holds, and how many events its worker had to drop."""

    batch: Batch
    dropped: int


class BatchDecoder:
    """Reads batches. Thread-safe: it remembers nothing.

    Parameters
    ----------
    fields
        Which labels are read, and whether times are.
    model
        The model of events that name none.
    """

    def __init__(self, fields: Fields, model: str | None) -> None:
        self._model = model
        self._labels = [*fields.segment]
        self._timed = "time" in fields.places
        self._lines = NdjsonDecoder(fields, model, LARGEST_FRAME)

    def decode(self, body: bytes) -> Delivered:
        """Return what a batch holds, in some 0.1 µs an event.

        Raises
        ------
        SpoiltBatchError
            It is none.
        """
        try:
            return self._decode(decode_tree(body))
        except _WRONG as error:
            why = str(error).removesuffix("; restore a copy")
            raise SpoiltBatchError(f"the batch cannot be read: {why:.200}") from None

    def _decode(self, tree: Any) -> Delivered:  # noqa: ANN401  # whatever was sent
        batch = self._rows(tree["columns"]).batch(self._model)
        if tree["lines"]:
            lines = tree["lines"].encode().split(b"\n", _MOST_LINES)
            if len(lines) > _MOST_LINES:
                raise StateError(f"it has more than {_MOST_LINES} lines")
            batch = joined([batch, self._lines.decode(lines, 1)])
        batch.refused += _refused(tree["refused"], label(tree["model"]) or self._model)
        return Delivered(batch, _count(tree["dropped"]))

    def _rows(self, saved: Any) -> Rows:  # noqa: ANN401  # as above
        size = len(lines_of(saved["line"]))
        labels = {label: coded_of(column, size) for label, column in saved["segment"]}
        rows = Rows(
            first=1,
            size=size,
            y_true=_numbers(saved["y_true"], size),
            y_pred=_numbers(saved["y_pred"], size),
            w=_numbers(saved["w"], size),
            time=_numbers(saved["time"], size) if self._timed else None,
            model=coded_of(saved["model"], size),
            segment={
                label: labels.get(label) or Coded.constant(None, size) for label in self._labels
            },
            prediction_id=texts_of(saved["prediction_id"]),
        )
        needed = {size, len(rows.model), *map(len, rows.segment.values())}
        if needed != {size} or len(rows.prediction_id) not in {0, size}:
            raise StateError("its columns differ in length")
        return rows


def _refused(told: Any, model: str | None) -> list[Refusal]:  # noqa: ANN401  # whatever was sent
    """Return what a worker refused itself; of very many not all, whatever it says."""
    refused: list[Refusal] = []
    for reason, count, detail in told:
        refusal = Refusal(0, Reason(reason), str(detail)[:_LONGEST_DETAIL], model)
        refused += [refusal] * min(_count(count), _MOST_REFUSED - len(refused))
    return refused


def _count(told: Any) -> int:  # noqa: ANN401  # checked here
    """Return a count; a larger one would be no number on the page of metrics."""
    if type(told) is not int or not 0 <= told <= _LARGEST_COUNT:
        raise StateError("it has a count that cannot be")
    return told


def _numbers(saved: Any, size: int) -> Numbers:  # noqa: ANN401  # checked here
    if not isinstance(saved, np.ndarray) or saved.dtype != np.float64 or saved.shape != (size,):
        raise StateError("a column holds no numbers, or not as many as there are events")
    absent = np.isnan(saved)
    return Numbers(saved, absent if absent.any() else None)


def joined(batches: Sequence[Batch]) -> Batch:
    """Return batches as one; line ``i`` of one stands after all lines of those before."""
    if len(batches) == 1:
        return batches[0]
    whole, parts = Batch(), []
    for batch in batches:
        before = whole.lines
        lines = [before + line for line in batch.columns.line]
        parts.append(replace(batch.columns, line=lines))
        whole.events += [event._replace(line=before + event.line) for event in batch.events]
        whole.refused += [each._replace(line=before + each.line) for each in batch.refused]
        whole.lines += batch.lines
    whole.columns = EventColumns.join(parts)
    return whole
