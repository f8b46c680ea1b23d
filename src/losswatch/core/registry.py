"""Which segment has which slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.coded_places import coded_keys, place_coded
from losswatch.core.label_columns import keys_of, unknown
from losswatch.core.labels import label_value
from losswatch.core.segments import FIRST, OTHER, TOTAL, UNLABELLED
from losswatch.core.validity import shown
from losswatch.errors import Reason, RejectedEvent, StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.segments import Segments
    from losswatch.core.tree import Node, Tree

__all__ = ["Registry"]

Key = str | tuple[str, ...]
"""What names a segment: the value of its label, or those of its labels."""


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
        self._declared = [self.key(labels) for labels in segments.declared]
        self._stay: set[int] = {TOTAL, OTHER, UNLABELLED}
        self._declare()

    def keep(self, seconds: float) -> None:
        """Keep segments so long at least after their last event."""
        self._idle = max(self._idle, seconds)

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self._names)

    @property
    def most(self) -> int:
        """How many slots there can be."""
        return max(FIRST + self._limit, self.size)

    def shown(self, now: float) -> Indexes:
        """The slots to show: the total, those without a segment of their own, the segments.

        Those idle at this time are not among them.
        """
        slots = np.array([TOTAL, OTHER, UNLABELLED, *self._slots.values()]).astype(np.intp)
        return slots[~self._are_idle(slots, now)]

    def names(self, slots: Indexes) -> tuple[Mapping[str, str], ...]:
        """Return the labels of slots."""
        return tuple(map(self._names.__getitem__, slots.tolist()))

    def find(self, labels: Mapping[str, str]) -> int | None:
        """Return the slot of a segment, of those without one, or of all; ``None`` if none is."""
        if labels in self._names[:FIRST]:
            return self._names.index(labels)
        slot = self._slots.get(self.key(labels)) if labels.keys() == {*self._labels} else None
        return None if slot is None else int(slot)

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
            detail = f"segment is {shown(labels)}; must be a mapping of labels"
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
        if coded := coded_keys(columns, self._labels, keep.size):
            return place_coded(self, *coded, keep)
        keys = keys_of({} if columns is None else columns, self._labels, keep.size)
        rejected = []
        slots: list[float | None]
        try:
            slots = list(map(self._slots.get, keys))
        except TypeError:  # one is a list, say
            slots = [None] * len(keys)
        for index in unknown(slots):
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
        old = self._last_seen[slots] < now - self._idle
        idle: NDArray[np.bool_] = old & ~np.isin(slots, list(self._stay))
        return idle

    def dump(self) -> Tree:
        """Return its state; the segments in the order in which they came."""
        keys = [(key,) if isinstance(key, str) else key for key in self._slots]
        values: list[Tree] = [[key[place] for key in keys] for place in range(len(self._labels))]
        return {
            "labels": list(self._labels),
            "values": values,
            "slots": np.array(list(self._slots.values()), dtype=np.int64),
            "free": np.array(self._free, dtype=np.int64),
            "last_seen": self._last_seen[: self.size].copy(),
            "next_check": self.next_check,
        }

    def load(self, node: Node) -> list[str]:
        """Continue from a state, while there are only declared segments; return notes.

        Raises
        ------
        StateError
            It is no such state, or is of other labels.
        """
        found = node.node("labels").rows()
        if not all(isinstance(label, str) for label in found) or found != list(self._labels):
            raise StateError(
                f"the state has segments by {found!r:.80}, the config by"
                f" {list(self._labels)!r:.80}; use another state file, or put them back"
            )
        slots, free = node.ints("slots"), node.ints("free")
        size = FIRST + slots.size + free.size
        if not np.array_equal(np.sort(np.append(slots, free)), np.arange(FIRST, size)):
            raise node.node("slots").wrong("with the free ones each slot once")
        texts = self._texts(node.node("values"), slots.size)
        keys: list[Key] = texts if self._only is None else [text[0] for text in texts]  # type: ignore[assignment]
        if len(set(keys)) < len(keys):
            raise node.node("values").wrong("each segment once")
        self._last_seen = node.floats("last_seen", size)
        self.next_check = node.number("next_check")
        self._names[FIRST:] = [{} for _ in range(size - FIRST)]
        for slot, text in zip(slots.tolist(), texts, strict=True):
            self._names[slot] = dict(zip(self._labels, text, strict=True))
        self._slots = dict(zip(keys, slots.astype(np.float64).tolist(), strict=True))
        self._free = free.tolist()
        self._stay = {TOTAL, OTHER, UNLABELLED}
        self._declare()
        note = f"{len(keys):,} segments are above the limit of {self._limit:,}; they are kept"
        return [note] if len(keys) > self._limit else []

    def _texts(self, node: Node, size: int) -> list[tuple[str, ...]]:
        """Return the values of the labels of each segment."""
        columns = node.rows()
        for column in columns:
            if not isinstance(column, list) or len(column) != size:
                raise node.wrong(f"a list of {size:,} values for each label")
            if not all(isinstance(text, str) and text for text in column):
                raise node.wrong("texts")
        if len(columns) != len(self._labels):
            raise node.wrong("a list for each label")
        return list(zip(*columns, strict=True))

    def become(self, other: Registry) -> None:
        """Take over all that another has, but for what was counted here."""
        vars(self).update(vars(other), overflowed=self.overflowed)

    def meet(self, other: Registry) -> None:
        """Learn when the segments of another were seen, and let it know when these were."""
        for key in self._slots.keys() & other._slots.keys():
            here, there = int(self._slots[key]), int(other._slots[key])
            self._last_seen[here] = max(self._last_seen[here], other._last_seen[there])
            other._last_seen[there] = self._last_seen[here]

    def merge(self, other: Registry) -> tuple[Indexes, Indexes]:
        """Give the segments of another slots, as far as there is room.

        Returns the slot here for each slot there, and which of those are new here.
        """
        to = np.full(other.size, OTHER, dtype=np.intp)
        to[[TOTAL, OTHER, UNLABELLED]] = TOTAL, OTHER, UNLABELLED
        new = []
        for key, theirs in other._slots.items():
            mine = self._slots.get(key)
            if mine is None and len(self._slots) < self._limit:
                new.append(int(theirs))
                mine = self._give(key, tuple(other._names[int(theirs)].values()))
                self._last_seen[int(mine)] = other._last_seen[int(theirs)]
            to[int(theirs)] = OTHER if mine is None else int(mine)
        return to, np.array(new, dtype=np.intp)

    def _new(self, key: Key, texts: tuple[str, ...]) -> float:
        if len(self._slots) >= self._limit:
            self.overflowed += 1
            return OTHER
        return self._give(key, texts)

    def _declare(self) -> None:
        """Give each declared segment its slot, also beyond the limit."""
        for key in self._declared:
            slot = self._slots.get(key) or self._give(key, key if self._only is None else (key,))
            self._stay.add(int(slot))

    def _give(self, key: Key, texts: tuple[str, ...]) -> float:
        """Return a free slot, which is the segment's now."""
        name = dict(zip(self._labels, texts, strict=True))
        slot = self._free.pop() if self._free else len(self._names)
        self._names[slot : slot + 1] = [name]  # may be behind the last
        if slot >= self._last_seen.size:
            self._last_seen = np.append(self._last_seen, np.zeros(slot))
        self._last_seen[slot] = 0.0
        self._slots[key] = float(slot)
        return float(slot)
