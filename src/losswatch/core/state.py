"""The bytes of a saved cost: versioned, checksummed, equal for equal costs."""

from __future__ import annotations

import struct
import zlib

from losswatch.core.exact import ExactSum
from losswatch.core.sums import Sums
from losswatch.errors import StateError

__all__ = ["decode_sums", "encode_sums"]

_MAGIC = b"LWC"
_VERSION = 1
_HEADER = struct.Struct(">3sB")
_FIELD = struct.Struct(">HI")  # shift of the unit, bytes of the integer
_CHECKSUM = struct.Struct(">I")
_FINEST = 1074
"""No float64 has a unit finer than ``2**-1074``."""


def encode_sums(sums: Sums) -> bytes:
    """Return the canonical bytes: header, ``n``, four exact sums, CRC-32."""
    numbers = [(sums.n, 0), *(total.canonical() for total in sums.exact())]
    body = _HEADER.pack(_MAGIC, _VERSION) + b"".join(_encode(*pair) for pair in numbers)
    return body + _CHECKSUM.pack(zlib.crc32(body))


def decode_sums(data: bytes) -> Sums:
    """Return the sums that :func:`encode_sums` wrote.

    Raises
    ------
    StateError
        Not a saved cost, cut short, damaged, or of a version not known here.
    """
    body = _checked_body(bytes(memoryview(data)))  # of an int, bytes would make zeros
    numbers, rest = [], body[_HEADER.size :]
    try:
        for _ in range(5):
            number, rest = _decode(rest)
            numbers.append(number)
    except struct.error:
        raise StateError("the saved cost ends too early; read all of its bytes") from None
    if rest or numbers[0][1]:
        raise StateError("the saved cost has bytes that do not belong to it")
    sums = Sums()
    sums.n = numbers[0][0]
    for total, (units, shift) in zip(sums.exact(), numbers[1:], strict=True):
        total.merge(ExactSum.from_units(units, shift))
    return sums


def _checked_body(data: bytes) -> bytes:
    body, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
    if len(body) < _HEADER.size or not body.startswith(_MAGIC):
        raise StateError(f"{data[:8]!r}... is not a saved cost; it must start with {_MAGIC!r}")
    version = body[len(_MAGIC)]
    if version != _VERSION:
        raise StateError(
            f"the saved cost has version {version}; this release reads version {_VERSION}:"
            " upgrade losswatch"
        )
    if checksum != _CHECKSUM.pack(zlib.crc32(body)):
        raise StateError("the saved cost is damaged: its checksum differs; restore it from a copy")
    return body


def _encode(units: int, shift: int) -> bytes:
    raw = units.to_bytes(units.bit_length() // 8 + 1, "big", signed=True)
    return _FIELD.pack(shift, len(raw)) + raw


def _decode(data: bytes) -> tuple[tuple[int, int], bytes]:
    shift, size = _FIELD.unpack_from(data)
    end = _FIELD.size + size
    if shift > _FINEST or end > len(data):
        raise StateError("the saved cost holds a number that cannot be; restore it from a copy")
    return (int.from_bytes(data[_FIELD.size : end], "big", signed=True), shift), data[end:]
