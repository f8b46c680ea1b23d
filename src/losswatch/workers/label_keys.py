"""The labels of events, each combination checked and kept once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from losswatch.core.labels import label_value
from losswatch.core.validity import shown
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from losswatch.workers.outbox import Labels

__all__ = ["NO_LABELS", "LabelKeys"]

NO_LABELS: Labels = ()
"""Those of an event without a segment."""

_MOST = 10_000


class LabelKeys:
    """Remembers up to 10,000 combinations of labels: equal ones are one object."""

    def __init__(self) -> None:
        self._known: dict[Labels, Labels] = {}

    def of(self, segment: object) -> Labels:
        """Return labels, read now: the caller may use the dict again.

        Raises
        ------
        RejectedEvent
            They are no labels.
        """
        try:
            return self._known[tuple(segment.items())]  # type: ignore[attr-defined]
        except (KeyError, TypeError, AttributeError):
            return self._checked(segment)

    def _checked(self, segment: object) -> Labels:
        if not segment:
            return NO_LABELS
        if not isinstance(segment, Mapping):
            detail = f"segment is {shown(segment)}; must be a mapping of labels"
            raise RejectedEvent(Reason.INVALID_SEGMENT, detail)
        key = tuple((str(name), label_value(str(name), value)) for name, value in segment.items())
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = key  # by its texts: 1 is True, as a key
        return key
