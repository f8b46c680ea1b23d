"""The time of day, which never goes back."""

from __future__ import annotations

import time
from threading import Lock

__all__ = ["DayClock"]


class DayClock:
    """Tells seconds since 1970; where the machine's clock is set back, it stands still.

    What comes is then never earlier than what somebody read before.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._latest = 0.0

    def __call__(self) -> float:
        """Return what time it is."""
        with self._lock:
            self._latest = max(self._latest, time.time())
            return self._latest
