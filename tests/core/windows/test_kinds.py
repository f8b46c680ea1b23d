"""What is special about each kind of window."""

import numpy as np
import pytest
from exactly import FACTORS, Sums, added, check, halved, scored, terms

from losswatch.core.cells.grouping import Grouped
from losswatch.core.windows import panes as pane_module
from losswatch.core.windows.arrivals import Arrivals
from losswatch.core.windows.batch import Batch
from losswatch.core.windows.decay import OCTAVES, STEPS, DecayingWindow, factor
from losswatch.core.windows.latest import LastEventsWindow
from losswatch.core.windows.panes import PaneWindow
from losswatch.core.windows.slots import grown, ranks
from losswatch.core.windows.timeline import ExactTimeWindow


def batch(times, errors, slot=0, *, w=None, clock=None, arrivals=None) -> Batch:  # noqa: PLR0913
    n = len(times)
    weights = None if w is None else [w] * n
    events = scored([slot] * n, errors, [0.0] * n, weights)
    times = np.asarray(times, dtype=np.float64)
    clocks = np.maximum.accumulate(times) if clock is None else np.full(n, float(clock))
    if arrivals is None:
        arrivals = Arrivals(slot + 1, pooled=False, each=False)
    return Batch(events, times, clocks, *arrivals.number(events.slot))


def losses(window, slots=(0,)) -> list[float]:
    return window.read(np.array(slots)).loss.tolist()


def test_a_pane_leaves_at_its_border():
    """With panes of 10 s, an event of second 19 is in a window of 30 s until second 40."""
    window = PaneWindow("w", 30.0, 3, 1, pooled=False)
    window.add(batch([10.0, 19.5], [1.0, 2.0]))
    window.advance(39.999)
    assert losses(window) == [5.0]
    window.advance(40.0)
    assert losses(window) == [0.0]
    assert window.late == 0


def test_an_event_enters_the_last_pane_that_is_left_and_none_before():
    """One of the oldest pane counts, one a moment older is late."""
    window = PaneWindow("w", 30.0, 3, 1, pooled=False)
    window.add(batch([25.0], [1.0]))
    window.add(batch([0.0], [2.0]))
    assert (losses(window), window.late) == ([5.0], 0)
    window.add(batch([30.0, 9.99, 10.0], [0.0, 4.0, 8.0]))
    assert (losses(window), window.late) == ([65.0], 1)


def test_a_tumbling_window_starts_anew():
    """The interval of a minute ends with the minute, for all events at once."""
    window = PaneWindow("w", 60.0, 1, 1, pooled=False)
    window.add(batch([60.0, 119.99], [1.0, 2.0]))
    assert losses(window) == [5.0]
    window.add(batch([120.0, 119.0], [4.0, 8.0]))
    assert (losses(window), window.late) == ([16.0], 1)


def test_an_exact_window_is_open_at_its_old_end():
    """An event exactly as old as the window is long has left, or comes too late."""
    window = ExactTimeWindow("w", 10.0, 1, pooled=False)
    window.add(batch([5.0, 5.5], [1.0, 2.0]))
    window.advance(14.999)
    assert losses(window) == [5.0]
    window.advance(15.0)
    assert losses(window) == [4.0]
    window.add(batch([5.0, 5.25], [4.0, 8.0], clock=15.0))
    assert (losses(window), window.late) == ([68.0], 1)


def test_a_window_does_not_go_back():
    """An event that was too old at the latest time stays out, whatever time is told then."""
    for window in (
        PaneWindow("w", 10.0, 10, 1, pooled=False),
        ExactTimeWindow("w", 10.0, 1, pooled=False),
    ):
        window.advance(100.0)
        window.advance(50.0)
        window.add(batch([45.0], [1.0], clock=50.0))
        assert losses(window) == [0.0]


def test_events_ahead_of_the_clock_count_at_once_and_leave_by_their_own_time():
    """The sender's clock may be ahead: such an event belongs to the window from now on."""
    for window in (
        PaneWindow("w", 60.0, 60, 1, pooled=False),
        ExactTimeWindow("w", 60.0, 1, pooled=False),
    ):
        window.add(batch([400.0], [1.0], clock=100.0))
        assert losses(window) == [1.0]
        window.advance(459.0)
        assert losses(window) == [1.0]
        window.advance(460.0)
        assert (losses(window), window.late) == ([0.0], 0)


