"""Which label sets of a monitor get a cost of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from losswatch.core.labels import check_label, label_text

__all__ = [
    "FIRST",
    "OTHER",
    "TOTAL",
    "UNLABELLED",
    "Segments",
]

TOTAL = 0
"""The slot of all events of the model."""

OTHER = 1
"""The slot of events whose segment is beyond the limit."""

UNLABELLED = 2
"""The slot of events that lack one of the labels."""

FIRST = 3
"""The slot of the first segment."""


@dataclass(frozen=True, slots=True)
class Segments:
    """How the events of a monitor are split.

    Parameters
    ----------
    labels
        The labels whose values together name a segment.
    limit
        So many segments at most; the events of further ones count together.
    idle
        Seconds without an event after which a segment is retired.
    declared
        Label sets that are there from the start and never retired.

    Raises
    ------
    ValueError
        A label cannot be one, or they do not fit together.

    Examples
    --------
    >>> Segments(("city",), limit=50, declared=({"city": "oslo"},)).idle
    86400.0
    """

    labels: tuple[str, ...]
    limit: int = 1000
    idle: float = 86_400.0
    declared: tuple[Mapping[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.labels, tuple) or not self.labels:
            raise ValueError(f'labels are {self.labels!r:.60}; must be a tuple, as in ("city",)')
        for label in self.labels:
            try:
                check_label(label)
            except ValueError as error:  # as it stands behind a place in a config
                raise ValueError(f"labels: {error}") from None
        if len(set(self.labels)) < len(self.labels):
            raise ValueError(f"labels are {self.labels!r:.200}; must not have one twice")
        if not isinstance(self.limit, int) or self.limit < 1:
            raise ValueError(f"limit is {self.limit!r:.60}; must be a whole number above 0")
        if not isinstance(self.idle, int | float) or not self.idle > 0:
            raise ValueError(f"idle is {self.idle!r:.60}; must be seconds above 0")
        if not isinstance(self.declared, tuple) or len(self.declared) > self.limit:
            rule = f"must be a tuple of at most {self.limit} label sets: raise limit for more"
            raise ValueError(f"declared is {self.declared!r:.60}; {rule}")
        for segment in self.declared:
            self._check_declared(segment)

    def _check_declared(self, segment: object) -> None:
        if not isinstance(segment, Mapping) or set(segment) != set(self.labels):
            labels = ", ".join(self.labels)
            raise ValueError(f"declares {segment!r:.200}; must have a value for each of {labels}")
        for label, value in segment.items():
            try:
                text = label_text(value)
            except ValueError as error:
                raise ValueError(f"declares a {label} that {error}") from None
            if text is None:
                raise ValueError(f"declares {segment!r:.200} without a {label}; must have one")
