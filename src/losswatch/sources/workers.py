"""Events that worker processes send over a socket: acknowledged once they are safe."""

from __future__ import annotations

import time
from collections import Counter
from threading import Condition, Thread
from typing import TYPE_CHECKING, NamedTuple

from losswatch.sources.base import Batch
from losswatch.sources.batches import joined
from losswatch.sources.peer import Peer
from losswatch.sources.sessions import Sessions

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from losswatch.sources.base import Outcome, Position
    from losswatch.sources.batches import BatchDecoder, Delivered
    from losswatch.sources.listener import Listener
    from losswatch.sources.peer import Page

__all__ = ["SocketSource", "WorkerTally"]

_MOST_CONNECTIONS = 512

_Key = tuple[str, int]


class WorkerTally(NamedTuple):
    """What is told of workers: how many are here, what they sent, what they dropped."""

    connected: int
    batches: Counter[str]
    dropped: int
    last_batch: float | None


class _Waiting(NamedTuple):
    """A batch that waits for the commit, and who is told."""

    delivered: Delivered
    peer: Peer


class SocketSource:
    """Takes batches of workers, and acknowledges them when they are safe.

    Delivery: what was acknowledged is in the state for good. What was not is
    sent again, and counts once: the number of each session's last batch is
    committed with the events. Each connection has a thread; while ``queue``
    events wait it reads no further, and its worker waits.

    Parameters
    ----------
    name
        Names the source, as its path does.
    listener
        Where workers connect.
    decoder
        Reads batches.
    queue
        So many events may wait; those of one batch each connection beside.
    wake
        Called when something waits and nothing did.
    """

    def __init__(
        self,
        name: str,
        listener: Listener,
        decoder: BatchDecoder,
        queue: int,
        wake: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self.page: Page | None = None  # what workers are shown at /metrics
        self.decoder = decoder
        self.sessions = Sessions()
        self._listener = listener
        self._queue = queue
        self._wake = wake
        self._change = Condition()
        self._peers: set[Peer] = set()
        self._waiting: dict[_Key, _Waiting] = {}
        self._taken: dict[_Key, _Waiting] = {}
        self._parted: set[str] = set()
        self._batches: Counter[str] = Counter(accepted=0, repeated=0, refused=0)
        self._dropped = 0
        self._last_batch: float | None = None
        self._closed = False
        Thread(target=self._accept, name="losswatch-socket", daemon=True).start()

    def tally(self) -> WorkerTally:
        """Return what came so far; from any thread."""
        with self._change:
            batches = Counter(self._batches)
            return WorkerTally(self.sessions.connected, batches, self._dropped, self._last_batch)

    def count_refused(self) -> None:
        """Count what a worker sent and cannot be read; from any thread."""
        with self._change:
            self._batches["refused"] += 1

    def offer(self, session: str, number: int, delivered: Delivered, peer: Peer) -> None:
        """Take a batch; wait while there is no room. From the thread of a connection."""
        key = (session, number)
        with self._change:
            while peer in self._peers and key not in self._waiting and not self._has_room():
                self._change.wait()
            if peer not in self._peers:
                return  # it was let go
            first = not self._waiting
            self._waiting[key] = _Waiting(delivered, peer)  # of two, the new connection is told
        if first:
            self._wake()

    def part(self, session: str) -> None:
        """Learn that nothing of a session comes again; what waits of it is counted first."""
        with self._change:
            self._parted.add(session)

    def resume(self, position: Position) -> None:
        """Go on with the sessions that the state has."""
        self.sessions.resume(position, self.name)

    def next_batch(self) -> Batch | None:
        """Return all that waits and was not counted before as one batch."""
        with self._change:
            if self._closed:
                return None
            waiting, self._waiting = self._waiting, {}
            self._forget({session for session, _ in waiting})
            old = {key for key in waiting if key[1] <= self.sessions.last(key[0])}
            self._taken = {key: each for key, each in waiting.items() if key not in old}
            self._batches["repeated"] += len(old)
            self._change.notify_all()
        for key in old:
            waiting[key].peer.acknowledge(key[1])
        if not self._taken:
            return Batch()
        batch = joined([each.delivered.batch for each in self._taken.values()])
        batch.position = self.sessions.position(self._numbers())
        return batch

    def committed(self, outcome: Outcome) -> None:  # noqa: ARG002  # workers are not told
        """Acknowledge each batch of the last one."""
        self.sessions.commit(self._numbers())
        taken, self._taken = self._taken, {}
        with self._change:
            self._batches["accepted"] += len(taken)
            self._dropped += sum(each.delivered.dropped for each in taken.values())
            self._last_batch = time.time()
            self._change.notify_all()
        for (_, number), each in taken.items():
            each.peer.acknowledge(number)

    def failed(self, reason: str) -> bool:  # noqa: ARG002  # workers wait
        """Keep the batch: it is not acknowledged until it is safe."""
        return True

    def change(self, decoder: BatchDecoder, queue: int, mode: int) -> None:
        """Go on by another config; workers come again with what waits. Between two batches."""
        with self._change:
            self.decoder, self._queue = decoder, queue
        self._listener.allow(mode)
        self._let_go()

    def close(self) -> None:
        """Let go of all connections: what was not acknowledged is sent again."""
        with self._change:
            self._closed = True
        self._listener.close()
        self._let_go()

    def _let_go(self) -> None:
        """End all connections, and forget what they sent and nobody took."""
        with self._change:
            peers = list(self._peers)
            self._peers.clear()
            self._waiting = {}
            self._change.notify_all()
        for peer in peers:
            peer.hang_up()

    def _forget(self, waiting: set[str]) -> None:
        """Forget sessions that have parted, unless they have to be compared once more."""
        # One connection may hold a batch that another one has delivered: it is compared, too.
        gone = {each for each in self._parted - waiting if not self.sessions.is_connected(each)}
        self._parted -= gone
        for session in gone:
            self.sessions.forget(session)

    def _numbers(self) -> dict[str, int]:
        """Return the last number of each session in what was taken."""
        numbers: dict[str, int] = {}
        for session, number in self._taken:
            numbers[session] = max(number, numbers.get(session, 0))
        return numbers

    def _has_room(self) -> bool:
        both = (*self._waiting.values(), *self._taken.values())
        return sum(map(_weight, both)) < self._queue

    def _accept(self) -> None:
        while (connection := self._listener.accept()) is not None:
            self._meet(connection)

    def _meet(self, connection: socket.socket) -> None:
        peer = Peer(connection, self)
        with self._change:
            is_full = len(self._peers) >= _MOST_CONNECTIONS
            if not is_full:
                self._peers.add(peer)
        if is_full or self._closed:
            peer.turn_away(f"{_MOST_CONNECTIONS} workers are connected already; come back later")
            return
        try:
            Thread(target=self._attend, args=(peer,), name="losswatch-peer", daemon=True).start()
        except RuntimeError:  # it may be there for the next one: who listens here must not end
            self._miss(peer)
            peer.turn_away("there is no thread for another worker; come back later")

    def _attend(self, peer: Peer) -> None:
        try:
            peer.run()
        finally:
            self._miss(peer)

    def _miss(self, peer: Peer) -> None:
        with self._change:
            self._peers.discard(peer)


def _weight(waiting: _Waiting) -> int:
    """Return how much room a batch takes, in events; one that has none takes some."""
    batch = waiting.delivered.batch
    return 1 + batch.lines + len(batch.refused)
