"""The bytes of a tree of plain values and arrays: versioned, checksummed, no pickle."""

from __future__ import annotations

import struct
import zlib

from losswatch.codec.kinds import Tree
from losswatch.codec.reader import Reader
from losswatch.codec.writer import Writer
from losswatch.errors import StateError

__all__ = ["Tree", "decode_tree", "encode_tree"]

_MAGIC = b"LWT\x01"
_HEADER = struct.Struct("<4sI")  # the magic with its version, CRC-32 of the rest


def encode_tree(tree: Tree) -> bytes:
    """Return the bytes of a tree: equal for equal trees, about 1 GB/s where it is arrays.

    A tree is a dict with text as keys, a list, text, bytes, an integer of any
    size, a float, a boolean, ``None``, or an array of one or two dimensions of
    booleans, integers or float64. The order of a dict is not kept.

    Raises
    ------
    TypeError
        The tree holds something else.
    ValueError
        It is nested too deeply, or has text with lone surrogates.

    Examples
    --------
    >>> decode_tree(encode_tree({"n": 2, "costs": [0.5, None]}))
    {'costs': [0.5, None], 'n': 2}
    """
    writer = Writer()
    writer.write(tree)
    checksum = 0
    for piece in writer.pieces:  # not of the whole: a large one is copied once only
        checksum = zlib.crc32(piece, checksum)
    return b"".join([_HEADER.pack(_MAGIC, checksum), *writer.pieces])


def decode_tree(data: bytes) -> Tree:
    """Return the tree that :func:`encode_tree` wrote; its arrays are its own, to be changed.

    Raises
    ------
    StateError
        Not a saved tree, cut short, damaged, or of a version not known here.
    """
    view = memoryview(data)
    if bytes(view[:3]) != _MAGIC[:3] or len(view) < _HEADER.size:
        raise StateError(f"{bytes(view[:8])!r}... is no saved state; must start with b'LWT'")
    if view[3] != _MAGIC[3]:
        raise StateError(
            f"the saved state has version {view[3]}; this release reads version {_MAGIC[3]}:"
            " upgrade losswatch"
        )
    if zlib.crc32(view[_HEADER.size :]) != _HEADER.unpack_from(view)[1]:
        raise StateError("the saved state is damaged: its checksum differs; restore a copy")
    return Reader(view[_HEADER.size :]).whole()
