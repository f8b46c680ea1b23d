"""A rolling cost is the cost of the last events, to the bit, and of nothing that has left."""

from __future__ import annotations

import copy
import math
import pickle
import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import STREAMS, Event, cost_of, events, reading, same, truth

from losswatch.core.cost import Cost
from losswatch.core.rolling import RollingCost
from losswatch.errors import Reason, RejectedEvent

NUMBERS = ["n", "weight", "loss", "mse", "rmse", "mae", "bias"]


def feed(rolling: RollingCost, stream: list[Event]) -> RollingCost:
    """Update one by one, as the fast way goes where the weight is 1."""
    for y_true, y_pred, w in stream:
        rolling.update(y_true, y_pred, *(() if w == 1.0 else (w,)))
    return rolling


def counted(stream: list[Event]) -> list[Event]:
    """Return the events that take a place in a window."""
    return [event for event in stream if event.w != 0.0]


@pytest.mark.parametrize("size", [1, 2, 7, 300, 1500])
@pytest.mark.parametrize("name", STREAMS)
def test_hostile_streams_at_random_moments(name, size):
    """Whatever streams through and whenever it is read, the last events and no others count."""
    rng = random.Random(size)
    rolling, stream = RollingCost(size), STREAMS[name][:2000]
    at = 0
    while at < len(stream):
        step = rng.choice([1, 1, 1, 2, 9, 10, 150, 700])
        feed(rolling, stream[at : at + step])
        at += step
        window = counted(stream[:at])[-size:]
        assert same(reading(rolling), truth(window))


@pytest.mark.parametrize("number", NUMBERS)
def test_each_number_alone_after_each_event(number):
    """A number read alone, as others lag behind, has the bits of the cost of the same events."""
    stream = STREAMS["weighted"][:50] + STREAMS["gauss"][:200] + STREAMS["300 decades"][:100]
    stream += STREAMS["subnormal losses"][:100] + STREAMS["all right"] + STREAMS["gauss"][:100]
    rolling = RollingCost(40)
    for index, event in enumerate(stream):
        feed(rolling, [event])
        window = cost_of(stream[max(0, index - 39) : index + 1])
        assert getattr(rolling, number) == getattr(window, number)
        if index % 90 == 0:
            assert rolling.cost() == window


@given(
    stream=events,
    size=st.integers(1, 20),
    reads=st.lists(st.sampled_from(["", "mse", "mae", "bias", "weight"]), max_size=60),
)
def test_any_stream_read_at_any_moment(stream, size, reads):
    """Any mix of numbers read on the way leaves the numbers at the end as they must be."""
    rolling = RollingCost(size)
    for event, read in zip(stream, reads + [""] * len(stream), strict=False):
        feed(rolling, [event])
        if read:
            getattr(rolling, read)
    assert same(reading(rolling), truth(counted(stream)[-size:]))


def test_forgets_a_spike():
    """One error of up to 1e10 among small ones leaves no trace in any of 200 runs."""
    rng = random.Random(7)
    for _ in range(200):
        errors = [rng.gauss(0.0, 1.0) for _ in range(300)]
        errors[rng.randrange(200)] = 10.0 ** rng.uniform(6.0, 10.0)
        rolling = RollingCost(100)
        for error in errors:
            rolling.update(error, 0.0)
            assert type(rolling.rmse) is float
        assert same(reading(rolling), truth([Event(error, 0.0) for error in errors[-100:]]))


@pytest.mark.parametrize("kind", [int, np.float32, np.float64, np.int64, bool])
def test_takes_any_number(kind):
    """Other types than float count as the float64 they are."""
    rolling = RollingCost(2)
    for value in (9, 0, 1):
        rolling.update(kind(value), kind(0))
    assert reading(rolling)[:3] == (2, 2.0, 0.5)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ((math.nan, 1.0), Reason.NOT_FINITE),
        ((1e200, -1e200), Reason.OVERFLOW),
        (("1", 1.0), Reason.WRONG_TYPE),
        ((1.0, 2.0, -1.0), Reason.NEGATIVE_WEIGHT),
    ],
)
def test_refused_event_takes_no_place(event, reason):
    """After a refusal the window is as it was, its oldest event included."""
    rolling = feed(RollingCost(2), [Event(1.0, 0.0), Event(2.0, 0.0)])
    before = rolling.copy()
    with pytest.raises(RejectedEvent) as refusal:
        rolling.update(*event)
    assert refusal.value.reason is reason
    assert rolling == before