def test_one_pane_of_many_batches_keeps_few_blocks(monkeypatch):
    """Batches that are worth summing become blocks, and many blocks one."""
    monkeypatch.setattr(pane_module, "_MANY_BLOCKS", 3)
    window = PaneWindow("w", 60.0, 1, 2, pooled=True)
    for _ in range(23):
        window.add(batch([1.0] * 5, [0.5] * 5, slot=1))
        window.add(batch([1.0] * 5, [1e90] * 5, slot=1))
        pane = window._entered.content[0]
        assert len(pane.sums) <= 3
        assert pane.events == []
        assert all(isinstance(sums, Grouped) for sums in pane.sums)
    wanted = added([terms(0.5, 0.0), terms(1e90, 0.0)] * 115)
    check(window.read(np.arange(2)), [wanted, wanted])
    window.advance(60.0)
    check(window.read(np.arange(2)), [Sums(), Sums()])
    assert window._table.everything().odd == {}


def test_events_too_few_to_sum_wait_and_are_summed_when_they_are_many():
    """A pane keeps at most a few events for each slot as they came."""
    window = PaneWindow("w", 60.0, 1, 3, pooled=False)
    for step in range(40):
        window.add(batch([1.0, 2.0], [0.5, 0.25], slot=step % 3))
        assert sum(map(len, window._entered.content[0].events)) <= 4 * 3 + 2
    assert window._entered.content[0].sums
    check(window.read(np.array([2])), [added([terms(0.5, 0.0), terms(0.25, 0.0)] * 13)])
    window.advance(60.0)
    check(window.read(np.arange(3)), [Sums()] * 3)


def test_stretches_become_one_while_they_are_of_like_size():
    """After many batches there are about as many stretches as the logarithm of the events."""
    window = ExactTimeWindow("w", 1e6, 1, pooled=False)
    rng = np.random.default_rng(0)
    for _ in range(200):
        window.add(batch(rng.uniform(0, 100, 3), [1.0] * 3))
    assert len(window._entered.stretches) <= 9
    assert losses(window) == [600.0]
    for stretch in window._entered.stretches:
        assert (np.diff(stretch.time) >= 0).all()


def test_last_events_are_those_of_each_segment_and_of_all():
    """The total is the last events of the model, not the sum of the segments."""
    arrivals = Arrivals(3, pooled=True)
    window = LastEventsWindow("w", 2, arrivals, 3, pooled=True)
    for slot, error in ((1, 1.0), (1, 2.0), (1, 4.0), (2, 8.0)):
        window.add(batch([0.0], [error], slot=slot, arrivals=arrivals))
    assert losses(window, (0, 1, 2)) == [80.0, 20.0, 64.0]
    window.advance(1e9)
    assert losses(window, (0, 1, 2)) == [80.0, 20.0, 64.0]


def test_weights_may_begin_in_the_middle_of_a_ring():
    """What came before without weights leaves with weight 1."""
    arrivals = Arrivals(1, pooled=False)
    window = LastEventsWindow("w", 3, arrivals, 2, pooled=False)
    window.add(batch([0.0, 0.0], [1.0, 2.0], arrivals=arrivals))
    window.add(batch([0.0], [4.0], w=0.5, arrivals=arrivals))
    reading = window.read(np.array([0]))
    check(reading, [added([terms(1.0, 0.0), terms(2.0, 0.0), terms(4.0, 0.0, 0.5)])])
    arrivals.grow(2)
    window.grow(2)
    window.add(batch([0.0, 0.0], [8.0, 16.0], arrivals=arrivals))
    reading = window.read(np.array([0]))
    check(reading, [added([terms(4.0, 0.0, 0.5), terms(8.0, 0.0), terms(16.0, 0.0)])])
    window.add(batch([0.0], [1.0], arrivals=arrivals))
    check(window.read(np.array([0])), [added([terms(e, 0.0) for e in (8.0, 16.0, 1.0)])])


@pytest.mark.parametrize("size", [1, 99, 100, 101, 250])
def test_a_batch_may_be_longer_than_the_window(size):
    """Only the last events of it enter, in their places of the ring."""
    arrivals = Arrivals(1, pooled=False)
    window = LastEventsWindow("w", 100, arrivals, 1, pooled=False)
    errors = np.random.default_rng(size).normal(0, 1, 600)
    for start in range(0, 600, size):
        part = errors[start : start + size]
        window.add(batch([0.0] * len(part), part, arrivals=arrivals))
    check(window.read(np.array([0])), [added([terms(float(e), 0.0) for e in errors[-100:]])])


