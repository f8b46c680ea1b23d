"""What a saved tree may hold, and the letter that each kind of value begins with."""

from __future__ import annotations

import struct
from typing import Any, TypeAlias

import numpy as np

__all__ = ["DIMENSIONS", "DTYPES", "FLOAT", "MAX_DEPTH", "SIZE", "Tree"]

Tree: TypeAlias = Any
"""What :func:`losswatch.codec.tree.encode_tree` takes; mypy would want each use narrowed."""

MAX_DEPTH = 64
"""Deeper ones are refused: Python recurses, and a lie must not end it."""

DIMENSIONS = 2
SIZE = struct.Struct("<Q")
FLOAT = struct.Struct("<d")

_NAMES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f8"]

DTYPES = {
    ord(letter): np.dtype("<" + name if name[-1] not in "1?" else name)
    for letter, name in zip("?abcdABCDf", _NAMES, strict=True)
}
"""The kinds of arrays by their letter, little-endian."""
