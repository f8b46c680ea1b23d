"""Parquet and Arrow files as columns of NumPy, some rows at once: what pyarrow is needed for."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq

from losswatch.core.coded import Coded
from losswatch.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from losswatch.core.cells.products import Floats

__all__ = ["ROWS", "ArrowFile", "Place", "absent", "coded", "floats", "kind_of", "seconds", "texts"]

ROWS = 1 << 15
"""Rows at once: memory stays bounded, and their columns in the cache."""

Array: TypeAlias = Any  # pyarrow tells no types
Rows: TypeAlias = Any

_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_WHOLE = 1 << 53
"""Up to here every whole number is a float64."""


_GZIP = b"\x1f\x8b"
_AS_BYTES = {
    pa.string(): pa.binary(),
    pa.large_string(): pa.large_binary(),
    pa.string_view(): pa.binary_view(),
}


class Place(NamedTuple):
    """Where a field stands: in a column, perhaps under keys inside it; and of what type."""

    column: str
    keys: tuple[str, ...]
    type: Any

    def of(self, rows: Rows) -> Array:
        """Return the array of the field; where an object around it is null, it is null too."""
        column = rows.column(self.column)
        return pc.struct_field(column, list(self.keys)) if self.keys else column


class ArrowFile:
    """A Parquet file, or an Arrow file or stream (Feather is one): its first bytes tell which.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    SourceError
        It cannot be opened, or is none of them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw = _open(path)
        try:
            with self.damage():
                self._table = _opened(self._raw)
                self.schema = getattr(self._table, "schema_arrow", None) or self._table.schema
        except SourceError:
            self.close()
            raise

    def find(self, path: tuple[str, ...]) -> Place | None:
        """Return where a field stands: under keys, or in a column that has dots in its name.

        Raises
        ------
        SourceError
            The column is there twice.
        """
        for column, keys in ((".".join(path), ()), (path[0], path[1:])):
            found = self.schema.get_all_field_indices(column)
            if len(found) > 1:
                raise SourceError(f"{self._path}: has the column {column} twice; keep one")
            kind = _inside(self.schema.field(found[0]).type, keys) if found else None
            if kind is not None:
                return Place(column, keys, kind)
        return None

    def batches(self, places: Sequence[Place]) -> Iterator[tuple[float, Rows]]:
        """Yield rows with the columns of these places, and the share of the file up to their end.

        Raises
        ------
        SourceError
            The file is damaged.
        """
        with self.damage():
            for share, rows in self._batches(places):
                for start in range(0, rows.num_rows, ROWS):
                    yield share, rows.slice(start, ROWS)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    @contextmanager
    def damage(self) -> Iterator[None]:
        """Tell of what cannot be read as of damage to the file."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, SourceError):
                raise
            detail = " ".join(str(error).split())[:200].rstrip(".")
            rule = "must be a whole Parquet file, or an Arrow file or stream"
            raise SourceError(f"{self._path}: cannot be read: {detail}; {rule}") from None

    def _batches(self, places: Sequence[Place]) -> Iterator[tuple[float, Rows]]:
        table, done = self._table, 0
        if isinstance(table, pq.ParquetFile):
            wanted = [".".join((place.column, *place.keys)) for place in places]
            for rows in table.iter_batches(ROWS, columns=wanted):
                done += rows.num_rows
                yield done / table.metadata.num_rows, rows
            return
        size = self._raw.size()
        options = _only(self.schema, places)
        self._raw.seek(0)
        if not isinstance(table, pa.ipc.RecordBatchFileReader):
            for rows in pa.ipc.open_stream(self._raw, options=options):
                yield self._raw.tell() / size, _checked(rows)
            return
        table = pa.ipc.open_file(self._raw, options=options)
        for index in range(table.num_record_batches):
            yield (index + 1) / table.num_record_batches, _checked(table.get_batch(index))


def _open(path: Path) -> Any:  # noqa: ANN401  # as pyarrow has it
    try:
        return pa.OSFile(os.fsencode(path))
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise SourceError(f"{path}: cannot be opened: {reason}") from None
    except ValueError:
        raise SourceError(f"{str(path)!r}: cannot be opened: a NUL is in its name") from None


def _opened(raw: Any) -> Any:  # noqa: ANN401
    magic = raw.read(6)
    raw.seek(0)
    if magic.startswith(b"PAR1"):
        return pq.ParquetFile(raw, buffer_size=1 << 20, page_checksum_verification=True)
    if magic.startswith(_GZIP):
        raise pa.ArrowInvalid("it is packed with gzip: unpack it")
    return pa.ipc.open_file(raw) if magic == b"ARROW1" else pa.ipc.open_stream(raw)


def _only(schema: Any, places: Sequence[Place]) -> Any:  # noqa: ANN401
    """Return what reads just the columns of some places."""
    columns = {place.column for place in places}
    return pa.ipc.IpcReadOptions(included_fields=sorted(map(schema.get_field_index, columns)))


def _checked(rows: Rows) -> Rows:
    """Return rows that are sound: pyarrow trusts an Arrow file, and damage would end the process.

    Texts may still be no UTF-8: that is the fault of a row.

    Raises
    ------
    ArrowInvalid
        They are not.
    """
    rows.validate()
    for column in rows.columns:
        _check(column)
    return rows


def _check(array: Array) -> None:
    kind = array.type
    if pa.types.is_dictionary(kind):
        array.indices.validate(full=True)
        pa.DictionaryArray.from_arrays(array.indices, array.dictionary)  # are they in range
        _check(array.dictionary)
    elif pa.types.is_struct(kind):
        for place in range(kind.num_fields):
            _check(array.field(place))
    else:
        array.cast(_AS_BYTES.get(kind, kind)).validate(full=True)


def _inside(kind: Any, keys: Sequence[str]) -> Any:  # noqa: ANN401
    """Return the type that stands under keys inside a type, ``None`` if nothing does."""
    for key in keys:
        place = kind.get_field_index(key) if pa.types.is_struct(kind) else -1
        if place < 0:
            return None
        kind = kind.field(place).type
    return kind


def kind_of(kind: Any) -> str:  # noqa: ANN401
    """Return what the values of a type are: number, whole number, time, text, nothing, or other."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_null(kind):
        return "nothing"
    if types.is_integer(kind):
        return "whole number"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_timestamp(kind) or types.is_date(kind):
        return "time"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    return "other"


