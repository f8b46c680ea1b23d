"""Predictions and truths that come apart: joined, counted, given up, revised."""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from losswatch import Monitor, Reason, RejectedEvent, Segments
from losswatch.core.events import Event, EventColumns
from losswatch.core.join.settings import Join
from losswatch.core.monitors import Monitors


def take(monitor: Monitor, *rows, at: float = 0.0):
    """Take rows of (id, y_pred, y_true) and, if there are more, their times."""
    ids, y_pred, y_true, *times = zip(*rows, strict=True)
    events = EventColumns(
        y_true=y_true,
        y_pred=y_pred,
        w=[1.0] * len(rows),
        line=range(len(rows)),
        time=list(times[0]) if times else (),
        prediction_id=ids,
    )
    return monitor.take(events, at=at)


def test_either_side_may_come_first():
    monitor = Monitor("eta")
    take(monitor, ("a", 12.0, None), ("b", None, 10.0))
    assert (monitor.snapshot().pooled.n, monitor.snapshot().join.pending_predictions) == (0, 1)
    assert monitor.snapshot().join.pending_truths == 1
    take(monitor, ("a", None, 10.0), ("b", 13.0, None))
    snapshot = monitor.snapshot()
    assert (snapshot.pooled.n, snapshot.pooled.mse) == (2, 6.5)
    assert (snapshot.join.predicted, snapshot.join.scored, snapshot.join.coverage) == (2, 2, 1.0)


def test_both_sides_in_one_batch_are_scored_at_once():
    monitor = Monitor("eta")
    taken = take(monitor, ("a", 12.0, None), ("a", None, 10.0), ("b", 1.0, 4.0))
    assert (taken.scored, taken.rejected, taken.duplicates) == (2, [], [])
    assert monitor.snapshot().pooled.mse == 6.5


def test_what_comes_twice_counts_once():
    monitor = Monitor("eta")
    rows = [("a", 12.0, None), ("a", None, 10.0), ("b", 1.0, 4.0)]
    take(monitor, *rows)
    taken = take(monitor, *rows, ("b", 1.0, 4.0))
    assert (sorted(taken.duplicates), taken.rejected, taken.scored) == ([0, 1, 2, 3], [], 0)
    assert monitor.snapshot().pooled.n == 2
    assert monitor.snapshot().join.duplicates == {"prediction": 3, "truth": 3}


def test_another_prediction_for_an_id_is_refused():
    monitor = Monitor("eta")
    take(monitor, ("a", 12.0, None))
    (rejection,) = take(monitor, ("a", 13.0, None)).rejected
    assert rejection.reason is Reason.CONFLICTING_PREDICTION
    assert "y_pred 13.0, and had 12.0" in rejection.detail
    take(monitor, ("a", 14.0, 10.0))  # also when the truth comes with it: nothing of it counts
    assert monitor.snapshot().pooled.n == 0
    take(monitor, ("a", None, 10.0))
    assert monitor.snapshot().pooled.mse == 4.0
    assert monitor.snapshot().rejected == {Reason.CONFLICTING_PREDICTION: 2}


def test_a_revised_truth_reverts_the_old_loss():
    monitor = Monitor("eta", windows=["1m", {"events": 2}], segments=Segments(("city",)))
    for name, y_pred in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        monitor.predicted(name, y_pred, segment={"city": "oslo"}, time=10.0)
        monitor.observed(name, 0.0, time=10.0)
    monitor.snapshot()
    monitor.observed("b", 1e200, time=12.0)  # cannot be scored: the old one stays
    monitor.observed("b", 2.0, time=11.0)
    snapshot = monitor.snapshot()
    oslo = {"city": "oslo"}
    assert snapshot.rejected == {Reason.OVERFLOW: 1}
    assert snapshot.join.revised == 1
    for segment in ({}, oslo):
        assert snapshot.read("lifetime", segment=segment).loss == 1.0 + 0.0 + 9.0
        assert snapshot.read("1m", segment=segment).loss == 10.0
        assert snapshot.read("2 events", segment=segment).loss == 9.0


def test_counters_tell_the_truth_that_came_first_and_never_fall():
    monitor = Monitor("eta")
    take(monitor, ("a", 3.0, 0.0))
    take(monitor, ("a", None, 3.0), at=1.0)
    ledger = monitor.snapshot().outputs[""]
    assert (ledger.histogram(0).sum, ledger.histogram(0).count) == (9.0, 1)
    assert (ledger.counted.loss[0], ledger.counted.weight[0]) == (9.0, 1.0)
    assert monitor.snapshot().pooled.mse == 0.0


def test_an_older_truth_is_refused():
    monitor = Monitor("eta")
    take(monitor, ("a", 0.0, None, 1.0), ("a", None, 2.0, 9.0), at=10.0)
    (rejection,) = take(monitor, ("a", None, 1.0, 8.0), at=11.0).rejected
    assert rejection.reason is Reason.OUTDATED_TRUTH
    assert "1.0 of time 8.0; one of 9.0 is known" in rejection.detail
    assert monitor.snapshot().pooled.mse == 4.0


