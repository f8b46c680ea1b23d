"""The cost depends on which events are in it, and on nothing else."""

import array
import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import STREAMS, Event, columns, cost_of, events, reading, same, truth

from losswatch import Cost, Reason, RejectedEvent


@pytest.mark.parametrize("name", STREAMS)
def test_hostile_streams_are_exact(name):
    """Event by event, in columns, and in reverse: the same bits as fractions."""
    stream = STREAMS[name]
    wanted = truth(stream)
    assert same(reading(cost_of(stream)), wanted)
    assert same(reading(cost_of(reversed(stream))), wanted)
    batch = Cost()
    batch.update_many(*columns(stream))
    assert same(reading(batch), wanted)
    assert batch == cost_of(stream)
    assert bytes(batch) == bytes(cost_of(stream))


@pytest.mark.parametrize("name", STREAMS)
def test_a_shifted_spike_leaves_no_trace(name):
    """One event of error 1e9 and its revert leave the same bytes."""
    cost = cost_of(STREAMS[name])
    before = bytes(cost)
    assert cost.update(0.0, 1e9) == 1e18
    assert cost.revert(0.0, 1e9) == 1e18
    assert bytes(cost) == before


@given(events)
def test_any_events_are_exact(stream):
    """The cost of any events is that of their fractions."""
    assert same(reading(cost_of(stream)), truth(stream))


@given(events, events)
def test_merge_is_union_and_unmerge_takes_it_back(left, right):
    """Shards combine to the cost of all events and come apart again, bit for bit."""
    whole, part = cost_of(left), cost_of(right)
    whole.merge(part)
    assert same(reading(whole), truth(left + right))
    assert part == cost_of(right)
    whole.unmerge(part)
    assert bytes(whole) == bytes(cost_of(left))


@given(events, st.randoms())
def test_order_is_not_seen(stream, random):
    """Shuffled events give the same bytes."""
    assert bytes(cost_of(random.sample(stream, len(stream)))) == bytes(cost_of(stream))


def test_update_returns_the_loss():
    """The losses of the README."""
    cost = Cost()
    pairs = zip([10, 11, 12, 13], [10, 12, 14, 11], strict=True)
    assert [cost.update(*pair) for pair in pairs] == [0.0, 1.0, 4.0, 4.0]
    assert cost.mse == 2.25


def test_without_events_there_is_no_error():
    """An empty cost reads NaN, not 0."""
    cost = Cost()
    assert (cost.n, cost.weight, cost.loss) == (0, 0.0, 0.0)
    assert all(map(math.isnan, (cost.mse, cost.rmse, cost.mae, cost.bias)))
    assert repr(cost) == "Cost(n=0)"


def test_weight_zero_changes_nothing():
    """An event of weight 0 returns its loss and is not in the cost."""
    cost = Cost()
    assert cost.update(1.0, 3.0, 0.0) == 4.0
    assert cost == Cost()


def test_a_debt_reads_nan_until_it_is_paid():
    """Reverting an event of another shard is allowed; the merge of both is right."""
    here, there = cost_of([Event(1.0, 2.0), Event(5.0, 1.0)]), Cost()
    there.revert(1.0, 2.0)
    assert there.n == -1
    assert math.isnan(there.mse)
    assert math.isnan(there.rmse)
    here.merge(there)
    assert here == cost_of([Event(5.0, 1.0)])


def test_reverting_what_was_never_there_never_reads_as_an_error_below_zero():
    """More loss out than in: NaN, not a negative or complex number."""
    cost = cost_of([Event(1.0, 2.0), Event(1.0, 2.0)])
    cost.revert(0.0, 100.0)
    assert math.isnan(cost.mse)
    assert math.isnan(cost.rmse)
    assert math.isnan(cost.mae)


class Odd:
    """Raises whatever it is asked."""

    def __float__(self):
        raise KeyError

    __sub__ = __rsub__ = __repr__ = __float__


