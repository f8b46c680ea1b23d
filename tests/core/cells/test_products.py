"""Pairs of floats are exact where they say so, and close enough elsewhere."""

from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from losswatch.core.cells import pairs
from losswatch.core.cells.layout import FIELDS, TRUTH
from losswatch.core.cells.pairs import PRECISION
from losswatch.core.cells.products import two_product, two_sum


def between(low: int, high: int):
    """Return floats of both signs between powers of two."""
    significand = st.one_of(st.integers(2**52, 2**53 - 1), st.sampled_from([2**52, 2**53 - 1]))
    parts = st.tuples(st.sampled_from((-1, 1)), significand, st.integers(low - 53, high - 53))
    return st.one_of(parts.map(lambda p: p[0] * p[1] * 2.0 ** p[2]), st.just(0.0))


def column(*values):
    return np.array(values, dtype=np.float64)


def exactly(pair) -> Fraction:
    return Fraction(float(pair[0][0])) + Fraction(float(pair[1][0]))


def pair_of(high: float, low: float):
    return two_sum(column(high), column(low * abs(high) * 2.0**-54))


moderate = between(-100, 100)
low_parts = st.floats(-1, 1)


@given(between(-500, 480), between(-450, 480))
def test_a_product_keeps_what_rounding_left_out(a, b):
    """High and low part together are the product, and the high part is the rounded one."""
    pair = two_product(column(a), column(b))
    assert pair[0][0] == a * b
    assert exactly(pair) == Fraction(a) * Fraction(b)


@given(between(-450, 480))
def test_a_square_keeps_what_rounding_left_out(a):
    """The same column on both sides takes the short way to the same result."""
    x = column(a)
    assert exactly(two_product(x, x)) == Fraction(a) ** 2
    assert x[0] == a


@given(between(-900, 900), between(-900, 900))
def test_a_sum_keeps_what_rounding_left_out(a, b):
    """High and low part together are the sum, whichever is larger."""
    pair = two_sum(column(a), column(b))
    assert pair[0][0] == a + b
    assert exactly(pair) == Fraction(a) + Fraction(b)


@given(moderate, low_parts, moderate, low_parts)
def test_products_sums_and_quotients_of_pairs_are_good_to_94_bits(a, a_low, b, b_low):
    """The error of each is below the bound that decides what is certain."""
    x, y = pair_of(a, a_low), pair_of(b, b_low)
    wanted = exactly(x) * exactly(y)
    assert abs(exactly(pairs.times(x, y)) - wanted) <= abs(wanted) * Fraction(PRECISION)
    larger = max(abs(exactly(x)), abs(exactly(y)))
    difference = exactly(pairs.minus(x, y)) - (exactly(x) - exactly(y))
    assert abs(difference) <= larger * Fraction(PRECISION)
    assume(b)
    quotient = exactly(x) / exactly(y)
    assert abs(exactly(pairs.divide(x, y)) - quotient) <= abs(quotient) * Fraction(PRECISION)


@given(moderate, low_parts, st.floats(2.0**-94, 2.0**-30))
def test_what_is_certain_is_the_nearest_float(high, low, share):
    """No number within the error rounds to another float than the one that is certain."""
    value, error = pair_of(high, low), column(abs(high) * share)
    nearest, certain = pairs.rounded(value, error)
    assert nearest[0] == float(exactly(value))
    if certain[0]:
        for end in (-1, 1):
            assert float(exactly(value) + end * Fraction(float(error[0]))) == nearest[0]


def test_what_lies_on_the_border_is_not_certain():
    """An error that reaches the middle between two floats leaves both open, on either side."""
    half = 2.0**-53
    for low, error, certain in (
        (half * 0.75, half * 0.2, True),
        (half * 0.75, half * 0.5, False),
        (half * 1.25, half * 0.2, True),
        (half * 1.25, half * 0.5, False),
        (0.0, 0.0, True),
    ):
        found = pairs.rounded((column(1.0), column(low)), column(error))
        assert found[1].tolist() == [certain]


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=11, max_size=11), st.integers(0, 11))
def test_limbs_become_the_pair_that_they_are(limbs, used):
    """A field read as a pair is exact where it says so, and else good to 94 bits."""
    columns = {TRUTH.start + k: np.array([limb]) for k, limb in enumerate(limbs[:used])}
    pair, exact = pairs.of_limbs(columns, TRUTH, 1)
    unit = Fraction(2) ** TRUTH.unit
    wanted = sum((limb * unit * 2 ** (32 * k) for k, limb in enumerate(limbs[:used])), Fraction(0))
    found = exactly(pair)
    assert pair[0][0] == pair[0][0] + pair[1][0]
    assert abs(found - wanted) <= abs(wanted) * Fraction(PRECISION)
    if exact[0]:
        assert found == wanted
    if used <= 3:
        assert exact[0]


def test_every_field_ends_where_its_largest_term_does():
    """The last limb takes what is carried over; a term stays below it."""
    for place in FIELDS:
        assert place.top == place.unit + 32 * (place.limbs - 1)
        assert place.unit % 32 == 0
