"""An alarm does the same however its events come, whoever looks, and after a restart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watching import budget, changes_of, drift, feed, late_changes, scored, watch_of

from losswatch.core.alarms.settings import BudgetAlarm
from losswatch.core.alarms.span import Span
from losswatch.core.tree import Node

KINDS = {
    "budget": budget(),
    "budget of single events": budget(block=Span(1.0)),
    "two severities": budget(max_rmse={"ticket": 1.0, "page": 2.0}),
    "capped": budget(loss_cap=50.0),
    "in time": budget(block=Span(7.0, timed=True), one_false_alarm_per=Span(2_000.0, timed=True)),
    "by segment": budget(per_segment=True),
    "by segment in time": budget(
        per_segment=True,
        block=Span(7.0, timed=True),
        one_false_alarm_per=Span(2_000.0, timed=True),
    ),
    "drift": drift(),
    "drift by segment": drift(per_segment=True, warmup=Span(300.0), block=Span(5.0)),
}


def stream(seed: int, n: int = 5000, *, weighted: bool = False):
    """Return errors that are too large in the middle, the segments, weights and clock."""
    rng = np.random.default_rng(seed)
    error = rng.standard_t(3, n)
    error[n // 2 : 3 * n // 4] *= 5.0
    w = rng.integers(1, 4, n).astype(float) if weighted else None
    if w is not None:
        w[: n // 5] = 1.0
    clock = np.cumsum(rng.exponential(1.0, n))
    return scored(rng.integers(1, 6, n), error, w), clock


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_batches_do_not_matter(kind, seed, weighted):
    """One batch, many, or one event each: the same changes at the same events, the same state."""
    events, clock = stream(seed, weighted=weighted)
    rng = np.random.default_rng(seed)
    whole, parts, single = (watch_of(KINDS[kind], size=6) for _ in range(3))
    feed(whole, events, clock, [len(events)])
    feed(parts, events, clock, rng.integers(1, 200, len(events)))
    feed(single, events, clock, [1] * len(events))
    changes = [changes_of(watch) for watch in (whole, parts, single)]
    assert changes[0] == changes[1] == changes[2]
    assert any(change.raised for change in changes[0])
    states = [late_changes(watch) for watch in (whole, parts, single)]
    assert states[0] == states[1] == states[2]


@pytest.mark.parametrize("kind", KINDS)
def test_looking_and_restarting_change_nothing(kind):
    """A watch that is read and reloaded all the time shows what one shows that is left alone."""
    events, clock = stream(9)
    calm, odd = watch_of(KINDS[kind], size=6), watch_of(KINDS[kind], size=6)
    seen = []
    for start in range(0, len(events), 97):
        part = slice(start, start + 97)
        calm.add(events.take(part), events.error[part] ** 2, clock[part])
        odd.add(events.take(part), events.error[part] ** 2, clock[part])
        odd.read(float(clock[part][-1]) + 3.0, np.arange(6))
        seen += odd.changes()
        state, odd = odd.dump(), watch_of(KINDS[kind], size=6)
        odd.load(Node(state))
    assert seen == changes_of(calm)
    assert late_changes(calm) == late_changes(odd)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "segment" in kind])
def test_many_segments_at_once_are_as_each_alone(kind):
    """Where many streams are judged at once the bits are those of each by itself."""
    rng = np.random.default_rng(5)
    alarm, n = KINDS[kind], 40_000
    slots = rng.integers(1, 40, n)
    error = rng.normal(0, 0.8, n) * np.where((slots % 3 == 0) & (np.arange(n) > n // 2), 3.0, 1.0)
    clock = np.arange(n) / 50.0
    events = scored(slots, error)
    many, few = watch_of(alarm, size=40), watch_of(alarm, size=40)
    feed(many, events, clock, [n])
    feed(few, events, clock, [37] * (n // 37 + 1))  # a block of a stream or two at a time
    assert sorted(changes_of(many), key=str) == sorted(changes_of(few), key=str)
    assert late_changes(many) == late_changes(few)


@given(seed=st.integers(0, 10_000), block=st.sampled_from([1, 2, 10, 33]))
def test_an_alarm_is_told_as_soon_as_it_is_sure(seed, block):
    """A gross error is told at its own event, and the block would have led to it anyhow."""
    rng = np.random.default_rng(seed)
    error = rng.normal(0, 0.5, 5 * block)
    place = int(rng.integers(0, error.size))
    error[place] = 1e4 * np.sqrt(block)
    alarm = budget(block=Span(float(block)), one_false_alarm_per=Span(1000.0 * block))
    watch = watch_of(alarm)
    feed(watch, scored(np.zeros(error.size), error), np.arange(error.size) + 0.5, [error.size])
    (change,) = changes_of(watch)
    assert (change.raised, change.events, change.time) == (True, place + 1, place + 0.5)
    if place % block != block - 1:
        begun = error[place - place % block : place + 1]
        zeros = np.append(begun, np.zeros(block - begun.size))
        at_its_end = watch_of(alarm)
        rest = np.append(error[: place - place % block], zeros)
        feed(at_its_end, scored(np.zeros(rest.size), rest, np.ones(rest.size)), rest, [rest.size])
        assert [c.raised for c in changes_of(at_its_end)] == [True]


def test_weights_make_no_difference_where_they_are_alike():
    """A block of events of weight 3 has the mean of the same events of weight 1."""
    events, clock = stream(3)
    one, three = watch_of(budget()), watch_of(budget())
    heavy = scored(events.slot, events.error, np.full(len(events), 4.0))
    feed(one, events, clock, [len(events)])
    feed(three, heavy, clock, [len(events)])
    raised = [[c.raised for c in changes_of(watch)] for watch in (one, three)]
    assert raised[0] == raised[1]


@pytest.mark.parametrize("scale", [1e-140, 1e-3, 1.0, 1e140])
def test_the_unit_of_the_target_does_not_matter(scale):
    """Errors and budget in another unit: the same alarms at the same events."""
    power = 2.0 ** np.round(np.log2(scale))
    events, clock = stream(4)
    one, other = watch_of(budget()), watch_of(budget(max_rmse=1.5 * power))
    feed(one, events, clock, [len(events)])
    feed(other, scored(events.slot, events.error * power), clock, [len(events)])
    assert changes_of(one) == changes_of(other)


def test_no_loss_can_break_it():
    """The largest and the smallest losses: an alarm, no warning, and nothing that is no number."""
    error = np.array([1e154, 1e154, 0.0, 5e-324, 1e-200, 1e154] * 50)
    for alarm in KINDS.values():
        watch = watch_of(alarm, size=2)
        feed(watch, scored(np.ones(error.size), error), np.arange(error.size) * 1.0, [50] * 6)
        reading = watch.read(1e6, np.arange(2))
        assert np.isfinite(reading.evidence).all()
        if isinstance(alarm, BudgetAlarm) and alarm.loss_cap is None:
            assert any(change.raised for change in changes_of(watch))


@pytest.mark.parametrize("many", [False, True], ids=["alone", "many"])
@pytest.mark.parametrize("timed", [False, True], ids=["events", "time"])
def test_what_led_to_an_alarm_does_not_lead_to_the_next_one(many, timed):
    """It is turned off within its block: the rest of that block does not turn it on again."""
    size = 40 if many else 2
    kind = {"block": Span(10.0, timed=True), "one_false_alarm_per": Span(10_000.0, timed=True)}
    alarm = budget(per_segment=True, **(kind if timed else {}))
    watch = watch_of(alarm, size=size)
    slots = np.arange(1, size)

    def add(errors, at: float) -> None:
        for number, error in enumerate(errors):
            events = scored(slots, np.full(slots.size, error))
            watch.add(events, events.error**2, np.full(slots.size, at + number))

    add([1e6, 0.0], 0.0)
    if timed:
        add([0.0], 10.0)  # the block ends with an event of the next one
    assert sum(change.raised for change in watch.changes()) == slots.size
    assert watch.reset(12.0) == slots.size
    add([0.0] * 8, 12.0)
    add([0.0] * 40, 20.0)
    assert not any(change.raised for change in watch.changes())
    add([1e6], 100.0)
    add([0.0] * 12, 101.0)
    assert sum(change.raised for change in watch.changes()) == slots.size


def test_a_mean_of_capped_losses_is_not_above_the_cap():
    """With these weights it rounds up; evidence stays at least 0, and the state can be loaded."""
    n = 600
    watch = watch_of(budget())
    events = scored(np.zeros(n), np.full(n, 1e3), np.full(n, 0.1))
    feed(watch, events, np.arange(n), [n])
    again = watch_of(budget())
    again.load(Node(watch.dump()))
    assert late_changes(again) == late_changes(watch)
