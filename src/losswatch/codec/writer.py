"""Write a tree as pieces of bytes; those of arrays are not copied."""

from __future__ import annotations

import numpy as np

from losswatch.codec.kinds import DIMENSIONS, DTYPES, FLOAT, MAX_DEPTH, SIZE, Tree

__all__ = ["Writer"]

_LETTERS = {dtype: bytes([letter]) for letter, dtype in DTYPES.items()}


class Writer:
    """Collects the :attr:`pieces` of one tree."""

    def __init__(self) -> None:
        self.pieces: list[bytes | memoryview] = []

    def write(self, tree: Tree, depth: int = 0) -> None:
        """Add a tree and all below it."""
        if depth > MAX_DEPTH:
            raise ValueError(f"the state is nested more than {MAX_DEPTH} deep")
        if isinstance(tree, dict):
            self._write_dict(tree, depth)
        elif isinstance(tree, list):
            self.pieces.append(b"[" + SIZE.pack(len(tree)))
            for item in tree:
                self.write(item, depth + 1)
        else:
            self._write_leaf(tree)

    def _write_dict(self, tree: dict[str, Tree], depth: int) -> None:
        if not all(isinstance(key, str) for key in tree):
            raise TypeError(f"a state has text as keys, not {list(tree)!r:.60}")
        self.pieces.append(b"{" + SIZE.pack(len(tree)))
        for key in sorted(tree):  # so that equal ones have equal bytes
            self._write_sized(b"s", key.encode())
            self.write(tree[key], depth + 1)

    def _write_leaf(self, value: Tree) -> None:
        if value is None:
            self.pieces.append(b"n")
        elif isinstance(value, bool):
            self.pieces.append(b"t" if value else b"-")
        elif isinstance(value, str):
            self._write_sized(b"s", value.encode())
        elif isinstance(value, int):
            size = value.bit_length() // 8 + 1
            self._write_sized(b"i", value.to_bytes(size, "little", signed=True))
        elif isinstance(value, float):
            self.pieces.append(b"." + FLOAT.pack(value))
        elif isinstance(value, bytes):
            self._write_sized(b"b", value)
        elif isinstance(value, np.ndarray):
            self._write_array(value)
        else:
            raise TypeError(f"{value!r:.60} is a {type(value).__name__}; a state cannot hold that")

    def _write_sized(self, letter: bytes, data: bytes) -> None:
        self.pieces.append(letter + SIZE.pack(len(data)) + data)

    def _write_array(self, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
        letter = _LETTERS.get(array.dtype.newbyteorder("<"))
        if letter is None or not 1 <= array.ndim <= DIMENSIONS:
            raise TypeError(
                f"an array of {array.ndim} dimensions of {array.dtype}; a state has arrays of 1"
                " or 2 dimensions, of booleans, integers and float64"
            )
        shape = b"".join(map(SIZE.pack, array.shape))
        self.pieces.append(b"a" + letter + bytes([array.ndim]) + shape)
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        self.pieces.append(little.reshape(-1).view(np.uint8).data)
