"""How predictions wait for their truths."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TIMES", "Join"]

_CENTURY = 36_525 * 86_400.0

TIMES = ("truth", "prediction")
"""Whose time a joined event has."""


@dataclass(frozen=True, slots=True)
class Join:
    """How predictions and truths that come apart are joined by ``prediction_id``.

    Parameters
    ----------
    ttl
        Seconds that a prediction waits for its truth, and a truth for its
        prediction; then it is expired.
    pending
        So many may wait at most; the oldest expires for a further one.
    retention
        Seconds after it was scored in which an event can be revised, and in
        which the same one again counts as a duplicate. 0 keeps none.
    retained
        So many scored events are kept at most; the oldest goes for a further one.
    time
        Whose time is that of the event: of the ``truth``, so that a window has
        what was learnt in it, or of the ``prediction``.

    Raises
    ------
    ValueError
        One of them cannot be used.

    Examples
    --------
    >>> Join(ttl=3600.0).retention
    86400.0
    """

    ttl: float = 604_800.0
    pending: int = 1_000_000
    retention: float = 86_400.0
    retained: int = 1_000_000
    time: str = "truth"

    def __post_init__(self) -> None:
        for name in ("pending", "retained"):
            count = getattr(self, name)
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise ValueError(f"{name} is {count!r:.60}; must be a whole number above 0")
        if not isinstance(self.ttl, int | float) or not 0 < self.ttl <= _CENTURY:
            raise ValueError(f"ttl is {self.ttl!r:.60}; must be seconds above 0, up to a century")
        if not isinstance(self.retention, int | float) or not 0 <= self.retention <= _CENTURY:
            rule = "must be seconds, up to a century, or 0"
            raise ValueError(f"retention is {self.retention!r:.60}; {rule}")
        if self.time not in TIMES:
            raise ValueError(f"time is {self.time!r:.60}; must be one of {', '.join(TIMES)}")