def test_update_returns_the_loss():
    """The loss of the event comes back, not weighted, even if the event does not count."""
    rolling = RollingCost(1)
    assert [rolling.update(3.0, 1.0), rolling.update(3, 0, 2), rolling.update(4, 0, 0)] == [
        4,
        9,
        16,
    ]
    assert rolling.loss == 18.0


@given(stream=events, size=st.integers(1, 20), cut=st.integers(0, 60), weighted=st.booleans())
def test_columns_are_the_same_as_events(stream, size, cut, weighted):
    """Columns, after some single events, make the window that single events make."""
    if not weighted:
        stream = [Event(y_true, y_pred) for y_true, y_pred, _ in stream]
    rolling = feed(RollingCost(size), stream[:cut])
    columns = [np.array(column) for column in zip(*stream[cut:], strict=True)] or [[], [], []]
    rolling.update_many(*columns[: 3 if weighted else 2])
    assert rolling == feed(RollingCost(size), stream)
    assert same(reading(rolling), truth(counted(stream)[-size:]))


@pytest.mark.parametrize("weighted", [False, True])
def test_long_windows(weighted):
    """A window of more events than are summed at once is exact, filled and then moved on."""
    stream = STREAMS["gauss, many"] if not weighted else STREAMS["weighted"] * 8
    columns = np.array(stream).T[: 3 if weighted else 2]
    rolling = RollingCost(20_000)
    for part in (slice(0, 15_000), slice(15_000, 21_000), slice(21_000, 23_500)):
        rolling.update_many(*columns[:, part])
        window = Cost()
        window.update_many(*columns[:, max(0, part.stop - 20_000) : part.stop])
        assert rolling.mse == window.mse
    assert rolling.cost() == window


def test_bad_columns_change_nothing():
    """One bad event refuses its whole batch and is named by its index."""
    rolling = feed(RollingCost(3), [Event(1.0, 0.0)])
    with pytest.raises(RejectedEvent) as refusal:
        rolling.update_many([1.0, 2.0, math.nan], [0.0, 0.0, 0.0])
    assert refusal.value.index == 2
    assert reading(rolling) == truth([Event(1.0, 0.0)])


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", None, True, math.nan, 10**30])
def test_window_size_is_a_whole_number(size):
    """A window of no events, or of no clear number of them, is refused."""
    with pytest.raises(ValueError, match=r"^window_size is .*; must be a whole number of at least"):
        RollingCost(size)
    assert RollingCost(np.int64(3)).window_size == 3


