"""A Unix socket at a path: one process has it, and what a killed one left is no hindrance."""

from __future__ import annotations

import logging
import os
import socket
import stat
import time
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from losswatch.codec.frames import check_path
from losswatch.errors import SourceError
from losswatch.sources.path_lock import PathLock, identity

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Listener"]

logger = logging.getLogger(__name__)

_BACKLOG = 128
_PAUSE = 0.05
_LOOK = 1.0
"""Seconds without a connection after which it is seen to that the file is there."""


class Listener:
    """Listens at a path.

    A lock on a file beside it tells whether another process has the socket;
    it goes with its process, however that ends. So a socket that nobody has
    the lock of is one that was left, and is replaced. Where the file is
    removed, as cleaners of temporary folders do, it is made anew within a
    second or so; connections stay as they are.

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
        self._mode = mode
        self._changing = Lock()
        self._trouble = ""
        if wrong := check_path(str(path)):
            raise SourceError(f"{path}: {wrong}")
        try:
            self._lock = PathLock(path)
            self._listen()
        except SourceError:
            raise
        except OSError as error:
            remedy = "" if path.parent.is_dir() else f"; make the folder {path.parent}"
            raise SourceError(f"{path}: cannot be listened on: {error.strerror}{remedy}") from None
        self._closed = False

    def _listen(self) -> None:
        try:
            _remove_left(self._path)
            self._socket, self._made = _bound(self._path, self._mode)
        except BaseException:
            self._lock.close()
            raise

    def accept(self) -> socket.socket | None:
        """Return the next connection, ``None`` once it is closed."""
        while not self._closed:
            try:
                return self._socket.accept()[0]
            except TimeoutError:
                self._see_to_file()
            except OSError:  # it has gone already, or there are too many open files
                time.sleep(0.0 if self._closed else _PAUSE)
        return None

    def allow(self, mode: int) -> None:
        """Change who may connect from now on, or once a file that is away is made anew."""
        with self._changing:
            self._mode = mode
            if not _is(self._path, self._made):  # what is there now is not ours to change
                return
            try:
                self._path.chmod(mode)
            except OSError as error:
                logger.warning("%s: its mode stays as it is: %s", self._path, error.strerror)

    def close(self) -> None:
        """Listen no more, and remove the file. Safe to call twice."""
        with self._changing:
            if self._closed:
                return
            self._closed = True
            with suppress(OSError):
                if identity(self._path) == self._made:  # somebody may have put another one there
                    self._path.unlink()
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes who accepts
            self._socket.close()
            self._lock.close()

    def _see_to_file(self) -> None:
        """Listen anew where the file is there no more; who is connected does not notice."""
        with self._changing:
            if self._closed or _is(self._path, self._made):
                return
            try:
                self._lock.renew()
                _remove_left(self._path)
                bound, made = _bound(self._path, self._mode)
            except OSError as error:  # a SourceError is one
                self._tell_trouble(str(error))
                return
            self._socket.close()
            self._socket, self._made, self._trouble = bound, made, ""
        logger.warning("%s: was removed, and is made anew; keep it from who did that", self._path)

    def _tell_trouble(self, trouble: str) -> None:
        """Log it if it is another one than before."""
        if trouble != self._trouble:
            logger.error("%s: was removed; new workers cannot come: %s", self._path, trouble)
        self._trouble = trouble


def _is(path: Path, made: tuple[int, int]) -> bool:
    try:
        return identity(path) == made
    except OSError:
        return False


def _remove_left(path: Path) -> None:
    """Remove the socket that a killed process left; nothing else."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise SourceError(f"{path}: is there and is no socket; remove it, or name another path")
    if not _is_left(path, status.st_uid):
        raise SourceError(f"{path}: another program listens there; stop it, or name another path")
    path.unlink(missing_ok=True)


def _is_left(path: Path, user: int) -> bool:
    """Tell whether nobody listens at a socket, which belongs to a user."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except PermissionError:  # its mode may keep out who made it, who has the lock now
            return user == os.geteuid()
        except OSError:  # too many wait there already, or it takes datagrams
            return False
    return False


def _bound(path: Path, mode: int) -> tuple[socket.socket, tuple[int, int]]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(mode)  # before anyone can connect
        listener.listen(_BACKLOG)
        listener.settimeout(_LOOK)
        return listener, identity(path)
    except BaseException:
        listener.close()
        raise
