"""A column of texts of which many are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Indexes

__all__ = ["Coded"]


class Coded(Sequence["str | None"]):
    """A column whose distinct values are kept once: row ``i`` is ``values[codes[i]]``.

    Reads like a list of the values. Who looks at ``codes`` and ``values``
    handles each distinct value once, however many rows there are.

    Parameters
    ----------
    codes
        Which of the values each row has.
    values
        The distinct values; one may be there twice, and one without a row too.

    Examples
    --------
    >>> cities = Coded(np.array([0, 0, 1]), ["oslo", None])
    >>> list(cities), cities.take(np.array([2, 0])).tolist()
    (['oslo', 'oslo', None], [None, 'oslo'])
    """

    __slots__ = ("codes", "values")

    def __init__(self, codes: Indexes, values: Sequence[str | None]) -> None:
        self.codes = codes
        self.values = values

    @classmethod
    def constant(cls, value: str | None, size: int) -> Coded:
        """Return a column that has one value everywhere; it takes no memory."""
        return cls(np.broadcast_to(np.intp(0), size), [value])

    @classmethod
    def of(cls, column: Sequence[str | None]) -> Coded:
        """Return a column with its distinct values, in the order in which they come."""
        places = {value: place for place, value in enumerate(dict.fromkeys(column))}
        codes = np.fromiter(map(places.__getitem__, column), dtype=np.intp, count=len(column))
        return cls(codes, [*places])

    @classmethod
    def join(cls, parts: Sequence[Coded]) -> Coded:
        """Return the rows of several columns as one; a value of two is there twice."""
        starts = np.cumsum([0, *(len(part.values) for part in parts[:-1])])
        codes = [part.codes + start for part, start in zip(parts, starts, strict=True)]
        return cls(np.concatenate(codes), [value for part in parts for value in part.values])

    def __len__(self) -> int:
        return self.codes.size

    @overload
    def __getitem__(self, place: int) -> str | None: ...
    @overload
    def __getitem__(self, place: slice) -> Coded: ...
    def __getitem__(self, place: int | slice) -> str | Coded | None:
        if isinstance(place, slice):
            return Coded(self.codes[place], self.values)
        return self.values[int(self.codes[place])]

    def __iter__(self) -> Iterator[str | None]:
        return map(self.values.__getitem__, self.codes.tolist())

    def distinct(self) -> list[str | None]:
        """Return the values that occur, each once, in no order that matters."""
        if self.codes.strides == (0,):  # the same everywhere
            return [self[0]] if len(self) else []
        occurring = np.flatnonzero(np.bincount(self.codes, minlength=len(self.values)))
        return [*dict.fromkeys(map(self.values.__getitem__, occurring.tolist()))]

    def groups(self) -> Iterator[tuple[str | None, Indexes]]:
        """Yield each value that occurs with its rows, in order; the one that comes first first."""
        places = {value: place for place, value in enumerate(dict.fromkeys(self.values))}
        same = np.array([places[value] for value in self.values], dtype=np.intp)
        codes, values = same[self.codes], [*places]
        order = np.argsort(codes, kind="stable")
        rows = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
        for some in sorted(rows, key=lambda rows: int(rows[0])) if self.codes.size else ():
            yield values[codes[some[0]]], some

    def take(self, which: Indexes | NDArray[np.bool_]) -> Coded:
        """Return some of the rows, in the order that is given."""
        return Coded(self.codes[which], self.values)

    def tolist(self) -> list[str | None]:
        """Return the value of every row."""
        return list(self)