def test_predictions_and_truths_that_wait_too_long_are_given_up():
    monitor = Monitor("eta", join=Join(ttl=10.0))
    take(monitor, ("a", 1.0, None), ("b", None, 1.0))
    take(monitor, ("a", None, 3.0), at=10.0)  # the last moment
    take(monitor, ("b", 1.0, None), at=10.5)  # too late: a new beginning
    join = monitor.snapshot().join
    assert (join.scored, join.expired["ttl"], join.unmatched["ttl"]) == (1, 0, 1)
    assert (join.pending_predictions, join.pending_truths) == (1, 0)


def test_time_alone_expires():
    now = [0.0]
    monitor = Monitor("eta", join=Join(ttl=10.0, retention=20.0), clock=lambda: now[0])
    take(monitor, ("a", 1.0, None), ("b", None, 1.0), ("c", 1.0, 1.0))
    now[0] = 11.0
    join = monitor.snapshot().join
    assert (join.pending_predictions, join.pending_truths, join.retained) == (0, 0, 1)
    assert (join.expired["ttl"], join.unmatched["ttl"]) == (1, 1)
    now[0] = 21.0
    monitor.sweep(now[0])
    assert (monitor.snapshot().join.retained, len(monitor._desk.joiner.records)) == (0, 0)
    assert monitor.snapshot().join.expired["ttl"] == 1


def test_the_oldest_expires_where_too_many_wait():
    monitor = Monitor("eta", join=Join(pending=3, retained=2))
    take(monitor, *[(f"p{i}", 1.0, None) for i in range(5)])
    join = monitor.snapshot().join
    assert (join.pending_predictions, join.expired) == (3, {"ttl": 0, "limit": 2})
    take(monitor, *[(f"p{i}", None, 2.0) for i in range(5)])
    join = monitor.snapshot().join
    assert (join.scored, join.pending_truths, join.retained) == (3, 2, 2)
    assert take(monitor, ("p2", 1.0, 2.0)).scored == 1  # it is forgotten: it counts again
    assert take(monitor, ("p4", 1.0, 2.0)).duplicates == [0]


def test_after_the_retention_an_event_is_forgotten():
    monitor = Monitor("eta", join=Join(retention=10.0))
    take(monitor, ("a", 1.0, 2.0))
    assert take(monitor, ("a", 1.0, 2.0), at=10.0).duplicates == [0]
    assert take(monitor, ("a", 1.0, 2.0), at=10.5).scored == 1
    assert monitor.snapshot().pooled.n == 2


def test_without_a_retention_nothing_is_kept():
    monitor = Monitor("eta", join=Join(retention=0.0))
    take(monitor, ("a", 1.0, 2.0), ("b", 1.0, None), ("b", None, 3.0))
    assert (monitor.snapshot().pooled.n, len(monitor._desk.joiner.records)) == (2, 0)
    assert take(monitor, ("a", 1.0, 2.0)).scored == 1


def test_the_past_expires_by_its_own_times():
    """Without a clock the latest time is now, within a batch too."""
    monitor = Monitor("eta", join=Join(ttl=10.0, retention=5.0))
    rows = [("a", 1.0, None, 0.0), ("b", 1.0, None, 5.0), ("a", None, 2.0, 11.0)]
    rows += [("b", None, 2.0, 12.0), ("b", 1.0, 2.0, 18.0)]
    taken = take(monitor, *rows, at=None)
    join = monitor.snapshot().join
    assert (taken.scored, join.expired["ttl"], join.pending_truths) == (2, 1, 1)
    one_by_one = Monitor("eta", join=Join(ttl=10.0, retention=5.0))
    for row in rows:
        take(one_by_one, row, at=None)
    assert one_by_one.snapshot().join == join


