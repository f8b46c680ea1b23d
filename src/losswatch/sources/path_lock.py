"""A lock on a file beside a path: it tells which process has the path."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from losswatch.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PathLock", "identity"]


class PathLock:
    """Holds ``PATH.lock`` until it is closed, or its process ends in any way.

    Parameters
    ----------
    path
        What it is for.

    Raises
    ------
    SourceError
        Another process has it, or the lock is a symbolic link.
    OSError
        The lock cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._locked()

    def renew(self) -> None:
        """Take the lock again if its file was removed: another process could have it else.

        Raises as making it does; then nothing has changed.
        """
        if self._is_there(self._file):
            return
        taken = self._locked()
        os.close(self._file)
        self._file = taken

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)

    def _is_there(self, lock: int) -> bool:
        held = os.fstat(lock)
        try:
            return identity(self._beside) == (held.st_dev, held.st_ino)
        except OSError:
            return False

    @property
    def _beside(self) -> Path:
        return self._path.with_name(f"{self._path.name}.lock")

    def _locked(self) -> int:
        """Return the file that holds the lock."""
        while True:
            lock = self._taken()
            if self._is_there(lock):
                return lock
            os.close(lock)  # removed meanwhile: another process may have made it anew

    def _taken(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            lock = os.open(self._beside, flags, 0o600)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise SourceError(f"{self._beside}: is a symbolic link; remove it") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if not isinstance(error, BlockingIOError):
                raise
            raise SourceError(
                f"{self._path}: is used by another process; stop that one, or name another path"
            ) from None
        return lock


def identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from another one at the same path."""
    status = path.lstat()
    return status.st_dev, status.st_ino