def floats(array: Array) -> Floats:
    """Return numbers as the nearest float64, NaN where there is none."""
    array = _plain(array)
    if pa.types.is_decimal(array.type):  # pyarrow's own way is off by a bit
        array = array.cast(pa.string())
    if not pa.types.is_float64(array.type):
        array = array.cast(pa.float64(), safe=False)
    numbers: Floats = array.to_numpy(zero_copy_only=False)
    return numbers


def seconds(array: Array) -> Floats:
    """Return times as seconds since 1970, the nearest float64; NaN where there is none.

    A timestamp without a zone is UTC; with one it is too, that is how it is kept.
    """
    array = _plain(array)
    if kind_of(array.type) != "time":
        return floats(array)
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("s" if pa.types.is_date32(array.type) else "ms"))
    ticks = array.cast(pa.int64()).fill_null(0).to_numpy()
    a_second = _TICKS[array.type.unit]
    times: Floats = ticks / float(a_second)
    far = np.abs(ticks) > _WHOLE
    if far.any():  # rounded before it was divided: nanoseconds
        whole = ticks[far] // a_second
        times[far] = whole + (ticks[far] - whole * a_second) / float(a_second)
    if array.null_count:
        times[absent(array)] = np.nan
    return times


def coded(array: Array) -> Coded:
    """Return texts, or whole numbers as texts, with each distinct one kept once."""
    if pa.types.is_dictionary(array.type) and len(array.dictionary) > len(array):
        array = array.dictionary_decode()  # most of them are not in use here
    if pa.types.is_null(array.type):
        return Coded.constant(None, len(array))
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    values = [*texts(array.dictionary), None]
    codes = array.indices.cast(pa.int64()).fill_null(len(values) - 1)
    return Coded(codes.to_numpy().astype(np.intp, copy=False), values)


def texts(array: Array) -> list[str | None]:
    """Return texts, or whole numbers as texts; what is no UTF-8 has halves of characters."""
    array = _plain(array).cast(pa.large_string())
    try:
        values: list[str | None] = array.to_pylist()
    except UnicodeDecodeError:
        data = array.cast(pa.large_binary()).to_pylist()
        values = [None if x is None else x.decode(errors="surrogateescape") for x in data]
    return values


def absent(array: Array) -> Any:  # noqa: ANN401
    """Return where there is no value, ``None`` if there is one everywhere."""
    array = _plain(array)
    return array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None


def _plain(array: Array) -> Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
