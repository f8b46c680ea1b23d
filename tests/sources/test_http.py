"""Requests are queued, committed together, and each learns what became of its own events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting import GOOD, http_source

from losswatch.errors import Reason
from losswatch.sources.base import Outcome, Refusal


class Box:
    """Keeps replies by sender, and how many deliveries there were."""

    def __init__(self):
        self.replies = {}
        self.deliveries = 0

    def deliver(self, replies):
        self.deliveries += 1
        self.replies |= dict(replies)


def offered(*bodies, **options):
    source, box = http_source(**options), Box()
    for number, body in enumerate(bodies):
        reply = source.offer("any", body, number, box)
        if reply is not None:
            box.replies[number] = reply
    return source, box


def test_all_that_waits_is_one_batch_and_replied_to_at_once():
    """Ten requests are one batch, and their replies one delivery."""
    source, box = offered(*[GOOD] * 10)
    batch = source.next_batch()
    assert (batch.lines, list(batch.columns.line)) == (10, list(range(1, 11)))
    assert box.replies == {}
    source.committed(Outcome())
    assert box.deliveries == 1
    assert {reply[:3] for reply in box.replies.values()} == {(200, 1, 0)}
    assert len(box.replies) == 10
    assert source.next_batch().lines == 0


def test_what_came_meanwhile_waits_for_the_next_commit():
    """A request that comes during a commit is not replied to by it."""
    source, box = offered(GOOD)
    source.next_batch()
    source.offer("any", GOOD, "late", box)
    source.committed(Outcome())
    assert set(box.replies) == {0}
    assert source.next_batch().lines == 1
    source.committed(Outcome())
    assert set(box.replies) == {0, "late"}


@given(
    st.lists(st.lists(st.sampled_from("adrbm"), min_size=1, max_size=5), min_size=1, max_size=6),
    st.booleans(),
)
def test_each_line_finds_back_to_its_request(requests, all_named):
    """Accepted, duplicate and refused lines are those of the request, whoever was before it.

    ``a``, ``d``, ``r``: accepted, duplicate, refused by the writer; ``b``: by
    the decoder; ``m``: of several outputs, accepted.
    """
    lines = {"b": b"nope\n", "m": b'{"y_true": {"a": 1}, "y_pred": {"a": 2}}\n'}
    source, box = offered(*[b"".join(lines.get(x, GOOD) for x in each) for each in requests])
    batch = source.next_batch()
    fates = [fate for each in requests for fate in each]
    at = {fate: [line for line, f in enumerate(fates, 1) if f == fate] for fate in "adrbm"}
    assert list(batch.columns.line) == [i for i, f in enumerate(fates, 1) if f in "adr"]
    assert [event.line for event in batch.events] == at["m"]
    assert [refusal.line for refusal in batch.refused] == at["b"]
    refused = [Refusal(line, Reason.OVERFLOW, f"line {line}") for line in at["r"]]
    source.committed(Outcome(batch.refused * all_named + refused, at["d"]))
    for number, each in enumerate(requests):
        reply = box.replies[number]
        assert (reply.accepted, reply.duplicates) == (each.count("a") + each.count("m"),
                                                      each.count("d"))  # fmt: skip
        assert [r.line for r in reply.refused] == [i for i, f in enumerate(each, 1) if f in "rb"]
        assert reply.status == (422 if set(each) <= set("rb") else 200)


def test_only_what_has_its_side_is_of_its_kind():
    """Predictions and truths are decoded as such."""
    source, box = http_source(), Box()
    source.offer("truth", b'{"prediction_id": 1, "y_true": 2}', "t", box)
    source.offer("prediction", b'{"prediction_id": 1, "y_true": 2}', "p", box)
    batch = source.next_batch()
    assert list(batch.columns.y_true) == [2.0]
    assert [refusal.reason for refusal in batch.refused] == [Reason.MISSING_FIELD]


def test_nothing_and_what_cannot_be_read_is_replied_to_at_once():
    """Without an event there is nothing to wait for."""
    source, box = offered(b"", b"[]", b"[1,")
    assert [box.replies[i][:2] for i in range(3)] == [(200, 0), (200, 0), (400, 0)]
    assert source.next_batch().lines == 0


def test_a_full_queue_takes_no_more_until_it_is_committed():
    """A body is taken whole while there is room; what is being committed still counts."""
    source, box = offered(GOOD * 2, GOOD * 5, GOOD, queue=3)
    assert source.full
    assert box.replies[2].status == 429
    assert source.next_batch().lines == 7
    assert source.offer("any", GOOD, "x", box).status == 429
    source.committed(Outcome())
    assert not source.full
    assert source.offer("any", GOOD, "x", box) is None


def test_a_commit_that_failed_is_replied_to_and_forgotten():
    """All who waited learn why; the batch is not tried again, and there is room."""
    source, box = offered(GOOD, GOOD, queue=2)
    source.next_batch()
    assert source.failed("the disk is full") is False
    assert {reply.status for reply in box.replies.values()} == {503}
    assert box.replies[1].detail == "the disk is full"
    assert source.next_batch().lines == 0
    assert not source.full


@pytest.mark.parametrize("taken", [False, True])
def test_closing_replies_to_all_who_wait(taken):
    """Nobody waits for ever, also those of a batch that was never settled; no more is taken."""
    source, box = offered(GOOD, GOOD)
    if taken:
        source.next_batch()
        source.offer("any", GOOD, 2, box)
    source.close()
    source.close()
    assert {reply.status for reply in box.replies.values()} == {503}
    assert len(box.replies) == 2 + taken
    assert source.offer("any", GOOD, "late", box).status == 503
    assert source.next_batch() is None


def test_the_writer_is_woken_once_for_what_waits():
    """Only the first of those who wait wakes it."""
    wakes = []
    source, box = http_source(wake=lambda: wakes.append(1)), Box()
    for number in range(5):
        source.offer("any", GOOD, number, box)
    assert len(wakes) == 1
    source.next_batch()
    source.offer("any", GOOD, 5, box)
    assert len(wakes) == 2
