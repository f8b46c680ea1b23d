"""Passwords of basic authentication: the only file that imports ``bcrypt``."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

import bcrypt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Passwords"]

_MOST_BYTES = 72
"""bcrypt looks at no more."""

_MOST_KNOWN = 256
_KNOWN_SECONDS = 600.0
_LONGEST_HEADER = 1024


class Passwords:
    """Tells whether an ``Authorization`` header is one of a user. Thread-safe.

    A header that was right is known for ten minutes after its last use, so
    that a scraper costs one bcrypt; what was wrong is never remembered. Kept
    is a keyed hash of the header, with a key that nobody has. An unknown user
    costs as much as a known one with a wrong password.

    Parameters
    ----------
    users
        The bcrypt hash of each user.
    clock
        Seconds, never going back.
    """

    def __init__(
        self, users: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hashes = {name.encode(): text.encode() for name, text in users.items()}
        self._nobody = _nobodys(self._hashes.values())
        self._key = secrets.token_bytes(32)
        self._clock = clock
        self._lock = Lock()
        self._known: OrderedDict[bytes, float] = OrderedDict()

    def is_of(self, users: Mapping[str, str]) -> bool:
        """Tell whether these are the users."""
        return self._hashes == {name.encode(): text.encode() for name, text in users.items()}

    def mark(self, header: bytes) -> bytes:
        """Return what stands for a header."""
        return hmac.digest(self._key, header, hashlib.sha256)

    def knows(self, mark: bytes) -> bool:
        """Tell whether a header was right not long ago. Costs a microsecond."""
        with self._lock:
            last = self._known.get(mark)
            if last is None or self._clock() - last > _KNOWN_SECONDS:
                return False
            self._remember(mark)
            return True

    def check(self, header: bytes) -> bool:
        """Tell whether a header is right. Costs one bcrypt, so call it in a thread."""
        pair = _pair_of(header)
        if pair is None:
            return False
        user, password = pair
        known = self._hashes.get(user)
        try:
            right = bcrypt.checkpw(password[:_MOST_BYTES], known or self._nobody)
        except ValueError:
            return False
        if not right or known is None:
            return False
        with self._lock:
            self._remember(self.mark(header))
        return True

    def _remember(self, mark: bytes) -> None:
        self._known[mark] = self._clock()
        self._known.move_to_end(mark)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


def _nobodys(hashes: Iterable[bytes]) -> bytes:
    """Return a hash that no password has, of the dearest cost: who is not there is not faster."""
    dearest = max(int(known[4:6]) for known in hashes)
    return bcrypt.gensalt(dearest) + base64.b64encode(secrets.token_bytes(24))[:31].replace(
        b"+", b"."
    )


def _pair_of(header: bytes) -> tuple[bytes, bytes] | None:
    """Return user and password, ``None`` if the header has none."""
    scheme, _, credentials = header.strip().partition(b" ")
    if scheme.lower() != b"basic" or len(header) > _LONGEST_HEADER:
        return None
    try:
        user, colon, password = base64.b64decode(credentials.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user, password) if colon else None
