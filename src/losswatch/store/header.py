"""Look at a file before SQLite does: what it opens it may also change."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from losswatch.errors import StateError, StoreError
from losswatch.store.layout import APPLICATION_ID

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["version_of", "wal_of"]

_MAGIC = b"SQLite format 3\x00"
_HEADER = struct.Struct(">16s44xI4xI28x")  # magic, user_version, application_id


def wal_of(path: Path) -> Path:
    """Return the log that SQLite keeps beside a database."""
    return path.with_name(path.name + "-wal")


def version_of(path: Path, newest: int) -> int:
    """Return the version of a file of state, by its first 100 bytes.

    Raises
    ------
    StateError
        It is something else, or newer than ``newest``.
    StoreError
        It cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        found = f"begins with {header[:16]!r}" if header else "is empty"
        raise StateError(
            f"{path}: {found}; it is no state of losswatch, or a damaged one: name another file,"
            " restore a copy, or delete it to start from nothing"
        )
    _, version, application = _HEADER.unpack(header)
    if application != APPLICATION_ID:
        raise StateError(
            f"{path}: is a SQLite database of another application (application_id {application});"
            " name another file"
        )
    if not 1 <= version <= newest:
        what = "upgrade losswatch, or name another file" if version else "restore a copy"
        raise StateError(
            f"{path}: has version {version}; this release reads versions 1 to {newest}: {what}"
        )
    return int(version)
