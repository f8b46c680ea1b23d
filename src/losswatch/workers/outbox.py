"""What a worker has not sent yet: bounded, and never waited for."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, RLock, local
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from losswatch.errors import RejectedEvent

__all__ = ["BATCH", "Cut", "Item", "Labels", "Marker", "Outbox"]

BATCH = 4096
"""Events that are sent together; when so many wait, nobody waits for the time to come."""

Labels = tuple[tuple[str, str | None], ...]
"""The labels of an event with their values."""

Item = tuple[Any, Any, float, Labels, float, str | None]
"""An event: y_true, y_pred, w, labels, time, prediction_id; a side that is missing is ``None``."""

_WIDTH = 6
_MARK = (None, None, 0.0, (), 0.0)


class Marker(Event):
    """Is set once what was put before it is safe; or ``lost``, some of it."""

    lost = False


class Cut(NamedTuple):
    """What was taken out to be sent."""

    columns: list[list[Any]]  # a column for each part of an item
    markers: list[Marker]
    dropped: int
    refused: list[tuple[str, int, str]]  # reason, how many, what was wrong with the last

    @property
    def size(self) -> int:
        """How many events there are."""
        return len(self.columns[0])

    def __bool__(self) -> bool:
        return bool(self.size or self.markers or self.dropped or self.refused)


class Outbox:
    """Keeps events until a thread takes them. Thread-safe; a put is two operations of a list.

    The list is flat, the parts of one event after another: no tuple is kept
    that the garbage collector would look at, and a column is a slice.

    It waits for nobody: where it is full the event is dropped and counted. The
    lock is for counters, may be entered twice by one thread, and is held for
    no longer than a sum takes. What wakes the thread may be called by a signal
    handler that interrupts itself, as ``Event.set`` may not.

    Parameters
    ----------
    limit
        So many events may wait.
    start
        Called before the first event, and before the first one after a fork.
    """

    def __init__(self, limit: int, start: Callable[[], None]) -> None:
        self._limit = limit
        self._start = start
        self._items: list[Any] = []
        self._begin()

    def _begin(self) -> None:
        self._lock = RLock()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._here = local()
        self._marks: list[Marker] = []
        self._brim = 0  # from this length of the list on a put looks closer
        self._closed = False
        self._dropped = 0
        self._refused: Counter[str] = Counter()
        self._details: dict[str, str] = {}

    def begin_anew(self) -> None:
        """Forget all, in a forked child: it is the parent's to send."""
        closed = self._closed
        self._items.clear()
        self._begin()
        if closed:
            self.close()

    def __len__(self) -> int:
        return len(self._items) // _WIDTH

    def put(self, item: Item) -> None:
        """Keep an event, or drop it where there is no room."""
        items = self._items
        if len(items) < self._brim or self._has_room():
            items += item

    def mark(self) -> Marker:
        """Return what is set once everything that was put before is safe."""
        marker = Marker()
        self._marks.append(marker)  # first: what is not in the list yet is looked for again
        self._items += (*_MARK, marker)
        self.ring()
        return marker

    def ring(self) -> None:
        """Have who waits look now."""
        if self._bell.empty():
            self._bell.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until it rings, or so long."""
        with suppress(Empty):
            self._bell.get(timeout=seconds)

    def has_dropped_here(self) -> bool:
        """Tell whether a put of this thread was dropped since it last asked."""
        dropped = getattr(self._here, "dropped", False)
        self._here.dropped = False
        return dropped

    def refuse(self, rejection: RejectedEvent) -> None:
        """Keep that an event was refused here: the owner counts it."""
        self.put_nothing()
        with self._lock:
            self._refused[rejection.reason.value] += 1
            self._details[rejection.reason.value] = rejection.detail[:200]

    def drop(self, count: int) -> None:
        """Count events that cannot be sent."""
        with self._lock:
            self._dropped += count

    def give_back(self, cut: Cut) -> None:
        """Have told later what is to be told besides events."""
        with self._lock:
            self._dropped += cut.dropped
            for reason, count, detail in cut.refused:
                self._refused[reason] += count
                self._details.setdefault(reason, detail)

    def put_nothing(self) -> None:
        """See to it that somebody takes what is told besides events."""
        if not self._brim:
            self._has_room()

    def cut(self) -> Cut:
        """Take out as many events as are sent together, and what is to be told."""
        part = self._items[: BATCH * _WIDTH]
        del self._items[: len(part)]  # others add meanwhile, at the other end
        markers = self._taken_out(part) if self._marks else []
        columns = [part[place::_WIDTH] for place in range(_WIDTH)]
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            refused = [(why, n, self._details[why]) for why, n in self._refused.items()]
            self._refused.clear()
        return Cut(columns, markers, dropped, refused)

    def close(self) -> None:
        """Drop what comes from now on."""
        self._closed, self._brim = True, -1

    def _taken_out(self, part: list[Any]) -> list[Marker]:
        """Take the markers out of the items, and return them; they mostly are the last."""
        ids = part[_WIDTH - 1 :: _WIDTH]
        found: list[Marker] = []
        most = 0 if ids.count(None) == len(ids) else len(self._marks)
        place = len(ids)
        while place and len(found) < most:
            place -= 1
            if ids[place].__class__ is Marker:
                found.append(ids[place])
                self._marks.remove(ids[place])
                del part[place * _WIDTH : (place + 1) * _WIDTH]
        return found

    def _has_room(self) -> bool:
        """Tell whether an event may be kept; count it as dropped if not."""
        with self._lock:
            if not self._brim:
                self._begin_to_send()
            if self._closed or not self._brim or len(self._items) >= _WIDTH * self._limit:
                self._dropped += 1
                self._here.dropped = True
                return False
        if len(self._items) >= self._brim:
            self.ring()
        return True

    def _begin_to_send(self) -> None:
        self._brim = _WIDTH * min(BATCH, self._limit)
        try:
            self._start()
        except RuntimeError:  # no more threads, or the interpreter ends
            self._brim = 0