def test_bad_parts_are_refused_and_change_nothing():
    monitor = Monitor("eta", segments=Segments(("city",)))
    nan, inf = math.nan, math.inf
    events = EventColumns(
        y_true=[nan, inf, nan, nan, 1.0],
        y_pred=[nan, 1.0, 1.0, 1.0, 1.0],
        w=[1.0, 1.0, -1.0, 1.0, 1.0],
        line=range(5),
        time=[None, None, None, 1e9, None],
        segment={"city": [None, None, None, None, "x" * 200]},
        prediction_id=list("abcde"),
    )
    reasons = [r.reason.value for r in monitor.take(events, at=5.0).rejected]
    assert reasons == [
        "missing_field", "not_finite", "negative_weight", "future_time", "invalid_segment",
    ]  # fmt: skip
    assert (len(monitor._desk.joiner.records), monitor.snapshot().join.is_used) == (0, False)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda m: m.predicted("a", math.nan), Reason.NOT_FINITE),
        (lambda m: m.predicted("", 1.0), Reason.INVALID_ID),
        (lambda m: m.predicted("x" * 257, 1.0), Reason.INVALID_ID),
        (lambda m: m.predicted(None, 1.0), Reason.INVALID_ID),
        (lambda m: m.predicted("a", 1.0, -1.0), Reason.NEGATIVE_WEIGHT),
        (lambda m: m.predicted("a", 1.0, segment="oslo"), Reason.INVALID_SEGMENT),
        (lambda m: m.predicted("a", 1.0, time=-1.0), Reason.INVALID_TIME),
        (lambda m: m.observed("a", "ten"), Reason.WRONG_TYPE),
        (lambda m: m.observed("a", {"x": 1.0}), Reason.WRONG_TYPE),
        (lambda m: m.observed("a", 1.0, time=1e9, at=0.0), Reason.FUTURE_TIME),
    ],
)
def test_a_call_that_can_never_score_raises(call, reason):
    monitor = Monitor("eta")
    with pytest.raises(RejectedEvent) as caught:
        call(monitor)
    assert caught.value.reason is reason
    assert monitor.snapshot().rejected == {reason: 1}


def test_calls_from_many_threads_and_coroutines_are_all_joined():
    monitor = Monitor("eta")

    async def serve(start: int) -> None:
        for i in range(start, start + 500):
            monitor.predicted(f"p{i}", 3.0)
            await asyncio.sleep(0)

    async def together() -> None:
        await asyncio.gather(*(serve(500 * i) for i in range(4)))

    with ThreadPoolExecutor(4) as pool:
        truths = [pool.submit(monitor.observed, f"p{i}", 1.0) for i in range(2000)]
        asyncio.run(together())
    assert all(call.result() is None for call in truths)
    assert (monitor.snapshot().pooled.n, monitor.snapshot().pooled.mse) == (2000, 4.0)


def test_several_outputs_are_joined_together():
    monitor = Monitor("pos", outputs=("x", "y"))
    monitor.predicted(1, {"x": 1.0, "y": 2.0}, 2.0)
    monitor.observed("1", {"x": 2.0, "y": 4.0})
    assert (monitor.snapshot().cost("x").mse, monitor.snapshot().cost("y").mse) == (1.0, 4.0)
    monitor.observed("1", {"x": 1.0, "y": 2.0})
    assert monitor.snapshot().pooled.mse == 0.0
    with pytest.raises(RejectedEvent, match="outputs x; must have x, y"):
        monitor.observed("1", {"x": 1.0})


def test_monitors_send_events_with_ids_to_the_join():
    monitors = Monitors([Monitor("a"), Monitor("b", outputs=("x", "y"))])
    columns = EventColumns.of(
        [
            Event("a", 1.0, 3.0, 1.0, 1),
            Event("a", None, 3.0, 1.0, 2, prediction_id="p"),
            Event("a", 1.0, None, 1.0, 3, prediction_id="p"),
            Event("a", 1.0, None, 1.0, 4, prediction_id="p"),
        ]
    )
    pair, short = {"x": 1.0, "y": 1.0}, {"x": 1.0}
    events = [
        Event("b", None, pair, 1.0, 5, prediction_id="q"),
        Event("b", short, None, 1.0, 6, prediction_id="q"),
        Event("b", pair, None, 1.0, 7, prediction_id="q"),
        Event("b", pair, pair, 1.0, 8),
        Event("a", pair, None, 1.0, 9, prediction_id="r"),
        Event("a", 1.0, None, 1.0, 10, prediction_id="r"),
    ]
    taken = monitors.take(columns, events, at=0.0)
    assert sorted((r.index, r.reason.value) for r in taken.rejected) == [
        (6, "outputs_differ"),
        (9, "wrong_type"),
    ]
    assert taken.duplicates == [4]
    a, b = monitors.snapshot().monitors
    assert (a.pooled.n, b.pooled.n, a.join.pending_truths) == (2, 4, 1)


def test_the_delay_is_that_of_the_first_truth():
    monitor = Monitor("eta")
    take(monitor, ("a", 1.0, None, 10.0), ("b", 1.0, None, 10.0), at=10.0)
    take(monitor, ("a", None, 1.0, 40.0), ("b", None, 1.0, 5.0), at=40.0)
    join = monitor.snapshot().join
    assert (join.delay_sum, join.delays[:3], join.delays[-1]) == (30.0, (1, 1, 2), 2)


def test_settings_that_cannot_be_are_refused():
    for wrong in (
        {"ttl": 0},
        {"pending": 0},
        {"retained": 1.5},
        {"retention": -1},
        {"time": "now"},
    ):
        with pytest.raises(ValueError, match="must be"):
            Join(**wrong)
