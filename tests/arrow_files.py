"""Files of columns as pyarrow itself writes them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq

from losswatch.sources.base import Batch, Outcome
from losswatch.sources.fields import Fields
from losswatch.sources.parquet import ParquetSource

KINDS = ("parquet", "arrow file", "arrow stream", "feather")
SUFFIX = {"parquet": ".parquet", "feather": ".feather"}


def write(folder: Path, table: pa.Table, kind: str = "parquet", rows: int | None = None) -> Path:
    """Write a table; ``rows`` is how many a row group or a batch has."""
    path = folder / f"events{SUFFIX.get(kind, '.arrow')}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=rows)
    elif kind == "feather":
        pyarrow.feather.write_feather(table, path, chunksize=rows)
    else:
        new = pa.ipc.new_file if kind == "arrow file" else pa.ipc.new_stream
        with new(path, table.schema) as writer:
            writer.write_table(table, rows)
    return path


def source_of(path: Path, fields: dict[str, str] | None = None, labels=(), model=None):
    return ParquetSource(path, Fields(fields, labels), model)


def batches_of(source: ParquetSource) -> list[Batch]:
    """Take all that a source has."""
    batches = []
    while (batch := source.next_batch()) is not None:
        batches.append(batch)
        source.committed(Outcome())
    return batches


def read(path: Path, *arguments: Any, **options: Any) -> list[Batch]:
    return batches_of(source_of(path, *arguments, **options))


def column(batches: list[Batch], name: str) -> list[Any]:
    """Return a column of all batches, ``None`` where NaN stands for nothing."""
    found = [value for batch in batches for value in getattr(batch.columns, name)]
    return [None if isinstance(x, float) and math.isnan(x) else x for x in found]


def refused(batches: list[Batch]) -> list[tuple[int, str]]:
    return [(r.line, str(r.reason)) for batch in batches for r in batch.refused]
