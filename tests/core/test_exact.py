"""An exact sum is exact."""

import math
import pickle
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch import ExactSum, Reason, RejectedEvent

any_float = st.floats(allow_nan=False, allow_infinity=False)
floats = st.lists(any_float, max_size=30)


def exactly(values) -> Fraction:
    return sum(map(Fraction, values), Fraction(0))


@given(floats)
def test_holds_the_exact_sum(values):
    """The sum is that of the fractions, whatever the floats."""
    assert ExactSum(values).as_fraction() == exactly(values)


@given(floats, st.randoms())
def test_does_not_see_the_order(values, random):
    """Equal sets give equal sums with equal canonical forms, in any order."""
    shuffled = random.sample(values, len(values))
    assert ExactSum(values) == ExactSum(shuffled)
    assert ExactSum(values).canonical() == ExactSum(shuffled).canonical()


@given(floats, floats)
def test_merge_is_union_and_unmerge_takes_it_back(left, right):
    """Merging adds all; unmerging restores the same canonical form."""
    total, other = ExactSum(left), ExactSum(right)
    before = total.canonical()
    total.merge(other)
    assert total.as_fraction() == exactly(left + right)
    total.unmerge(other)
    assert total.canonical() == before


@given(floats, any_float)
def test_revert_undoes_update(values, value):
    """An update and its revert leave the canonical form as it was."""
    total = ExactSum(values)
    before = total.canonical()
    total.update(value)
    total.revert(value)
    assert total.canonical() == before


@given(floats)
def test_value_is_correctly_rounded(values):
    """Reading rounds once, as a fraction does; beyond float64 it is infinite."""
    try:
        wanted = float(exactly(values))
    except OverflowError:
        wanted = math.inf if exactly(values) > 0 else -math.inf
    assert ExactSum(values).value == wanted == float(ExactSum(values))


@given(floats, floats.filter(lambda values: exactly(values) != 0))
def test_ratio_is_correctly_rounded(left, right):
    """A ratio rounds once, as that of fractions does."""
    ratio = exactly(left) / exactly(right)
    try:
        wanted = float(ratio)
    except OverflowError:
        wanted = math.inf if ratio > 0 else -math.inf
    assert ExactSum(left).ratio(ExactSum(right)) == wanted


def test_ratio_to_nothing_is_an_error():
    """Dividing by an empty sum raises as Python does."""
    with pytest.raises(ZeroDivisionError):
        ExactSum([1.0]).ratio(ExactSum())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_refuses_what_is_not_finite(bad):
    """NaN and infinities are refused and the sum stays."""
    total = ExactSum([0.5])
    for change in (total.update, total.revert):
        with pytest.raises(RejectedEvent) as refusal:
            change(bad)
        assert refusal.value.reason is Reason.NOT_FINITE
    with pytest.raises(RejectedEvent):
        total.update_many([1.0, bad])
    assert total == ExactSum([0.5])


@given(floats)
def test_survives_pickle_and_copy(values):
    """A pickled sum and a copied one are equal; the copy is independent."""
    total = ExactSum(values)
    assert pickle.loads(pickle.dumps(total)) == total
    other = total.copy()
    other.update(1.0)
    assert total.as_fraction() == exactly(values)


def test_numbers_become_float64_first():
    """A fraction, a decimal and a large integer are rounded to float64, then summed."""
    assert ExactSum([Fraction(1, 3)]) == ExactSum([1 / 3])
    assert ExactSum([Decimal("0.1"), 2**53 + 1]) == ExactSum([0.1, float(2**53)])
    total = ExactSum()
    total.update(Fraction(1, 3))
    assert total == ExactSum([1 / 3])


def test_differs_from_another_sum_and_from_other_things():
    """Equality is about the value."""
    assert ExactSum([0.5]) != ExactSum([0.25])
    assert ExactSum([0.5, 0.25, -0.25]) == ExactSum([0.5])
    assert ExactSum([0.5]) != 0.5
    assert repr(ExactSum([0.5])) == "ExactSum(0.5)"


def test_state_of_usual_data_is_small():
    """A million losses between 1e-9 and 1e9 need no more than 200 bits."""
    units, shift = ExactSum([1e9, 1e-9, 0.1]).canonical()
    assert units.bit_length() <= 200
    assert shift <= 100
