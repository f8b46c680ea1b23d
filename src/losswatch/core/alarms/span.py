"""How long something is: so many events, or so much time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from losswatch.core.window import parse_duration

__all__ = ["Span"]

_EVENTS = re.compile(r"([0-9]{1,15}) events?")
_MOST_EVENTS = 10**15


@dataclass(frozen=True, slots=True)
class Span:
    """A number of events, or of seconds if it is ``timed``.

    Examples
    --------
    >>> print(Span.of("1000000 events"), Span.of("1m30s"))
    1000000 events 90s
    """

    size: float
    timed: bool = False

    @classmethod
    def of(cls, value: object) -> Self:
        """Return the span that is written as in the YAML.

        Raises
        ------
        ValueError
            With what was found and what is allowed.

        Examples
        --------
        >>> Span.of("30d")
        Span(size=2592000.0, timed=True)
        >>> Span.of("1000 events"), Span.of(10)
        (Span(size=1000.0, timed=False), Span(size=10.0, timed=False))
        """
        found = _EVENTS.fullmatch(value) if isinstance(value, str) else None
        events = int(found[1]) if found else value
        if isinstance(events, int) and not isinstance(events, bool):
            if not 1 <= events <= _MOST_EVENTS:
                raise ValueError(f"is {value!r:.60}; must be from 1 to {_MOST_EVENTS:,} events")
            return cls(float(events))
        try:
            return cls(parse_duration(value), timed=True)
        except ValueError:
            raise ValueError(
                f"is {value!r:.60}; must be events, as in 1000000 events, or a duration such as 30d"
            ) from None

    def __str__(self) -> str:
        return f"{self.size:.15g}s" if self.timed else f"{self.size:.0f} events"