@pytest.mark.parametrize("slots", [5, 70_000])
def test_ranks_count_those_before(slots):
    """Each event knows how many of its slot came before it and how many there are."""
    slot = np.random.default_rng(1).integers(0, slots, 300) // 7 * 7
    slot[-1] = slots - 1
    rank, of = ranks(slot)
    numbers = slot.tolist()
    assert rank.tolist() == [numbers[:k].count(s) for k, s in enumerate(numbers)]
    assert of.tolist() == [numbers.count(s) for s in numbers]


def test_new_rows_are_zero():
    """An array that grows keeps its type, its rows and their length."""
    array = grown(np.array([[1, 2], [3, 4]], dtype=np.int32), 3)
    assert (array.tolist(), array.dtype) == ([[1, 2], [3, 4], [0, 0]], np.int32)


@pytest.mark.parametrize("kind", [{"seconds": 1.0, "events": None}, {"seconds": None, "events": 1}])
def test_windows_forget_slots_that_are_cleared(kind):
    """Of a slot that another segment gets nothing is left; the total stays."""
    for make in (
        lambda arrivals: DecayingWindow("d", **kind, arrivals=arrivals, pooled=True),
        lambda arrivals: LastEventsWindow("l", 4, arrivals, 3, pooled=True),
    ):
        arrivals = Arrivals(3, pooled=True)
        window = make(arrivals)
        window.add(batch([5.0, 6.0], [1.0, 1e100], slot=1, arrivals=arrivals))
        total = window.read(np.array([0]))
        arrivals.clear(np.array([1]))
        window.clear(np.array([1]))
        assert window.read(np.arange(3)).n.tolist() == [2, 0, 0]
        assert window.read(np.array([0])) == total
        window.add(batch([6.0], [2.0], slot=1, arrivals=arrivals))
        assert window.read(np.array([1])).mse.tolist() == [4.0]
        assert window.read(np.array([1])).n.tolist() == [1]
        window.add(batch([6.0] * 5, [2.0] * 5, slot=1, arrivals=arrivals))
        assert window.read(np.array([1])).mse.tolist() == [4.0]
        assert window.read(np.array([1])).error_variance.tolist() == [0.0]


def test_steps_of_a_half_life_are_correctly_rounded():
    """Each of the 1024 weights is the nearest float64 to its power of two."""
    assert [factor(step) for step in range(STEPS)] == FACTORS
    assert (factor(0), factor(512)) == (0.5, 0.7071067811865476)


def decaying() -> DecayingWindow:
    arrivals = Arrivals(1, pooled=False, each=False)
    return DecayingWindow("w", seconds=10.0, events=None, arrivals=arrivals, pooled=False)


@pytest.mark.parametrize("error", [1.0, 1e90])
def test_an_event_halves_with_every_half_life_and_is_forgotten(error):
    """After k half-lives it has 2**-k of its weight, after 32 none."""
    window = decaying()
    window.add(batch([5.0], [error], w=3.0))
    for k in range(OCTAVES):
        window.advance(5.0 + 10.0 * k)
        now = terms(error, 0.0, factor(512) * 3.0)
        check(window.read(np.array([0])), [halved(now, k)])
    window.advance(10.0 * OCTAVES)
    assert window.read(np.array([0])).n.tolist() == [0]


def test_time_without_events_changes_no_mean():
    """Weights halve alike: the mse stays, the weight falls."""
    window = decaying()
    window.add(batch([0.0, 3.0, 12.0], [1.0, 2.0, 3.0]))
    before = window.read(np.array([0]))
    window.advance(24.0)
    after = window.read(np.array([0]))
    assert after.mse.tolist() == before.mse.tolist()
    assert after.weight[0] == before.weight[0] / 2.0
    window.advance(11.0)
    assert window.read(np.array([0])).weight.tolist() == after.weight.tolist()


def test_an_event_ahead_of_the_clock_weighs_as_one_of_now():
    """No weight is above that of an event that comes right now."""
    window = decaying()
    window.add(batch([300.0], [2.0], clock=7.0))
    assert window.read(np.array([0])).weight.tolist() == [factor(int(0.7 * STEPS))]


def test_loss_of_a_half_life_is_that_of_its_weights():
    """Σ w·loss by Σ w is the mse, also where weights are scaled."""
    window = decaying()
    window.add(batch([0.0, 10.0], [1.0, 2.0]))
    reading = window.read(np.array([0]))
    assert reading.loss[0] / reading.weight[0] == pytest.approx(reading.mse[0])
