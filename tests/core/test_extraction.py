"""Splitting floats loses nothing."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from losswatch import ExactSum
from losswatch.core.extraction import Extractor

any_float = st.floats(allow_nan=False, allow_infinity=False)


def exactly(values) -> Fraction:
    return sum(map(Fraction, values), Fraction(0))


def check(values: list[float]) -> None:
    array = np.array(values)
    total, absolute = ExactSum([0.25]), ExactSum()
    Extractor(array.size).add(array.copy(), float(np.abs(array).max()), total, absolute)
    assert total.as_fraction() == exactly(values) + Fraction(1, 4)
    assert absolute.as_fraction() == exactly(map(abs, values))


@given(hnp.arrays(np.float64, st.integers(1, 300), elements=any_float))
def test_arrays_add_their_exact_sums(values):
    """An array adds exactly its sum, and that of its absolute values."""
    check(values.tolist())


@pytest.mark.parametrize("size", [1, 2, 3, 100, 1000, 16_384])
@pytest.mark.parametrize("spread", [0, 1, 30, 300])
def test_arrays_of_any_size_and_spread(size, spread):
    """Neither the size nor the range of exponents matters."""
    rng = np.random.default_rng(size + spread)
    values = rng.normal(size=size) * 10.0 ** rng.uniform(-spread / 2, spread / 2, size)
    check(values.tolist())


@pytest.mark.parametrize(
    "value", [0.0, 5e-324, 2.2250738585072014e-308, 1.0, 1e300, 1.7976931348623157e308]
)
def test_equal_values_of_every_magnitude(value):
    """From the smallest subnormal to the largest float, many equal values sum exactly."""
    check([value, -value, value] * 200 + [value])


def test_a_slice_that_overshoots():
    """The first slice of 2**50 - 1 is 2**50: what is left has the other sign."""
    check([0.0, 0.0, 0.0, -(2.0**50 - 1)])
    check([0.0, 0.0, 0.0, 2.0**50 - 1] * 100)


@pytest.mark.parametrize("size", [2047, 2048, 2049, 4095, 4096, 4097, 16_384])
@pytest.mark.parametrize("value", [1 - 2.0**-53, 0.003, -(1 - 2.0**-53), 0.2, 2.0**-1074])
def test_full_blocks_of_the_worst_value_do_not_overflow(size, value):
    """Every element of a block cut to the most units there are still sums exactly."""
    check([value] * size)


def test_every_constant_column_is_exact():
    """Remainders of exactly half a unit, all of the same sign, sum exactly too."""
    for thousandths in range(1, 1000):
        check([thousandths / 1000] * 4096)
