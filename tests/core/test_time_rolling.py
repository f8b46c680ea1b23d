"""A rolling cost over time is the cost of the events inside, to the bit and to the event."""

from __future__ import annotations

import copy
import math
import pickle
import random
import tracemalloc
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import STREAMS, Event, reading, same, truth, weights

from losswatch.core.cost import Cost
from losswatch.core.time_rolling import TimeRollingCost
from losswatch.errors import Reason, RejectedEvent

NUMBERS = ["n", "weight", "loss", "mse", "rmse", "mae", "bias"]


class Model:
    """What the window must be, by the law alone: slow, in fractions."""

    def __init__(self, period: float) -> None:
        self.period = Fraction(period)
        self.now: Fraction | None = None
        self.inside: list[tuple[Fraction, Event]] = []
        self.late = 0

    def advance(self, now: float) -> None:
        self.now = max(Fraction(now), Fraction(now) if self.now is None else self.now)
        self.inside = [pair for pair in self.inside if pair[0] > self.now - self.period]

    def update(self, event: Event, time: float) -> None:
        if event.w != 0.0:
            self.advance(time)
            if Fraction(time) > self.now - self.period:
                self.inside.append((Fraction(time), event))
            else:
                self.late += 1

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.inside]


class Step(NamedTuple):
    event: Event
    time: float
    advance: float | None
    read: str


def feed(rolling: TimeRollingCost, stream: list[tuple[Event, float]]) -> TimeRollingCost:
    """Update one by one, as the fast way goes where the weight is 1."""
    for (y_true, y_pred, w), time in stream:
        rolling.update(y_true, y_pred, *(() if w == 1.0 else (w,)), time=time)
    return rolling


def agree(rolling: TimeRollingCost, model: Model) -> bool:
    """Tell whether the window has the numbers, the time and the late events of the model."""
    now = math.nan if model.now is None else float(model.now)
    times = rolling.now == now or (math.isnan(rolling.now) and math.isnan(now))
    return times and rolling.late == model.late and same(reading(rolling), truth(model.events))


times = (
    st.integers(0, 30).map(float) | st.floats(0.0, 30.0) | st.integers(0, 300).map(lambda t: t / 10)
)
errors = st.sampled_from([0.0, 0.5, -3.0, 1e9, 1e-9, 1e150, 1e-160, 0.1])
steps = st.builds(
    Step,
    st.builds(Event, errors, st.just(0.0), weights),
    times,
    st.none() | times,
    st.sampled_from(["", "", *NUMBERS]),
)


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@given(
    stream=st.lists(steps, max_size=60),
    period=st.sampled_from([0.1, 0.3, 1.0, 5.0, 100.0]),
    ordered=st.booleans(),
)
def test_any_order_of_events_and_advances(stream, period, ordered, weighted):
    """In order or not, with a clock that jumps, the events inside and no others count."""
    rolling, model = TimeRollingCost(period), Model(period)
    for event, time, advance, read in sorted(stream, key=lambda s: s.time) if ordered else stream:
        scored = event if weighted else event._replace(w=1.0)
        feed(rolling, [(scored, time)])
        model.update(scored, time)
        if advance is not None:
            rolling.advance(advance)
            model.advance(advance)
        if read:
            getattr(rolling, read)
    assert agree(rolling, model)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("lateness", [0.0, 5.0, 300.0], ids=["in order", "late", "very late"])
def test_hostile_streams_at_random_moments(name, lateness):
    """Whatever streams through, the events inside and no others count."""
    rng = random.Random(name)
    rolling, model = TimeRollingCost(200.0), Model(200.0)
    for index, event in enumerate(STREAMS[name][:1500]):
        time = index - rng.choice([0.0, lateness]) * rng.random()
        feed(rolling, [(event, time)])
        model.update(event, time)
        if rng.random() < rng.choice([0.001, 0.03]):
            assert agree(rolling, model)
    assert agree(rolling, model)


