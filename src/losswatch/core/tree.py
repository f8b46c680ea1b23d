"""State as a tree of plain values, and how it is read back with care."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from losswatch.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from losswatch.core.cells.products import Floats

__all__ = ["Node", "Tree"]

Array: TypeAlias = NDArray[np.bool_] | NDArray[np.int64] | NDArray[np.int32] | NDArray[np.float64]

Tree: TypeAlias = Union[dict[str, "Tree"], list["Tree"], str, int, float, bool, Array, None]  # noqa: UP007  # of names not known yet
"""What state is written as: integers of any size, and columns as arrays."""


_LATEST = 1e12
"""No time is as late: seconds up to here have room for their parts."""


class Node:
    """A part of a tree. What is not as it must be raises ``StateError`` and says where.

    Parameters
    ----------
    tree
        What was read from somewhere.
    path
        Where it is in the whole.

    Examples
    --------
    >>> Node({"now": 5.0}).number("now")
    5.0
    >>> Node({"now": 5.0}).whole("now")
    Traceback (most recent call last):
    losswatch.errors.StateError: state.now is 5.0; must be a whole number from 0 on: restore a copy
    """

    __slots__ = ("path", "tree")

    def __init__(self, tree: object, path: str = "state") -> None:
        self.tree = tree
        self.path = path

    def node(self, key: str) -> Node:
        """Return a part by its name."""
        return Node(self._get(key), f"{self.path}.{key}")

    def nodes(self) -> Iterator[tuple[str, Node]]:
        """Yield all parts with their names."""
        if not isinstance(self.tree, dict):
            raise self.wrong("a mapping")
        for key, tree in self.tree.items():
            yield str(key), Node(tree, f"{self.path}.{key}")

    def tells(self, plain: Mapping[str, object]) -> bool:
        """Whether it is a mapping of just these texts and numbers."""
        found = dict(self.nodes())
        return found.keys() == plain.keys() and all(
            type(found[key].tree) is type(value) and found[key].tree == value
            for key, value in plain.items()
        )

    def rows(self) -> list[object]:
        """Return the elements of a list."""
        if not isinstance(self.tree, list):
            raise self.wrong("a list")
        return self.tree

    def whole(self, key: str) -> int:
        """Return an integer from 0 on."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
            raise self.node(key).wrong("a whole number from 0 on")
        return value

    def flag(self, key: str) -> bool:
        """Return a boolean."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self.node(key).wrong("true or false")
        return value

    def number(self, key: str) -> float:
        """Return a time in seconds since 1970."""
        value = self._get(key)
        if not isinstance(value, float) or not 0.0 <= value < _LATEST:
            raise self.node(key).wrong("a time in seconds since 1970")
        return value

    def time(self, key: str) -> float | None:
        """Return a time in seconds since 1970, ``None`` if there is none."""
        return None if self._get(key) is None else self.number(key)

    def ints(self, key: str, size: int | None = None, below: int = 1 << 62) -> NDArray[np.int64]:
        """Return a column of integers from 0 to below a limit, as a copy."""
        values = self.signed(key, size)
        if values.size and not (values.min() >= 0 and values.max() < below):
            raise self.node(key).wrong(f"integers from 0 to below {below:,}")
        return values

    def signed(self, key: str, size: int | None = None) -> NDArray[np.int64]:
        """Return a column of any integers, as a copy."""
        return self._column(key, "i", "integers", size).astype(np.int64)

    def flags(self, key: str, size: int | None = None) -> NDArray[np.bool_]:
        """Return a column of booleans, as a copy."""
        return self._column(key, "b", "booleans", size).astype(np.bool_)

    def floats(self, key: str, size: int | None = None) -> Floats:
        """Return a column of finite floats, as a copy."""
        values = self._column(key, "f", "floats", size).astype(np.float64)
        if not np.isfinite(values).all():
            raise self.node(key).wrong("finite numbers")
        return values

    def wrong(self, rule: str) -> StateError:
        """Return the error of something that is not as it must be."""
        return StateError(f"{self.path} is {self.tree!r:.80}; must be {rule}: restore a copy")

    def _get(self, key: str) -> object:
        if not isinstance(self.tree, dict):
            raise self.wrong("a mapping")
        if key not in self.tree:
            raise StateError(f"{self.path} lacks {key}: restore a copy of the state")
        return self.tree[key]

    def _column(self, key: str, kind: str, what: str, size: int | None) -> NDArray[np.generic]:
        values = self._get(key)
        if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind != kind:
            raise self.node(key).wrong(f"a column of {what}")
        if size is not None and values.size != size:
            rule = f"has {values.size:,} elements; must have {size:,}: restore a copy"
            raise StateError(f"{self.path}.{key} {rule}")
        return values