BAD = {
    "nan": (math.nan, 1.0, None, Reason.NOT_FINITE, "y_true is nan; must be a finite float64"),
    "inf": (1.0, math.inf, None, Reason.NOT_FINITE, "y_pred is inf; must be a finite float64"),
    "huge int": (10**400, 1.0, None, Reason.NOT_FINITE, "y_true is 1000"),
    "text": ("1.0", 1.0, None, Reason.WRONG_TYPE, "y_true is '1.0'; must be a number"),
    "bytes": (1.0, b"1", None, Reason.WRONG_TYPE, "y_pred is b'1'; must be a number"),
    "none": (None, 1.0, None, Reason.WRONG_TYPE, "y_true is None; must be a number"),
    "complex": (1j, 1.0, None, Reason.WRONG_TYPE, "y_true is 1j; must be a number"),
    "list": ([1.0], 1.0, None, Reason.WRONG_TYPE, "y_true is [1.0]; must be a number"),
    "array": (np.array([1.0]), 1.0, None, Reason.WRONG_TYPE, "y_true is array([1.]); must be"),
    "numpy complex": (np.complex128(1 + 2j), 1.0, None, Reason.WRONG_TYPE, "must be a number"),
    "text in numpy": (np.array("1.5"), 1.0, None, Reason.WRONG_TYPE, "must be a number"),
    "buffer": (array.array("b", b"1.5"), 1.0, None, Reason.WRONG_TYPE, "must be a number"),
    "5000 digits": (10**5000, 1.0, None, Reason.NOT_FINITE, "of type int and cannot be shown"),
    "odd object": (Odd(), 1.0, None, Reason.WRONG_TYPE, "of type Odd and cannot be shown"),
    "overflow": (1e200, 0.0, None, Reason.OVERFLOW, "of 1e+200 and 0.0 is beyond float64"),
    "difference": (1e308, -1e308, None, Reason.OVERFLOW, "is beyond float64"),
    "weighted": (1e150, 0.0, 1e10, Reason.OVERFLOW, "is beyond float64"),
    "negative": (1.0, 2.0, -1.0, Reason.NEGATIVE_WEIGHT, "w is -1.0; must be at least 0"),
    "nan weight": (1.0, 2.0, math.nan, Reason.NOT_FINITE, "w is nan; must be a finite float64"),
    "text weight": (1.0, 2.0, "1", Reason.WRONG_TYPE, "w is '1'; must be a number"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_events_are_refused_and_change_nothing(name):
    """Each has its reason and says what is wrong; the cost keeps its bytes."""
    y_true, y_pred, w, reason, detail = BAD[name]
    cost = cost_of([Event(0.1, 0.7), Event(3.0, 1.0, 2.5)])
    before = bytes(cost)
    for change in (cost.update, cost.revert):
        with pytest.raises(RejectedEvent) as refusal:
            change(y_true, y_pred, w)
        assert refusal.value.reason is reason
        assert detail in refusal.value.detail
    with pytest.raises(RejectedEvent) as refusal:
        cost.update_many([1.0, y_true], [1.0, y_pred], None if w is None else [1.0, w])
    assert refusal.value.reason is reason
    assert bytes(cost) == before


def test_a_bad_event_in_columns_is_named():
    """The first bad event of a long column is found and none is added."""
    y_true, y_pred = np.ones(50_000), np.zeros(50_000)
    y_true[[40_000, 45_000]] = math.nan
    cost = Cost()
    with pytest.raises(RejectedEvent, match="event 40000: y_true is nan") as refusal:
        cost.update_many(y_true, y_pred)
    assert refusal.value.index == 40_000
    assert cost == Cost()


@pytest.mark.parametrize(
    ("y_true", "y_pred", "w"),
    [
        ([1.0, 2.0], [1.0], None),
        ([1.0], [1.0], [1.0, 2.0]),
        ([[1.0]], [[1.0]], None),
        ([[1.0], [1.0, 2.0]], [1.0, 2.0], None),
        (1.0, 2.0, None),
    ],
    ids=["lengths", "weights", "two dimensions", "ragged", "scalars"],
)
def test_columns_that_do_not_fit_are_refused(y_true, y_pred, w):
    """Columns have one dimension and equal lengths."""
    cost = Cost()
    with pytest.raises(RejectedEvent) as refusal:
        cost.update_many(y_true, y_pred, w)
    assert refusal.value.reason is Reason.WRONG_TYPE
    assert cost == Cost()


@pytest.mark.parametrize(
    ("column", "index"),
    [
        (np.ma.array([1.0, 100.0], mask=[False, True]), 1),
        (np.array([3.0, 1 + 2j]), 0),
        (np.array(["1.5", "2"]), 0),
        (bytearray(b"ab"), None),
        ("ab", None),
    ],
    ids=["masked", "complex", "text", "bytearray", "one text"],
)
def test_columns_of_other_things_are_refused(column, index):
    """A mask, a complex number or text in a column is found."""
    with pytest.raises(RejectedEvent) as refusal:
        Cost().update_many(column, [0.0, 0.0])
    assert (refusal.value.reason, refusal.value.index) == (Reason.WRONG_TYPE, index)


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int64, np.uint8, np.bool_, int, bool])
def test_numbers_of_other_types_become_float64_first(kind):
    """A float32 is scored as the float64 that it is, also a subtraction of two."""
    pairs = [(kind(1), kind(0)), (kind(0.1), kind(0.3))]
    wanted = truth([Event(float(a), float(b)) for a, b in pairs])
    assert same(reading(cost_of([Event(*pair) for pair in pairs])), wanted)
    batch = Cost()
    batch.update_many(*(np.array(column, dtype=kind) for column in zip(*pairs, strict=True)))
    assert same(reading(batch), wanted)