@pytest.mark.parametrize("number", NUMBERS)
def test_each_number_alone_after_each_event(number):
    """A number read alone, as others lag behind, has the bits of the cost of the same events."""
    rng = random.Random(3)
    rolling, model = TimeRollingCost(30.0), Model(30.0)
    for index, event in enumerate(STREAMS["gauss"][:200] + STREAMS["weighted"][:100]):
        time = index - rng.choice([0.0, 0.0, 20.0])
        feed(rolling, [(event, time)])
        model.update(event, time)
        window = Cost()
        for inside in model.events:
            window.update(*inside)
        assert getattr(rolling, number) == getattr(window, number)


def test_event_leaves_when_it_is_a_period_old():
    """An event just a period old has left; the float before that it has not."""
    rolling = feed(TimeRollingCost(60.0), [(Event(3.0, 0.0), 100.0)])
    rolling.advance(math.nextafter(160.0, 0.0))
    assert rolling.n == 1
    rolling.advance(160.0)
    assert rolling.n == 0
    assert math.isnan(rolling.mse)


@pytest.mark.parametrize(
    ("time", "now", "period"),
    [(0.2, 0.3, 0.1), (0.1, 0.3, 0.2), (1.7e9 + 0.1, 1.7e9 + 0.4, 0.3), (1e17, 1e17, 1e-9)],
)
def test_edge_is_not_rounded(time, now, period):
    """Where ``now - period`` would round onto an event, the true difference decides."""
    rolling = feed(TimeRollingCost(period), [(Event(3.0, 0.0), time)])
    rolling.advance(now)
    assert rolling.n == (Fraction(time) > Fraction(now) - Fraction(period))


def test_clock_that_goes_back_brings_nothing_back():
    """Time that was seen has passed: an earlier one changes neither ``now`` nor the events."""
    rolling = feed(TimeRollingCost(10.0), [(Event(1.0, 0.0), 0.0), (Event(2.0, 0.0), 9.0)])
    rolling.advance(12.0)
    for now in (-1e300, 0.0, 11.9):
        rolling.advance(now)
        assert (rolling.now, rolling.n, rolling.mse) == (12.0, 1, 4.0)


def test_late_event_takes_its_place():
    """A late event leaves when its own time has come; one that is too old is counted only."""
    rolling = feed(TimeRollingCost(10.0), [(Event(1.0, 0.0), 20.0), (Event(2.0, 0.0), 15.0)])
    assert rolling.update(3.0, 0.0, time=10.0) == 9.0
    assert (rolling.n, rolling.late, rolling.mse) == (2, 1, 2.5)
    rolling.advance(25.0)
    assert (rolling.n, rolling.mse) == (1, 1.0)


@pytest.mark.parametrize(
    ("event", "time", "reason"),
    [
        ((math.nan, 1.0), 99.0, Reason.NOT_FINITE),
        ((1e200, -1e200), 99.0, Reason.OVERFLOW),
        ((1.0, 2.0, -1.0), 99.0, Reason.NEGATIVE_WEIGHT),
        ((1.0, 2.0), math.nan, Reason.INVALID_TIME),
        ((1.0, 2.0), math.inf, Reason.INVALID_TIME),
        ((1.0, 2.0), None, Reason.INVALID_TIME),
        ((1.0, 2.0), "9", Reason.INVALID_TIME),
    ],
)
def test_refused_event_changes_nothing(event, time, reason):
    """A refusal adds nothing and lets no time pass."""
    rolling = feed(TimeRollingCost(5.0), [(Event(1.0, 0.0), 1.0)])
    before = rolling.copy()
    with pytest.raises(RejectedEvent) as refusal:
        rolling.update(*event, time=time)
    assert refusal.value.reason is reason
    assert rolling == before
    assert rolling.now == 1.0


def test_event_of_weight_zero_changes_nothing():
    """An event that does not count lets no time pass, nor is it late."""
    rolling = feed(TimeRollingCost(5.0), [(Event(1.0, 0.0), 1.0)])
    for time in (-100.0, 100.0):
        assert rolling.update(3.0, 0.0, 0.0, time=time) == 9.0
    assert (rolling.now, rolling.n, rolling.late) == (1.0, 1, 0)


