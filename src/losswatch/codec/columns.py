"""Columns of events as arrays and back; what is absent stays apart from NaN."""

from __future__ import annotations

import struct
from array import array
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.coded import Coded
from losswatch.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from losswatch.codec.kinds import Tree
    from losswatch.core.events import Numbers

__all__ = [
    "coded_of",
    "labels_of",
    "lines_of",
    "numbers_of",
    "saved_labels",
    "saved_lines",
    "saved_numbers",
    "saved_texts",
    "texts_of",
]


_KINDS = {"b": 7, "h": 15, "i": 31, "q": 63}


def saved_numbers(column: Numbers) -> Tree:
    """Return numbers as an array; NaN is absent, as in the columns that are arrays."""
    if isinstance(column, np.ndarray):
        return column
    try:
        # Of a list this takes 6 ns a number, and NumPy 29.
        numbers = np.frombuffer(struct.pack(f"{len(column)}d", *column), dtype=np.float64)
    except struct.error:
        numbers = np.array(column, dtype=np.float64)
    nan = np.isnan(numbers)
    if not nan.any():
        return numbers
    absent = np.array([number is None for number in column])
    # A NaN in a list is a number that is refused, and not one that is absent.
    return numbers if (nan == absent).all() else {"absent": absent, "numbers": numbers}


def numbers_of(saved: Tree) -> Numbers:
    """Return what :func:`saved_numbers` took, as the monitors understand it."""
    if isinstance(saved, dict):
        pairs = zip(saved["numbers"].tolist(), saved["absent"].tolist(), strict=True)
        return [None if absent else number for number, absent in pairs]
    return _array(saved, "f")


def saved_lines(lines: Sequence[int]) -> Tree:
    """Return the numbers of lines: first and length, if they follow on each other."""
    n = len(lines)
    if isinstance(lines, range) and lines.step == 1:
        return [lines.start, n]
    return np.array(lines, dtype=np.int64) if n else []


def lines_of(saved: Tree) -> Sequence[int]:
    """Return what :func:`saved_lines` took."""
    if isinstance(saved, list):
        return range(saved[0], sum(saved)) if saved else ()
    return _list(_array(saved, "i"))


def saved_texts(texts: Sequence[str | None]) -> Tree:
    """Return texts as one text and their lengths; -1 where there is none."""
    try:
        joined, lengths = "".join(texts), list(map(len, texts))  # type: ignore[arg-type]
    except TypeError:
        joined = "".join(text or "" for text in texts)
        lengths = [-1 if text is None else len(text) for text in texts]
    return {"lengths": _narrow(lengths), "text": joined}


def texts_of(saved: Tree) -> list[str | None]:
    """Return what :func:`saved_texts` took."""
    text, lengths = saved["text"], _array(saved["lengths"], "i")
    sizes = lengths.clip(0).tolist()
    if not isinstance(text, str) or sum(sizes) != len(text):
        raise StateError("the saved texts are not as long as their lengths; restore a copy")
    cut: list[str | None] = [
        text[start:end] for start, end in pairwise(accumulate(sizes, initial=0))
    ]
    if (lengths >= 0).all():
        return cut
    return [None if size < 0 else part for part, size in zip(cut, lengths.tolist(), strict=True)]


def saved_labels(column: Sequence[str | None]) -> Tree:
    """Return texts of which many are the same: each once, and which one each row has."""
    if isinstance(column, Coded) and len(column.values) <= len(column):
        return _saved_coded(column)
    values = list(dict.fromkeys(column))
    if len(values) <= 1:
        return {"rows": len(column), "values": saved_texts(values)}
    places = {value: place for place, value in enumerate(values)}
    codes = list(map(places.__getitem__, column))
    return {"codes": _narrow(codes), "values": saved_texts(values)}


def _saved_coded(column: Coded) -> Tree:
    """Return what is coded as it is; a value without a row takes no more than a row would."""
    values = saved_texts(column.values)
    if len(column.values) == 1:
        return {"rows": len(column), "values": values}
    return {"codes": column.codes.astype(_dtype_for(len(column.values))), "values": values}


def labels_of(saved: Tree, rows: int) -> list[str | None]:
    """Return what :func:`saved_labels` took: of so many rows, or of none."""
    return coded_of(saved, rows).tolist()


def coded_of(saved: Tree, rows: int) -> Coded:
    """Return what :func:`saved_labels` took, each distinct value once."""
    values = texts_of(saved["values"])
    if "rows" in saved:
        if saved["rows"] not in {0, rows}:
            raise StateError("a saved column has rows that are not there; restore a copy")
        count: int = saved["rows"]
        if not values and count:
            raise StateError("a saved column has rows without a value; restore a copy")
        return Coded(np.broadcast_to(np.intp(0), count), values)
    codes = _array(saved["codes"], "i")
    if codes.size and not 0 <= codes.min() <= codes.max() < len(values):
        raise StateError("a saved column has codes without a value; restore a copy")
    return Coded(codes.astype(np.intp), values)


def _narrow(numbers: list[int]) -> NDArray[Any]:
    """Return integers in as few bytes each as they need."""
    kind = _dtype_for(max(numbers, default=0))
    return np.frombuffer(array(kind, numbers), dtype=kind) if numbers else np.empty(0, np.int8)


def _dtype_for(largest: int) -> str:
    return next(kind for kind, bits in _KINDS.items() if largest < 1 << bits)


def _array(saved: Tree, kind: str) -> NDArray[Any]:
    if not isinstance(saved, np.ndarray) or saved.dtype.kind != kind or saved.ndim != 1:
        raise StateError("a saved column is no array of its kind; restore a copy")
    return saved


def _list(column: NDArray[Any]) -> list[int]:
    numbers: list[int] = column.tolist()
    return numbers