@pytest.mark.parametrize(
    "duplicate", [RollingCost.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
@pytest.mark.parametrize("name", ["gauss", "weighted", "empty"])
def test_copy_goes_on_alone(name, duplicate):
    """A copy made midway equals its original, and after the same events it does again."""
    stream = STREAMS[name]
    rolling = feed(RollingCost(150), stream[:1000])
    copied = duplicate(rolling)
    assert copied == rolling
    feed(copied, stream[1000:1200])
    assert copied != rolling or not stream
    assert feed(rolling, stream[1000:1200]) == copied
    assert same(reading(copied), truth(stream[:1200][-150:]))


def test_equal_windows_have_equal_futures():
    """Equal are windows of one size and the same events in the same order."""
    ups, downs = [Event(1.0, 0.0), Event(2.0, 0.0)], [Event(2.0, 0.0), Event(1.0, 0.0)]
    assert feed(RollingCost(2), ups) == feed(RollingCost(2), [Event(9.0, 0.0), *ups])
    assert feed(RollingCost(2), ups) != feed(RollingCost(2), downs)
    assert feed(RollingCost(2), ups) != feed(RollingCost(3), ups)
    assert feed(RollingCost(2), ups) != feed(RollingCost(2), [ups[0], Event(2.0, 0.0, 3.0)])
    assert RollingCost(2) != Cost()


def test_cost_is_a_copy():
    """The cost of a window stays as it was when the window moves on."""
    rolling = feed(RollingCost(2), [Event(1.0, 0.0), Event(2.0, 0.0)])
    cost = rolling.cost()
    feed(rolling, [Event(100.0, 0.0)])
    assert cost == cost_of([Event(1.0, 0.0), Event(2.0, 0.0)])


@pytest.mark.parametrize("read", [None, *NUMBERS])
def test_discards_the_oldest_equal_event(read):
    """An event inside is taken out exactly; what had left before does not come back."""
    stream = [Event(float(error % 7), 0.0, 1.0 + error % 2) for error in range(30)]
    rolling = feed(RollingCost(20), stream)
    if read:
        getattr(rolling, read)
    window = stream[-20:]
    for event in (Event(3.0, 0.0), Event(3.0, 0.0, 2.0), Event(3.0, 0.0)):
        assert rolling.discard(*event)
        window.remove(event)
        assert same(reading(rolling), truth(window))
    assert not rolling.discard(3.5, 0.0)
    assert not rolling.discard(5.0, 0.0, 7.0)
    for event in stream[:5]:
        feed(rolling, [event])
        window.append(event)
        assert same(reading(rolling), truth(window[-20:]))


@pytest.mark.parametrize("unread", [0, 1, 2])
def test_discards_an_event_that_was_not_read(unread):
    """Taking out an event that came since the last reading leaves the others."""
    rolling = feed(RollingCost(20), [Event(1.0, 0.0), Event(2.0, 0.0)])
    assert rolling.mse == 2.5
    fresh = [Event(3.0, 0.0), Event(4.0, 0.0), Event(5.0, 0.0)]
    feed(rolling, fresh)
    assert rolling.discard(*fresh.pop(unread))
    assert same(reading(rolling), truth([Event(1.0, 0.0), Event(2.0, 0.0), *fresh]))


def test_is_shown_as_a_cost():
    """Repr has the numbers of a cost under the name of the window."""
    assert repr(RollingCost(3)) == "RollingCost(n=0)"
    rolling = feed(RollingCost(1), [Event(1.0, 3.0, 2.0)])
    assert repr(rolling) == "RollingCost(n=1, weight=2, mse=4, rmse=2, mae=2, bias=-2)"


@pytest.fixture
def traced():
    """Return what counts the memory in use, for as long as the test runs."""
    tracemalloc.start()
    yield tracemalloc
    tracemalloc.stop()


@pytest.mark.parametrize("w", [None, 2.0])
@pytest.mark.parametrize("reads", [False, True])
def test_memory_stays_bounded(traced, w, reads):
    """However many events pass, read or not, a window of 100 keeps less than 100 kB."""
    rolling = RollingCost(100)
    before = traced.get_traced_memory()[0]
    for index in range(20_000):
        rolling.update(float(index), 0.0, w)
        if reads:
            assert rolling.mse >= 0.0
    assert traced.get_traced_memory()[0] - before < 100_000
    assert rolling.n == 100


def test_long_quiet_after_tiny_events():
    """A unit as fine as float64 goes, once needed, leaves the numbers exact."""
    tiny = [Event(5e-324, 0.0, 5e-324), Event(1e-160, 0.0), Event(1e-300, 0.0, 1e-20)]
    stream = [*tiny, *STREAMS["gauss"][:60], *tiny]
    rolling = RollingCost(20)
    for index, event in enumerate(stream):
        feed(rolling, [event])
        assert same(reading(rolling), truth(stream[max(0, index - 19) : index + 1]))
