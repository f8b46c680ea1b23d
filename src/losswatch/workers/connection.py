"""What a model server tells the one process that counts: ``losswatch.connect``."""

from __future__ import annotations

import atexit
import logging
import math
import os
import time as clock
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast
from weakref import WeakSet

from losswatch.core.clock import as_time
from losswatch.core.join.inbox import check_id
from losswatch.core.scoring import score, score_outputs
from losswatch.core.validity import LARGEST, as_float, check_name
from losswatch.errors import RejectedEvent
from losswatch.workers.label_keys import NO_LABELS, LabelKeys
from losswatch.workers.link import ask_page
from losswatch.workers.outbox import Outbox
from losswatch.workers.sender import Sender
from losswatch.workers.sides import side_of, weight_of

if TYPE_CHECKING:
    import datetime as dt

    Outputs = Mapping[str, float]

__all__ = ["Connection", "connect"]

logger = logging.getLogger(__name__)

_EXIT_SECONDS = 2.0
_LOOK_SECONDS = 0.5

_connections: WeakSet[Connection] = WeakSet()


class Connection:
    """Sends the events of this process to the process that counts them all. Thread-safe.

    A call costs under 1 µs and never waits: it checks the event and puts it
    into a list, from which a thread sends it within a tenth of a second. While
    the owner is away events wait, up to ``buffer`` of them; those beyond are
    dropped and counted. Each is counted once, whoever is killed in between. A
    forked child sends for itself, with a thread of its own, and nothing of its
    parent's.

    Made by :func:`losswatch.connect`.
    """

    def __init__(self, path: Path, model: str | None, buffer: int) -> None:
        if model is not None:
            check_name(model)
        if buffer < 1:
            raise ValueError(f"buffer is {buffer!r:.60}; must be at least 1 event")
        self.path = path.absolute()
        self.model = model
        self._key = LabelKeys().of
        self._sender: Sender | None = None
        self._outbox = Outbox(buffer, self._start)
        _connections.add(self)

    def update(
        self,
        y_true: float | Mapping[str, float],
        y_pred: float | Mapping[str, float],
        w: float | None = None,
        *,
        segment: Mapping[str, str | None] | None = None,
        time: float | dt.datetime | None = None,
    ) -> float | dict[str, float]:
        """Tell one event and return its loss, or its loss for each output.

        Parameters
        ----------
        y_true, y_pred, w, segment, time
            As in :meth:`Monitor.update`; without a ``time`` it is now.

        Raises
        ------
        RejectedEvent
            The event cannot be scored. It will be counted by its reason.
        """
        try:
            if y_true.__class__ is float and y_pred.__class__ is float:
                weight = 1.0 if w is None else weight_of(w)
                error: float = y_true - y_pred
                loss = error * error
                if max(loss, weight * loss) <= LARGEST if weight != 1.0 else loss <= LARGEST:
                    key = self._key(segment) if segment else NO_LABELS
                    when = clock.time() if time is None else as_time(time)
                    self._outbox.put((y_true, y_pred, weight, key, when, None))
                    return loss
            return self._update(y_true, y_pred, w, segment, time)
        except RejectedEvent as rejection:
            self._outbox.refuse(rejection)
            raise

    def predicted(
        self,
        prediction_id: str | int,
        y_pred: float | Mapping[str, float],
        w: float | None = None,
        *,
        segment: Mapping[str, str | None] | None = None,
        time: float | dt.datetime | None = None,
    ) -> None:
        """Tell what was predicted; its truth may come from any process, later or before.

        Parameters
        ----------
        prediction_id, y_pred, w, segment, time
            As in :meth:`Monitor.predicted`; without a ``time`` it is now.

        Raises
        ------
        RejectedEvent
            It can never be scored. It will be counted by its reason.
        """
        try:
            number = side_of("y_pred", y_pred)
            weight = 1.0 if w is None else weight_of(w)
            key = self._key(segment) if segment else NO_LABELS
            when = clock.time() if time is None else as_time(time)
            self._outbox.put((None, number, weight, key, when, check_id(prediction_id)))
        except RejectedEvent as rejection:
            self._outbox.refuse(rejection)
            raise

    def observed(
        self,
        prediction_id: str | int,
        y_true: float | Mapping[str, float],
        *,
        time: float | dt.datetime | None = None,
    ) -> None:
        """Tell the truth of a prediction that any process has made.

        Parameters
        ----------
        prediction_id, y_true, time
            As in :meth:`Monitor.observed`; without a ``time`` it is now.

        Raises
        ------
        RejectedEvent
            It can never be scored. It will be counted by its reason.
        """
        try:
            number = side_of("y_true", y_true)
            when = clock.time() if time is None else as_time(time)
            self._outbox.put((number, None, 1.0, NO_LABELS, when, check_id(prediction_id)))
        except RejectedEvent as rejection:
            self._outbox.refuse(rejection)
            raise

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was told before is safe; not for a coroutine, which it would hold up.

        Parameters
        ----------
        timeout
            Seconds to wait at most.

        Returns
        -------
        Whether it is: counted once, and in the state of the owner for good. If
        not, nobody may have taken it yet; or some of it was dropped, of this
        thread or of what the last flush did not wait for, and that is told once.
        """
        self._outbox.put_nothing()
        marker = self._outbox.mark()
        end = math.inf if timeout is None else clock.monotonic() + timeout
        while not marker.wait(max(0.0, min(_LOOK_SECONDS, end - clock.monotonic()))):
            if not self._is_sending or clock.monotonic() >= end:  # closed meanwhile
                return False
        return not (self._outbox.has_dropped_here() | marker.lost)

    @property
    def _is_sending(self) -> bool:
        sender = self._sender
        return sender is not None and sender.is_running

    def close(self, timeout: float = _EXIT_SECONDS) -> None:
        """Send what waits, for some seconds at most; later events are dropped. Safe to call twice.

        Called at the end of the process if nobody did.
        """
        sender = self._sender
        self._outbox.close()
        if sender is None:
            return
        if not self._outbox.mark().wait(timeout):
            logger.warning("%s: gave up after %g s; events are lost", self.path, timeout)
        self._sender = None
        sender.stop()
        atexit.unregister(self.close)

    def page(
        self, accept: str = "", names: list[str] | None = None, timeout: float = 5.0
    ) -> tuple[bytes, str]:
        """Return the owner's page of metrics and its content type; it may take its time.

        Parameters
        ----------
        accept
            The ``Accept`` header of who asked.
        names
            If given, only samples of these names.
        timeout
            Seconds to wait at most.

        Raises
        ------
        OSError
            The owner does not answer; the message says why.
        """
        return ask_page(self.path, accept, names or [], timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _update(
        self,
        y_true: object,
        y_pred: object,
        w: object,
        segment: Mapping[str, str | None] | None,
        time: object,
    ) -> float | dict[str, float]:
        """Tell an event that needs a closer look."""
        key = self._key(segment)
        when = clock.time() if time is None else as_time(time)
        if isinstance(y_true, Mapping) or isinstance(y_pred, Mapping):
            outputs = tuple(y_true if isinstance(y_true, Mapping) else cast("Outputs", y_pred))
            scores = score_outputs(outputs, y_true, y_pred, w)
            weight = scores[outputs[0]][3] if outputs else 1.0
            sides = side_of("y_true", y_true), side_of("y_pred", y_pred)
            self._outbox.put((*sides, weight, key, when, None))
            return {output: each[1] for output, each in scores.items()}
        _, loss, true, weight = score(y_true, y_pred, w)
        self._outbox.put((true, as_float("y_pred", y_pred), weight, key, when, None))
        return loss

    def _start(self) -> None:
        self._sender = Sender(self.path, self.model, self._outbox)
        atexit.register(self.close)

    def _begin_anew(self) -> None:
        """Begin in a forked child, where no thread of the parent is."""
        if self._sender is not None:
            self._sender.abandon()
            atexit.unregister(self.close)
        self._sender = None
        self._outbox.begin_anew()


def connect(
    path: str | os.PathLike[str], model: str | None = None, *, buffer: int = 100_000
) -> Connection:
    """Return the connection of this process to the one that counts: ``losswatch run``.

    It need not run yet. Any number of processes may connect; together they
    have one cost. Loads NumPy, and nothing else that does not come with Python.

    Parameters
    ----------
    path
        That of the socket, as ``socket: {path: ...}`` in the owner's YAML.
    model
        Whose events are told; if not given, that of the source or the only one.
    buffer
        So many events may wait while the owner is away; at about 200 bytes each.

    Examples
    --------
    >>> import losswatch
    >>> eta = losswatch.connect("losswatch.sock", model="eta")
    >>> eta.update(10, 12, segment={"city": "oslo"})
    4.0
    >>> eta.predicted("trip 7", 12.0)
    >>> eta.close(timeout=0.0)  # nobody was there
    """
    return Connection(Path(path), model, buffer)


def _begin_anew() -> None:
    for connection in list(_connections):
        connection._begin_anew()  # noqa: SLF001  # it is of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
