"""Events that clients send: queued, handed over together, answered once they are safe."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from losswatch.core.events import EventColumns
from losswatch.sources.base import Batch, Outcome, Refusal
from losswatch.sources.body import UnreadableBodyError, split_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from losswatch.sources.base import Decoder, Position

__all__ = ["HttpSource", "Kind", "Mailbox", "Reply"]

Kind = Literal["any", "prediction", "truth"]

_OK, _BAD_REQUEST, _UNPROCESSABLE, _TOO_MANY, _UNAVAILABLE = 200, 400, 422, 429, 503
_STOPPED = "the service stops; send it again when it is back"


class Reply(NamedTuple):
    """What a request is answered: a status, and what became of each of its events.

    ``detail`` says why nothing was counted. Lines are those of the request,
    from 1.
    """

    status: int
    accepted: int = 0
    duplicates: int = 0
    refused: Sequence[Refusal] = ()
    detail: str = ""


class Mailbox(Protocol):
    """Where replies go. Those of one commit come together: the web thread is woken once."""

    def deliver(self, replies: list[tuple[object, Reply]], /) -> None:
        """Take replies, each with what was given as ``sender``; called from any thread."""


class _Waiting(NamedTuple):
    """A request that waits for the commit."""

    batch: Batch
    sender: object
    mailbox: Mailbox


class HttpSource:
    """Takes events from requests, and replies when they are safe.

    Delivery: what was replied 200 is in the state for good; what was replied
    anything else is not, and may be sent again. Requests that come while
    others are being committed are committed together, whatever their number.
    :meth:`offer` may be called from any thread, the rest from that of the
    writer.

    Parameters
    ----------
    name
        Names the source, as its path does.
    decoders
        One for each kind: they are shared by all requests, so they remember nothing.
    queue
        So many events may wait. A body is taken whole while fewer do.
    wake
        Called when something waits and nothing did.
    """

    def __init__(
        self,
        name: str,
        decoders: Mapping[Kind, Decoder],
        queue: int,
        wake: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self._decoders = decoders
        self._queue = queue
        self._wake = wake
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._taken: list[_Waiting] = []
        self._events = 0  # of both
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether no more is taken now."""
        return self._events >= self._queue

    def offer(self, kind: Kind, body: bytes, sender: object, mailbox: Mailbox) -> Reply | None:
        """Take the events of a request.

        Returns
        -------
        The reply if there is one at once. ``None``: it comes to the mailbox.
        """
        if self._closed:
            return Reply(_UNAVAILABLE, detail=_STOPPED)
        if self.full:
            return Reply(_TOO_MANY, detail=f"{self._queue} events wait already; send it later")
        try:
            texts = split_body(body)
        except UnreadableBodyError as error:
            return Reply(_BAD_REQUEST, detail=str(error))
        if not texts:
            return Reply(_OK)
        return self._enqueue(_Waiting(self._decoders[kind].decode(texts, 1), sender, mailbox))

    def _enqueue(self, request: _Waiting) -> Reply | None:
        with self._lock:
            if self._closed:
                return Reply(_UNAVAILABLE, detail=_STOPPED)
            first = not self._waiting
            self._waiting.append(request)
            self._events += request.batch.lines
        if first:
            self._wake()
        return None

    def resume(self, position: Position) -> None:
        """Do nothing: clients know what was not replied to."""

    def next_batch(self) -> Batch | None:
        """Return all that waits as one batch, its lines numbered through."""
        with self._lock:
            if self._closed:
                return None
            self._taken, self._waiting = self._waiting, []
        return _joined([request.batch for request in self._taken])

    def committed(self, outcome: Outcome) -> None:
        """Reply to each request what became of its events."""
        outcomes = _outcomes([request.batch for request in self._taken], outcome)
        self._settle([_reply(r.batch, o) for r, o in zip(self._taken, outcomes, strict=True)])

    def failed(self, reason: str) -> bool:
        """Reply that nothing was counted: the clients decide whether they try again."""
        self._settle([Reply(_UNAVAILABLE, detail=reason)] * len(self._taken))
        return False

    def close(self) -> None:
        """Reply to all who wait that nothing of theirs was counted, and take no more."""
        with self._lock:
            self._closed = True
            self._taken += self._waiting
            self._waiting = []
        self._settle([Reply(_UNAVAILABLE, detail=_STOPPED)] * len(self._taken))

    def _settle(self, replies: list[Reply]) -> None:
        taken, self._taken = self._taken, []
        with self._lock:
            self._events -= sum(request.batch.lines for request in taken)
        mail: defaultdict[Mailbox, list[tuple[object, Reply]]] = defaultdict(list)
        for request, reply in zip(taken, replies, strict=True):
            mail[request.mailbox].append((request.sender, reply))
        for mailbox, letters in mail.items():
            mailbox.deliver(letters)


def _joined(batches: Sequence[Batch]) -> Batch:
    """Return batches as one; line ``i`` of one stands after all lines of those before."""
    if len(batches) == 1:
        return batches[0]
    joined = Batch()
    parts = []
    for batch in batches:
        before = joined.lines
        part = batch.columns
        parts.append(
            EventColumns(
                part.model,
                part.y_true,
                part.y_pred,
                part.w,
                [before + line for line in part.line],
                part.time,
                part.segment,
                part.prediction_id,
            )
        )
        joined.events += [event._replace(line=before + event.line) for event in batch.events]
        joined.refused += [each._replace(line=before + each.line) for each in batch.refused]
        joined.lines += batch.lines
    joined.columns = EventColumns.join(parts)
    return joined


def _outcomes(batches: Sequence[Batch], outcome: Outcome) -> list[Outcome]:
    """Give each batch what became of its own lines."""
    own = [Outcome() for _ in batches]
    ends = list(accumulate(batch.lines for batch in batches))

    def place(line: int) -> tuple[int, int]:
        which = bisect_left(ends, line)
        return which, line - (ends[which - 1] if which else 0)

    for refusal in outcome.refused:
        which, line = place(refusal.line)
        own[which].refused.append(refusal._replace(line=line))
    for duplicate in outcome.duplicates:
        which, line = place(duplicate)
        own[which].duplicates.append(line)
    return own


def _reply(batch: Batch, outcome: Outcome) -> Reply:
    # The writer may name those that the decoder refused too, or not.
    refused = {each.line: each for each in (*batch.refused, *outcome.refused)}
    duplicates = len(outcome.duplicates)
    accepted = batch.lines - len(refused) - duplicates
    return Reply(
        _OK if accepted or duplicates else _UNPROCESSABLE,
        accepted,
        duplicates,
        [refused[line] for line in sorted(refused)],
    )