def test_large_integers_become_float64_first():
    """2**53 + 1 is 2**53 as float64, so the error is 0 and not 1."""
    assert Cost().update(2**53 + 1, 2**53) == 0.0
    assert Cost().update(2**53 + 1, float(2**53)) == 0.0


def test_pending_events_are_seen_at_every_number():
    """Reading after any number of events is right, also around the sizes of buffers."""
    stream = STREAMS["gauss, many"][:20_000]
    cost = Cost()
    stops = {1, 2, 255, 256, 257, 511, 512, 513, 16_383, 16_384, 16_385, 20_000}
    for index, event in enumerate(stream, start=1):
        cost.update(*event)
        if index in stops:
            assert same(reading(cost), truth(stream[:index]))


def test_reading_late_is_the_same_as_reading_early():
    """A cost that is never read until the end has the same bytes."""
    stream = STREAMS["gauss, many"]
    lazy, eager = Cost(), Cost()
    for index, event in enumerate(stream):
        lazy.update(*event)
        eager.update(*event)
        if index % 997 == 0:
            assert eager.n == index + 1
            assert eager.mse > 0
    assert bytes(lazy) == bytes(eager)


@given(events)
def test_survives_pickle_and_copy(stream):
    """Pickle, deepcopy and copy give equal, independent costs."""
    cost = cost_of(stream)
    for other in (pickle.loads(pickle.dumps(cost)), copy.deepcopy(cost), cost.copy()):
        assert other == cost
        other.update(1.0, 3.0)
        assert other != cost
        assert same(reading(cost), truth(stream))


def test_ten_million_events_are_exact():
    """10^7 events in columns of odd sizes: the cost is that of the fractions of all parts."""
    rng = np.random.default_rng(5)
    cost, shards = Cost(), []
    for size in (7_000_003, 2_999_996, 1):
        y_true = rng.normal(100, 15, size)
        y_pred = y_true + rng.standard_t(3, size)
        cost.update_many(y_true, y_pred)
        shards.append((y_true - y_pred) ** 2)
    total = sum((_sum_as_fraction(shard) for shard in shards), Fraction(0))
    assert cost.n == 10_000_000
    assert cost.mse == float(total / 10_000_000)


def _sum_as_fraction(values: np.ndarray) -> Fraction:
    """Sum floats exactly, by exponent, as integers: independent of the code under test."""
    mantissas, exponents = np.frexp(values)
    integers = (mantissas * 2.0**53).astype(np.int64)
    total = Fraction(0)
    for exponent in np.unique(exponents):
        chosen = integers[exponents == exponent]
        high, low = int((chosen >> 26).sum()), int((chosen & (2**26 - 1)).sum())
        total += Fraction((high << 26) + low) * Fraction(2) ** (int(exponent) - 53)
    return total


def test_repr_tells_the_numbers():
    """The repr shows all numbers, and the weight where it matters."""
    cost = cost_of([Event(10, 12), Event(11, 11)])
    assert repr(cost) == "Cost(n=2, mse=2, rmse=1.41421, mae=1, bias=-1)"
    cost.update(1, 1, 0.5)
    assert repr(cost).startswith("Cost(n=3, weight=2.5, mse=1.6,")


def test_is_not_hashable_and_not_equal_to_other_things():
    """A cost changes, so it is no key; it equals only costs."""
    with pytest.raises(TypeError):
        hash(Cost())
    assert Cost() != 0


def test_costs_of_other_numbers_of_events_differ():
    """Two halves of an event have the sums of the whole, and are two events."""
    halves, whole = cost_of([Event(1.0, 3.0, 0.5)] * 2), cost_of([Event(1.0, 3.0)])
    assert reading(halves)[1:] == reading(whole)[1:]
    assert halves != whole
