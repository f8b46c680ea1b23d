"""Which label sets of a monitor get a cost of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.labels import check_label, label_text, label_value
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = [
    "FIRST",
    "OTHER",
    "TOTAL",
    "UNLABELLED",
    "Registry",
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

Key = str | tuple[str, ...]
"""What names a segment: the value of its label, or those of its labels."""


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
            check_label(label)
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


class Registry:
    """Gives each segment a slot, up to a limit, and takes it back when it is idle.

    Parameters
    ----------
    segments
        What was declared.
    keep
        Seconds that a segment is kept at least after its last event: as long as
        a window of time may hold that event, or it can be revised.
    """

    def __init__(self, segments: Segments, keep: float) -> None:
        self.overflowed = 0
        self._labels = segments.labels
        self._only = segments.labels[0] if len(segments.labels) == 1 else None
        self._limit = segments.limit
        self._idle = max(segments.idle, keep)
        self._slots: dict[Key, float] = {}  # floats, for columns of floats
        self._names: list[Mapping[str, str]] = [{}, {"segment": "other"}, {"segment": "none"}]
        self._free: list[int] = []
        self._last_seen = np.zeros(FIRST)
        self.next_check = 0.0
        for labels in segments.declared:
            self.slot(self.key(labels))
        self._declared = len(self._slots)

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self._names)

    @property
    def most(self) -> int:
        """How many slots there can be."""
        return FIRST + self._limit

    def shown(self, now: float) -> Indexes:
        """The slots to show: the total, those without a segment of their own, the segments.

        Those idle at this time are not among them.
        """
        slots = np.array([TOTAL, OTHER, UNLABELLED, *self._slots.values()]).astype(np.intp)
        return slots[~self._are_idle(slots, now)]

    def names(self, slots: Indexes) -> tuple[Mapping[str, str], ...]:
        """Return the labels of slots."""
        return tuple(map(self._names.__getitem__, slots.tolist()))

    def place(self, labels: Mapping[str, str | None] | None) -> float:
        """Return the slot of an event's labels; see :meth:`slot`."""
        try:
            if self._only is not None:
                return self._slots[labels[self._only]]  # type: ignore[index]
            return self._slots[tuple([labels[label] for label in self._labels])]  # type: ignore[index,misc]
        except (KeyError, TypeError):
            return self.slot(self.key(labels))

    def key(self, labels: Mapping[str, str | None] | None) -> Any:  # noqa: ANN401  # unchecked
        """Return what may be the key of an event's labels."""
        if labels is None:
            return None
        try:
            values = tuple([labels.get(label) for label in self._labels])
        except AttributeError:
            detail = f"segment is {labels!r:.60}; must be a mapping of labels"
            raise RejectedEvent(Reason.INVALID_SEGMENT, detail) from None
        return values if self._only is None else values[0]

    def places(
        self, columns: Mapping[str, Sequence[object]] | None, keep: NDArray[np.bool_]
    ) -> tuple[Indexes, list[RejectedEvent]]:
        """Return the slots of columns of labels, and the refusals of those that cannot be used.

        Only events to keep make new segments; those refused are not kept, in place.

        Raises
        ------
        RejectedEvent
            A column has another number of events (``wrong_type``).
        """
        keys = self._keys({} if columns is None else columns, keep.size)
        rejected = []
        slots: list[float | None]
        try:
            slots = list(map(self._slots.get, keys))
        except TypeError:  # one is a list, say
            slots = [None] * len(keys)
        for index in _unknown(slots):
            slots[index] = 0.0
            try:
                if keep[index]:
                    slots[index] = self.slot(keys[index])
            except RejectedEvent as rejection:
                rejected.append(rejection.at(index))
                keep[index] = False
        return np.array(slots, dtype=np.float64).astype(np.intp), rejected

    def slot(self, key: Any) -> float:  # noqa: ANN401  # it is checked here
        """Return the slot of a segment, a new one if there is room, else that of the others.

        Raises
        ------
        RejectedEvent
            A label's value cannot be used (``invalid_segment``).
        """
        try:
            return self._slots[key]
        except (KeyError, TypeError):  # a new one, or what is no text
            pass
        values = key if self._only is None and key is not None else (key,) * len(self._labels)
        texts = [label_value(*pair) for pair in zip(self._labels, values, strict=True)]
        known = tuple(text for text in texts if text is not None)
        if len(known) < len(texts):
            return UNLABELLED
        checked = known if self._only is None else known[0]
        return self._slots.get(checked) or self._new(checked, known)

    def touch(self, slots: Indexes, seen: Floats) -> None:
        """Remember when the events of slots were, or came if that was later."""
        np.maximum.at(self._last_seen, slots, seen)

    def retire(self, now: float) -> Indexes:
        """Take back the slots without an event for too long; they must be cleared.

        It is looked for them now and then: not before ``next_check``.
        """
        if now < self.next_check:
            return np.zeros(0, dtype=np.intp)
        self.next_check = now + self._idle / 60.0
        keys = list(self._slots)  # in the order in which they came
        slots = np.array(list(self._slots.values())).astype(np.intp)
        idle = self._are_idle(slots, now)
        for place in np.flatnonzero(idle).tolist():
            del self._slots[keys[place]]
        self._free += slots[idle].tolist()
        return slots[idle]

    def _are_idle(self, slots: Indexes, now: float) -> NDArray[np.bool_]:
        """Tell which slots had no event for too long; those that always stay are none of them."""
        own = slots >= FIRST + self._declared
        idle: NDArray[np.bool_] = own & (self._last_seen[slots] < now - self._idle)
        return idle

    def _keys(self, columns: Any, size: int) -> list[Any]:  # noqa: ANN401  # checked here
        """Return the key of each event, not checked yet."""
        if not isinstance(columns, Mapping):
            detail = f"segment is {columns!r:.60}; must be a mapping of labels to columns"
            raise RejectedEvent(Reason.WRONG_TYPE, detail)
        lists = [_column(label, columns[label], size) for label in self._labels if label in columns]
        if len(lists) < len(self._labels):  # all of them lack a label
            return [None] * size
        return lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))

    def _new(self, key: Key, texts: tuple[str, ...]) -> float:
        if len(self._slots) >= self._limit:
            self.overflowed += 1
            return OTHER
        name = dict(zip(self._labels, texts, strict=True))
        if self._free:
            slot = self._free.pop()
            self._names[slot] = name
        else:
            slot = len(self._names)
            self._names.append(name)
        if slot >= self._last_seen.size:
            self._last_seen = np.append(self._last_seen, np.zeros(slot))
        self._last_seen[slot] = 0.0
        self._slots[key] = float(slot)
        return float(slot)


def _column(label: str, column: Any, size: int) -> list[Any]:  # noqa: ANN401  # checked here
    """Return the values of a label as a list."""
    try:
        values = column.tolist() if hasattr(column, "tolist") else list(column)
    except TypeError:
        values = None
    if not isinstance(values, list) or isinstance(column, str | bytes):
        detail = f"the column segment.{label} is {column!r:.60}; must be a sequence of values"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    if len(values) != size:
        detail = f"the column segment.{label} has {len(values)} events; must have {size}"
        raise RejectedEvent(Reason.WRONG_TYPE, detail)
    return values


def _unknown(slots: list[float | None]) -> Iterator[int]:
    """Yield where a slot is ``None``: mostly nowhere, which is found without a loop."""
    index = -1
    while True:
        try:
            index = slots.index(None, index + 1)
        except ValueError:
            return
        yield index
