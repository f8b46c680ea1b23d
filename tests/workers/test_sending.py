"""What goes wrong while events are sent: nothing is lost in silence, and the rest goes on."""

import logging
import os
import resource
import threading

import pytest
from servers import wait_for
from working import Owner

from losswatch.codec.frames import Kind, encode_frame, encode_number, read_frame, receive
from losswatch.errors import RejectedEvent
from losswatch.sources.listener import Listener
from losswatch.workers import sender
from losswatch.workers.batches import bodies_of


def test_an_event_that_cannot_be_sent_takes_no_other_with_it(connection, owner, caplog):
    """Half of a surrogate pair in an id: the others of its batch count, and it is told."""
    for number in range(9):
        connection.predicted("\ud800" if number == 4 else f"a{number}", 1.0)
    assert not connection.flush(10)
    assert connection.flush(10)
    assert len(owner.events) == 8
    assert owner.source.tally().dropped == 1
    assert "an event is dropped, it cannot be sent" in caplog.text


def test_what_fails_while_it_is_sent_is_told_and_sending_goes_on(
    connection, owner, caplog, monkeypatch
):
    """A flush does not wait for ever, and does not say that all is well."""
    connection.update(1.0, 2.0)
    assert connection.flush(10)
    failures = [MemoryError("no room"), MemoryError("no room")]

    def failing(model, cut):
        if failures and cut.size:
            raise failures.pop()
        return bodies_of(model, cut)

    monkeypatch.setattr(sender, "bodies_of", failing)
    for _ in range(2):
        with pytest.raises(RejectedEvent):
            connection.update(1.0, "x")
        connection.update(3.0, 4.0)
        assert not connection.flush(10)
    connection.update(5.0, 6.0)
    assert connection.flush(10)
    assert [event[1] for event in owner.events] == [1.0, 5.0]
    assert owner.source.tally().dropped == 2
    assert [refusal.reason for refusal in owner.refused] == ["wrong_type"] * 2
    assert "1 events are dropped" in caplog.text


def test_without_a_descriptor_for_a_socket_events_wait(connection, owner):
    """As for an owner that is away: a model server may have too many open files for a while."""
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        connection.update(1.0, 2.0)
        safe = connection.flush(0.5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert not safe
    assert connection.flush(10)
    assert len(owner.events) == 1


def test_a_batch_that_the_owner_cannot_read_is_told(connection, path):
    """It is dropped, and a flush says so; the ones after it count."""
    listener = Listener(path, 0o600)
    answers = [(Kind.SPOILT, b"why")]

    def answer():
        with listener.accept() as peer:
            while (frame := read_frame(lambda size: receive(peer, size))) is not None:
                if frame.kind == Kind.HELLO:
                    peer.sendall(encode_frame(Kind.WELCOME, encode_number(0)))
                if frame.kind == Kind.BATCH:
                    kind, text = answers.pop() if answers else (Kind.ACK, b"")
                    peer.sendall(encode_frame(kind, frame.body[:8] + text))

    thread = threading.Thread(target=answer)
    thread.start()
    for safe in (False, True):
        connection.update(1.0, 2.0)
        assert connection.flush(10) is safe
    connection.close()
    thread.join(10)
    listener.close()


@pytest.mark.parametrize("kind", [Kind.WELCOME, Kind.ACK])
def test_an_answer_that_is_none_is_asked_for_again(connection, path, kind):
    """As after any other fault of the connection: the batch is kept, and sent again."""
    listener = Listener(path, 0o600)

    def spoil():
        with listener.accept() as peer:
            while (frame := read_frame(lambda size: receive(peer, size))) is not None:
                wanted = Kind.WELCOME if frame.kind == Kind.HELLO else Kind.ACK
                number = b"" if wanted == kind else encode_number(0)
                peer.sendall(encode_frame(wanted, number))

    thread = threading.Thread(target=spoil)
    thread.start()
    connection.update(1.0, 2.0)
    thread.join(10)
    listener.close()
    owner = Owner(path)
    with owner.serving():
        assert connection.flush(10)
    owner.close()
    assert len(owner.events) == 1


def test_batches_are_sent_again_until_they_are_acknowledged(connection, path):
    """Owners that end before they commit, and after it before they acknowledge."""
    counted, position = [], None
    for number in range(6):
        connection.update(float(number), 0.0)
        owner = Owner(path, position)
        if number == 2:
            wait_for(lambda o=owner: o.take(commit=False))  # it was taken, and never committed
        elif number % 2:
            owner.source.sessions.commit({})
            wait_for(lambda o=owner: _commit_silently(o))
        else:
            with owner.serving():
                assert connection.flush(10)
        counted += owner.events
        position = owner.position
        owner.close()
    owner = Owner(path, position)
    with owner.serving():
        assert connection.flush(10)
    counted += owner.events
    owner.close()
    assert [event[1] for event in counted] == [float(number) for number in range(6)]


def _commit_silently(owner: Owner) -> bool:
    """Commit without a word to the worker, as one that is killed just then."""
    batch = owner.source.next_batch()
    if batch.position is None:
        return False
    columns = batch.columns
    owner.events += zip(columns.model, columns.y_true, columns.y_pred, strict=True)
    owner.position = batch.position
    return True


def test_another_version_is_told(connection, path, caplog):
    """The owner's reason is in the worker's log, and events wait."""
    listener = Listener(path, 0o600)

    def refuse():
        while (peer := listener.accept()) is not None:
            with peer:
                frame = bytearray(encode_frame(Kind.REFUSED, b"speak version 2"))
                read_frame(lambda size: receive(peer, size))
                peer.sendall(frame)

    thread = threading.Thread(target=refuse)
    thread.start()
    with caplog.at_level(logging.WARNING):
        connection.update(1.0, 2.0)
        assert not connection.flush(0.5)
    listener.close()
    thread.join()
    assert "refused: speak version 2; events wait in memory" in caplog.text
