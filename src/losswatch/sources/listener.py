"""A Unix socket at a path: one process has it, and what a killed one left is no hindrance."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from losswatch.codec.frames import check_path
from losswatch.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Listener"]

logger = logging.getLogger(__name__)

_BACKLOG = 128
_PAUSE = 0.05


class Listener:
    """Listens at a path.

    A lock on a file beside it tells whether another process has the socket;
    it goes with its process, however that ends. So a socket that nobody has
    the lock of is one that was left, and is replaced.

    Parameters
    ----------
    path
        Where.
    mode
        Who may connect: the permissions of the file.

    Raises
    ------
    SourceError
        The path cannot be used, or another process has it.
    """

    def __init__(self, path: Path, mode: int) -> None:
        self._path = path
        if wrong := check_path(str(path)):
            raise SourceError(f"{path}: {wrong}")
        try:
            self._lock = _locked(path)
            self._socket = self._listen(mode)
        except SourceError:
            raise
        except OSError as error:
            remedy = "" if path.parent.is_dir() else f"; make the folder {path.parent}"
            raise SourceError(f"{path}: cannot be listened on: {error.strerror}{remedy}") from None
        self._closed = False

    def _listen(self, mode: int) -> socket.socket:
        try:
            _remove_left(self._path)
            bound = _bound(self._path, mode)
            self._made = _identity(self._path)
        except BaseException:
            os.close(self._lock)
            raise
        return bound

    def accept(self) -> socket.socket | None:
        """Return the next connection, ``None`` once it is closed."""
        while not self._closed:
            try:
                return self._socket.accept()[0]
            except OSError:  # it has gone already, or there are too many open files
                time.sleep(0.0 if self._closed else _PAUSE)
        return None

    def allow(self, mode: int) -> None:
        """Change who may connect from now on."""
        try:
            self._path.chmod(mode)
        except OSError as error:
            logger.warning("%s: its mode stays as it is: %s", self._path, error.strerror)

    def close(self) -> None:
        """Listen no more, and remove the file. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):
            if _identity(self._path) == self._made:  # somebody may have put another one there
                self._path.unlink()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._socket.close()
        os.close(self._lock)


def _locked(path: Path) -> int:
    """Return the file that holds the lock."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        lock = os.open(f"{path}.lock", flags, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise SourceError(f"{path}.lock: is a symbolic link; remove it") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SourceError(
            f"{path}: is used by another process; stop that one, or name another path"
        ) from None
    return lock


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


def _remove_left(path: Path) -> None:
    """Remove the socket that a killed process left; nothing else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SourceError(f"{path}: is there and is no socket; remove it, or name another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise SourceError(f"{path}: another program listens there; stop it, or name another path")


def _bound(path: Path, mode: int) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(mode)  # before anyone can connect
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