def test_advance_wants_a_time():
    """A clock that gives no time is refused, and nothing changes."""
    rolling = feed(TimeRollingCost(5.0), [(Event(1.0, 0.0), 1.0)])
    with pytest.raises(RejectedEvent, match=r"^now is nan; must be a finite float64"):
        rolling.advance(math.nan)
    assert (rolling.now, rolling.n, rolling.period) == (1.0, 1, 5.0)


@pytest.mark.parametrize("period", [0, -1.0, math.nan, math.inf, None, "5m", 10**400])
def test_period_is_more_than_nothing(period):
    """A period of no seconds, or of no clear number of them, is refused."""
    with pytest.raises(ValueError, match=r"^period is .*; must be a finite number above 0$"):
        TimeRollingCost(period)


@pytest.mark.parametrize(
    "duplicate", [TimeRollingCost.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
@pytest.mark.parametrize("name", ["gauss", "weighted"])
def test_copy_goes_on_alone(name, duplicate):
    """A copy made midway equals its original, and after the same events it does again."""
    stream = [(event, index - index % 3 * 40.0) for index, event in enumerate(STREAMS[name])]
    rolling = feed(TimeRollingCost(50.0), stream[:700])
    copied = duplicate(rolling)
    assert (copied, copied.late, copied.now) == (rolling, rolling.late, rolling.now)
    feed(copied, stream[700:800])
    assert copied != rolling
    assert feed(rolling, stream[700:800]) == copied
    assert rolling.cost() == copied.cost()


def test_equal_windows_have_equal_futures():
    """Equal are windows of one period and time with the same events at the same times."""
    stream = [(Event(1.0, 0.0), 1.0), (Event(1.0, 0.0), 2.0), (Event(1.0, 0.0), 3.0)]
    rolling = feed(TimeRollingCost(5.0), stream)
    assert rolling == feed(TimeRollingCost(5.0), stream[::-1])
    assert rolling != feed(TimeRollingCost(5.0), [stream[0], stream[0], stream[2]])
    assert rolling != feed(TimeRollingCost(6.0), stream)
    assert rolling != Cost()
    other = rolling.copy()
    other.advance(3.5)
    assert rolling != other


def test_discards_the_oldest_equal_event():
    """An event inside is taken out with its time; another equal one leaves at its own."""
    stream = [(Event(3.0, 0.0), 1.0), (Event(1.0, 0.0), 2.0), (Event(3.0, 0.0), 4.0)]
    rolling = feed(TimeRollingCost(5.0), stream)
    assert rolling.discard(3.0, 0.0)
    rolling.advance(7.5)
    assert (rolling.n, rolling.mse) == (1, 9.0)
    rolling.advance(9.0)
    assert not rolling.discard(3.0, 0.0)


def test_shrinks_beyond_what_is_in_memory():
    """When many leave at once, and memory with them, what was summed of them is forgotten."""
    stream = [(Event(float(index), 0.0), float(index)) for index in range(5000)]
    rolling = feed(TimeRollingCost(2000.0), stream)
    assert rolling.n == 2000
    assert rolling.mse == truth([event for event, _ in stream[3000:]]).mse
    rolling.advance(5799.0)
    assert same(reading(rolling), truth([event for event, _ in stream[3800:]]))


@pytest.fixture
def traced():
    """Return what counts the memory in use, for as long as the test runs."""
    tracemalloc.start()
    yield tracemalloc
    tracemalloc.stop()


@pytest.mark.parametrize("w", [None, 2.0])
@pytest.mark.parametrize("reads", [False, True])
def test_memory_stays_bounded(traced, w, reads):
    """However many events pass, read or not, a window of 100 keeps less than 200 kB."""
    rolling = TimeRollingCost(100.0)
    before = traced.get_traced_memory()[0]
    for index in range(20_000):
        rolling.update(1.0, 0.0, w, time=float(index))
        if reads:
            assert rolling.mse == 1.0
    assert traced.get_traced_memory()[0] - before < 200_000
    assert rolling.n == 100
