"""A stream by itself does what a watch does, to the bit, and refuses what cannot be judged."""

import copy
import math
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watching import budget, changes_of, drift, scored, watch_of

from losswatch.core.alarms.budget_stream import BudgetStream
from losswatch.core.alarms.drift_stream import DriftStream
from losswatch.core.alarms.settings import BudgetAlarm
from losswatch.core.alarms.span import Span
from losswatch.errors import Reason, RejectedEvent

SOON = {"one_false_clear_per": Span(300.0)}
BUDGETS = {
    "block of 10": budget(),
    "single events": budget(block=Span(1.0)),
    "block of 3, clearing soon": budget(block=Span(3.0), **SOON),
    "two severities": budget(max_rmse={"ticket": 1.0, "page": 2.0}, block=Span(2.0), **SOON),
    "capped": budget(loss_cap=50.0),
    "capped, two severities": budget(
        max_rmse={"ticket": 1.2, "page": 1.6}, loss_cap=9.0, block=Span(3.0), **SOON
    ),
}
DRIFTS = {
    "block of 10": drift(),
    "block of 2, clearing soon": drift(
        block=Span(2.0), warmup=Span(200.0), one_false_clear_per=Span(300.0)
    ),
    "no tolerance": drift(tolerance=0.0, block=Span(1.0), warmup=Span(60.0)),
}
TAILS = {
    "gauss": lambda rng, n: rng.normal(0.0, 1.0, n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "zeros": lambda rng, n: rng.normal(0.0, 1.2, n) * (rng.random(n) < 0.5),
    "few values": lambda rng, n: rng.choice([-1.0, 0.0, 1.0, 2.0], n),
    "spikes": lambda rng, n: rng.choice([1e-150, 1e150, 1.0, 0.5], n, p=[0.01, 0.001, 0.489, 0.5]),
}


@st.composite
def events(draw):
    """Return errors, too large here and there, and maybe weights from some event on."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pieces = draw(st.lists(st.tuples(st.sampled_from([*TAILS]), st.integers(1, 600)), max_size=6))
    error = np.concatenate(
        [TAILS[kind](rng, n) * draw(st.sampled_from([0.3, 1.0, 4.0, 30.0])) for kind, n in pieces]
        or [np.zeros(1)]
    )
    weights = {
        "none": None,
        "whole": rng.integers(0, 4, error.size).astype(float),
        "odd": rng.exponential(1.0, error.size),
    }
    w = weights[draw(st.sampled_from([*weights]))]
    if w is not None:
        w[: draw(st.integers(0, error.size))] = 1.0
    return error, w


def run_both(alarm, stream, error, w, column):
    """Feed a watch in batches and a stream event by event; compare all that they show."""
    watch, told, found = watch_of(alarm), [], []
    zero = np.zeros(1, dtype=np.intp)
    weights = np.ones(error.size) if w is None else w
    cuts = np.arange(0, error.size, 83)
    for start in cuts.tolist():
        part = slice(start, start + 83)
        batch = scored(np.zeros(error[part].size), error[part], None if w is None else w[part])
        watch.add(batch, error[part] ** 2, np.arange(start, start + error[part].size) + 0.5)
        told += changes_of(watch)
        for value, weight in zip(column[part].tolist(), weights[part].tolist(), strict=True):
            found += stream.update(value, weight)
        reading = watch.read(0.0, zero)
        assert stream.active == tuple(reading.active[0].tolist())
        assert stream.evidence == tuple(reading.evidence[0].tolist())
        assert stream.seen == reading.seen[0]
    told = [(c.severity, c.raised, c.events, c.since_change) for c in told]
    assert [(c.severity, c.raised, c.events, c.since_change) for c in found] == told
    return watch, told


def assert_mirror(stream, watch):
    row = watch._rule._mirror.row(0)
    assert list(stream._mirror or [0.0] * len(row)) == row


@given(events=events(), kind=st.sampled_from([*BUDGETS]))
def test_a_budget_stream_is_a_watch(events, kind):
    """The same changes at the same events, and the same evidence in every bit."""
    error, w = events
    stream = BudgetStream(BUDGETS[kind])
    watch, _ = run_both(BUDGETS[kind], stream, error, w, error**2)
    rows = [each.row(0) for each in watch._rule._excess]
    assert stream._excess == rows
    assert_mirror(stream, watch)


@given(events=events(), kind=st.sampled_from([*DRIFTS]))
def test_a_drift_stream_is_a_watch(events, kind):
    """The same changes at the same events, and the same evidence in every bit."""
    error, w = events
    stream = DriftStream(DRIFTS[kind])
    watch, _ = run_both(DRIFTS[kind], stream, error, w, error)
    assert stream._excess[0] == watch._rule._excess.row(0)
    assert_mirror(stream, watch)
    assert stream.waiting == watch.read(0.0, np.zeros(1, dtype=np.intp)).waiting[0]


@pytest.mark.parametrize("kind", [*BUDGETS])
def test_both_raise_and_clear(kind):
    """What is compared has alarms of all severities, told early, and clearings."""
    rng = np.random.default_rng(1)
    alarm, error = BUDGETS[kind], rng.normal(0, 0.5, 12_000)
    error[1000:1500] *= 8.0
    error[8003] = 1e4
    _, told = run_both(alarm, BudgetStream(alarm), error, None, error**2)
    assert {(name, raised) for name, raised, *_ in told} == {
        (name, raised) for name in alarm.severities for raised in (True, False)
    }
    if alarm.loss_cap is None:
        assert (alarm.severities[0], True, 8004) in [each[:3] for each in told]


@pytest.mark.parametrize("kind", [*DRIFTS])
def test_drift_raises_and_clears(kind):
    """What is compared has alarms and clearings."""
    rng = np.random.default_rng(1)
    alarm, error = DRIFTS[kind], rng.normal(0, 1.0, 6000)
    error[1000:2500] *= 4.0
    error[2500:] *= 0.4
    _, told = run_both(alarm, DriftStream(alarm), error, None, error)
    assert {raised for _, raised, *_ in told} == {True, False}


@pytest.mark.parametrize("stream", [BudgetStream(budget()), DriftStream(drift())])
def test_a_copy_goes_on_where_it_was(stream):
    """Pickled or deeply copied at any event, it does what the original does."""
    rng = np.random.default_rng(2)
    losses = rng.standard_t(3, 4000) ** 2
    losses[2500:] *= 9.0
    whole, copied = copy.deepcopy(stream), copy.deepcopy(stream)
    changes, after_copies = [], []
    for place, loss in enumerate(losses.tolist()):
        changes += whole.update(loss)
        after_copies += copied.update(loss)
        if place % 7 == 0:
            copied = pickle.loads(pickle.dumps(copied))
        elif place % 11 == 0:
            copied = copy.deepcopy(copied)
    assert str(changes) == str(after_copies)
    assert changes
    assert whole.evidence == copied.evidence


@pytest.mark.parametrize("level", [0.5, 2.0], ids=["off", "on"])
def test_the_state_of_a_budget_is_small(level):
    """All objects of a budget with one severity, but for its settings, and what is saved of it."""
    stream = BudgetStream(BudgetAlarm(name="budget", max_rmse=1.1))
    rng = np.random.default_rng(2)
    for loss in (rng.normal(0, level, 100_005) ** 2).tolist():
        stream.update(loss)
    settings = {"alarm", "_budgets", "_cap", "_length", "_threshold"}
    found = [part for name, part in stream.__getstate__().items() if name not in settings]
    for part in found:
        if isinstance(part, list | tuple):
            found.extend(part)
    sizes = {id(part): sys.getsizeof(part) for part in found}
    assert sys.getsizeof(stream) + sum(sizes.values()) < 1000
    assert len(pickle.dumps(stream)) < 1000


BAD = {
    math.nan: Reason.NOT_FINITE,
    math.inf: Reason.NOT_FINITE,
    -math.inf: Reason.NOT_FINITE,
    "1": Reason.WRONG_TYPE,
    None: Reason.WRONG_TYPE,
    10**400: Reason.NOT_FINITE,
}


@pytest.mark.parametrize(
    ("loss", "w", "reason"),
    [
        *((value, 1.0, reason) for value, reason in BAD.items()),
        *((1.0, value, reason) for value, reason in BAD.items()),
        (-1.0, 1.0, Reason.WRONG_TYPE),
        (-5e-324, 2.0, Reason.WRONG_TYPE),
        (1.0, -1.0, Reason.NEGATIVE_WEIGHT),
        (1e200, 1e200, Reason.OVERFLOW),
    ],
)
def test_what_cannot_be_judged_changes_nothing(loss, w, reason):
    """It is refused with its reason; the state is the same bytes as before."""
    streams = [BudgetStream(budget())]
    if not (isinstance(loss, float) and (loss < 0.0 or loss * loss > 1.0) and loss > -math.inf):
        streams.append(DriftStream(drift()))
    for stream in streams:
        for _ in range(7):
            stream.update(1.0)
        before = pickle.dumps(stream)
        with pytest.raises(RejectedEvent) as raised:
            stream.update(loss, w)
        assert raised.value.reason is reason
        assert pickle.dumps(stream) == before


def test_numbers_of_other_types_are_numbers():
    """Integers and NumPy's numbers count as the floats that they are."""
    plain, other = BudgetStream(budget()), BudgetStream(budget())
    for k in range(25):
        plain.update(float(k))
        other.update(
            [k, np.float64(k), np.float32(k), np.int8(k)][k % 4], [1, np.float64(1.0)][k % 2]
        )
    assert plain.evidence == other.evidence
    assert plain._sum == other._sum


@pytest.mark.parametrize(
    ("kind", "alarm"),
    [
        (
            BudgetStream,
            budget(block=Span(7.0, timed=True), one_false_alarm_per=Span(1e4, timed=True)),
        ),
        (
            DriftStream,
            drift(
                block=Span(7.0, timed=True),
                warmup=Span(700.0, timed=True),
                one_false_alarm_per=Span(1e4, timed=True),
                one_false_clear_per=None,
            ),
        ),
    ],
)
def test_blocks_of_time_are_refused(kind, alarm):
    """A stream has no clock."""
    with pytest.raises(ValueError, match="block of 7s; must be events"):
        kind(alarm)


def test_a_reset_begins_anew():
    """After a reset within a block that led to an alarm the block does not lead to another one."""
    stream = BudgetStream(budget())
    assert stream.reset() == ()
    for loss in (1.0, 1.0, 1e9):
        changes = stream.update(loss)
    assert [(c.raised, c.events) for c in changes] == [(True, 3)]
    assert [(c.raised, c.events) for c in stream.reset()] == [(False, 3)]
    assert not any(stream.update(1e9) for _ in range(7))
    assert stream.evidence == (0.0,)
    assert stream.update(1e9)


def test_a_sum_beyond_float64_is_sure_early():
    """Also where the budget is so large that no finite sum is."""
    alarm = budget(max_rmse=1e150, one_false_alarm_per=Span(1e10))
    error = np.array([1.0, 1.2e154, 1.2e154, 1.0])
    _, told = run_both(alarm, BudgetStream(alarm), error, None, error**2)
    assert [each[2] for each in told] == [3]


@pytest.mark.parametrize(("error", "w"), [(0.5, 1e308), (1e150, 1e3), (1e150, 1.0)])
def test_a_block_that_overflows(error, w):
    """Sums beyond float64 are an alarm, and of weights too are nothing: as in a watch."""
    errors = np.append(np.full(620, 0.5), np.full(30, error))
    weights = np.append(np.full(620, 1.0), np.full(30, w))
    run_both(budget(), BudgetStream(budget()), errors, weights, errors**2)
    run_both(drift(), DriftStream(drift()), errors, weights, errors)
