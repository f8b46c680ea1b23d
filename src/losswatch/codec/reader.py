"""Read a tree from bytes that may lie: nothing is allocated that the bytes do not hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from losswatch.codec.kinds import DIMENSIONS, DTYPES, FLOAT, MAX_DEPTH, SIZE, Tree
from losswatch.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Reader"]


class Reader:
    """Reads one tree.

    Parameters
    ----------
    data
        All of its bytes.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._place = 0
        self._leaves: dict[str, Callable[[], Tree]] = {
            "n": lambda: None,
            "t": lambda: True,
            "-": lambda: False,
            "s": self._text,
            "i": lambda: int.from_bytes(self._take(self._size()), "little", signed=True),
            ".": lambda: FLOAT.unpack(self._take(FLOAT.size))[0],
            "b": lambda: bytes(self._take(self._size())),
            "a": self._array,
        }

    def whole(self) -> Tree:
        """Return the tree.

        Raises
        ------
        StateError
            The bytes hold no tree, or more than one.
        """
        tree = self._tree(0)
        if self._place != len(self._data):
            _refuse("bytes that do not belong to it")
        return tree

    def _take(self, size: int) -> memoryview:
        end = self._place + size
        if end > len(self._data):
            _refuse("less than it promises")
        piece = self._data[self._place : end]
        self._place = end
        return piece

    def _size(self) -> int:
        size: int = SIZE.unpack(self._take(SIZE.size))[0]
        return size

    def _text(self) -> str:
        try:
            return str(self._take(self._size()), "utf-8")
        except UnicodeDecodeError:
            _refuse("text that is no UTF-8")

    def _tree(self, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            _refuse(f"values nested more than {MAX_DEPTH} deep")
        letter = chr(self._take(1)[0])
        if letter == "{":
            return self._dict(depth)
        if letter == "[":
            # Each takes a byte at least, so a lie about their number ends with the bytes.
            return [self._tree(depth + 1) for _ in range(self._size())]
        if letter not in self._leaves:
            _refuse(f"a value of the unknown kind {letter!r}")
        return self._leaves[letter]()

    def _dict(self, depth: int) -> dict[str, Tree]:
        tree: dict[str, Tree] = {}
        last = None
        for _ in range(self._size()):
            if self._take(1)[0] != ord("s"):
                _refuse("a key that is no text")
            key = self._text()
            if last is not None and key <= last:
                _refuse("keys out of order")
            tree[key] = self._tree(depth + 1)
            last = key
        return tree

    def _array(self) -> NDArray[np.generic]:
        letter, dimensions = self._take(2)
        dtype = DTYPES.get(letter)
        if dtype is None or not 1 <= dimensions <= DIMENSIONS:
            _refuse("an array of an unknown kind")
        shape = [self._size() for _ in range(dimensions)]
        raw = np.frombuffer(self._take(dtype.itemsize * math.prod(shape)), dtype=np.uint8)
        if dtype.kind == "b" and (raw > 1).any():
            _refuse("booleans that are neither")
        array = raw.copy().view(dtype).astype(dtype.newbyteorder("="), copy=False)
        try:
            return array.reshape(shape)
        except (ValueError, OverflowError):  # beside a 0 any number has room
            _refuse("an array that cannot be")


def _refuse(found: str) -> NoReturn:
    raise StateError(f"the saved state holds {found}; restore a copy")
