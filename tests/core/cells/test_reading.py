"""Every number of a reading is correctly rounded, also where a pair of floats cannot tell."""

import math
from fractions import Fraction

import numpy as np
import pytest
from exactly import added, check, numbers, read, same, scored, sums_by_slot, terms

from losswatch.core.cells.cell import Cell
from losswatch.core.cells.grouping import group
from losswatch.core.cells.reading import Reading
from losswatch.core.cells.table import Table

TINY = 2.0**-160
"""The finest unit of an error on the grid."""


@pytest.fixture
def calls(monkeypatch):
    """Count the cells that are computed by integers."""
    places = []
    cell = Reading.cell

    def counted(self, place):
        places.append(place)
        return cell(self, place)

    monkeypatch.setattr(Reading, "cell", counted)
    return places


def test_usual_numbers_need_no_integers(calls):
    """Pairs of floats decide nearly every number of usual data."""
    rng = np.random.default_rng(1)
    y_true = rng.normal(100, 15, 20_000)
    events = scored(
        rng.integers(0, 500, 20_000), y_true - (y_true + rng.normal(0, 1, 20_000)), y_true
    )
    reading = read(events, 500)
    check(reading, sums_by_slot(events, 500))
    assert len(calls) < 20  # of 6000 numbers: a mean of seven and the like may be a tie


def test_means_of_two_events_are_ties_and_need_no_integers(calls):
    """Half of them lie in the middle of two floats; they are known to, and round to even."""
    rng = np.random.default_rng(2)
    error = 1.0 + rng.integers(0, 2**20, 400) * 2.0**-52
    events = scored(np.repeat(np.arange(200), 2), error, rng.normal(0, 1, 400))
    reading = read(events, 200)
    wanted = [numbers(sums) for sums in sums_by_slot(events, 200)]
    for name in ("bias", "mae", "truth"):
        assert getattr(reading, name).tolist() == [numbers_of[name] for numbers_of in wanted]
    assert len(calls) < 5
    check(reading, sums_by_slot(events, 200))


@pytest.mark.parametrize("w", [None, 0.3], ids=["plain", "weighted"])
def test_targets_that_are_all_the_same_need_no_integers_for_each_number(calls, w):
    """Segments whose truth is always 0, or always 10.3, cost a page no more than others."""
    slot = np.repeat(np.arange(300), 7)
    y_true = np.choose(slot % 3, [0.0, 10.0, 10.3])
    error = np.random.default_rng(4).normal(0, 1, slot.size)
    events = scored(slot, error, y_true, None if w is None else np.full(slot.size, w))
    reading = read(events, 300)
    assert np.isnan(reading.r2).all()
    assert np.isnan(reading.dummy_ratio(reading.truth)).all()
    assert not calls
    check(reading, sums_by_slot(events, 300))


@pytest.mark.parametrize("ulps", [1, 2, 2**10])
def test_targets_that_differ_by_their_last_bit_are_not_the_same(ulps):
    """Where a pair sees no variance, integers tell whether there is none."""
    other = 1e6 + ulps * math.ulp(1e6)
    events = scored([0] * 8, [0.0, 1e-12] * 4, [1e6] * 7 + [other])
    check(read(events, 1), sums_by_slot(events, 1))
    assert not math.isnan(read(events, 1).r2[0])


ONE_ULP = 2.0**-52
CLOSE = {
    "a tie of three rounds to even": [2.0, 1.0, 3 * 2.0**-53],
    "just above a tie of three": [2.0, 1.0, 3 * 2.0**-53, TINY, -4.0, 4.0 + ONE_ULP * 8],
    "a tie of two": [1.0, 1.0 + ONE_ULP],
    "a tie of two, odd": [1.0 + ONE_ULP, 1.0 + 2 * ONE_ULP],
    "just above a tie of four": [1.0, 1.0, 1.0 + ONE_ULP, 1.0 + ONE_ULP - TINY],
    "a tie and what no pair can hold": [
        1.0,
        1.0,
        1.0,
        1.0 + 2 * ONE_ULP,
        3 * TINY,
        -5 * TINY,
        0,
        0,
    ],
    "above by what no pair can hold": [4.0, ONE_ULP * 2, TINY, 0.0],
    "below by what no pair can hold": [4.0, ONE_ULP * 2, -TINY, 0.0],
    "an exact mean": [1.0, 2.0, 3.0],
    "nothing left": [1.0, -1.0],
    "nearly nothing left": [1.0, -1.0, TINY],
    "all zero": [0.0, 0.0, 0.0],
    "one": [3.0],
    "one that is right": [0.0],
}


@pytest.mark.parametrize("errors", CLOSE.values(), ids=CLOSE)
@pytest.mark.parametrize("w", [None, 3.0, 0.1, 2.0**-40])
def test_numbers_close_to_the_middle_of_two_floats_round_right(errors, w):
    """What a pair leaves open is computed by integers."""
    weights = None if w is None else [w] * len(errors)
    for y_true in (np.arange(len(errors)), np.ones(len(errors)), np.array(errors)):
        events = scored([0] * len(errors), errors, y_true, weights)
        check(read(events, 1), sums_by_slot(events, 1))


@pytest.mark.parametrize("distance", [2.0**-k for k in range(20, 32)])
@pytest.mark.parametrize("w", [1.0, 0.7])
def test_error_variance_is_zero_below_the_rounding_of_the_squares(distance, w):
    """Next to the border the integers tell; beyond it the number is correctly rounded."""
    for factor in (1.0, 1.5, math.sqrt(2), 1.99):
        errors = [0.1, 0.1 + distance * factor * 0.1] * 3
        events = scored([0] * 6, errors, range(6), [w] * 6)
        check(read(events, 1), sums_by_slot(events, 1))


@pytest.mark.parametrize("near", [-(2**20), -2, -1, 0, 1, 2, 2**20])
def test_the_border_itself_counts_as_rounding(near):
    """A variance of exactly 2**-52 of the mse is 0, and one a little larger is not."""
    events = scored([0, 0], [1.0, 0.0], [0, 1], [2.0**52 - 1 + near, 1.0])
    check(read(events, 1), sums_by_slot(events, 1))
    assert (read(events, 1).error_variance[0] > 0.0) == (near < 0)


def test_numbers_without_spread_are_not_there():
    """Equal targets leave r2 NaN, and predicting just them makes no error to compare with."""
    for n in (1, 2, 5):
        reading = read(scored([0] * n, [0.5] * n, [0.1] * n), 1)
        assert math.isnan(reading.r2[0])
        assert math.isnan(reading.dummy_ratio(np.array([0.1]))[0])
        assert reading.dummy_ratio(np.array([0.6]))[0] == pytest.approx(1.0)


def test_a_dummy_that_is_no_number_has_no_ratio():
    """Before the first event of the lifetime there is no mean to predict."""
    reading = read(scored([0, 0], [1.0, 2.0], [3.0, 4.0]), 1)
    for mean in (math.nan, math.inf, -math.inf):
        assert math.isnan(reading.dummy_ratio(np.array([mean]))[0])


@pytest.mark.parametrize("mean", [1e-99, 1e-150, 1e-158, 1e-160, 1e-170, 5e-324, 1e150, 1e300])
def test_a_dummy_far_from_the_targets_is_exact(mean):
    """Squares of the mean that underflow or overflow are left to the integers."""
    events = scored([0, 0, 1, 1], [1e-30, 1e-30, 1.0, 2.0], [0.0, 0.0, 1.0, 2.0])
    reading = read(events, 2)
    wanted = []
    for sums in sums_by_slot(events, 2):
        m = Fraction(mean)
        dummy = sums.square - 2 * m * sums.truth + m * m * sums.weight
        try:
            wanted.append(math.sqrt(float(sums.loss / dummy)))
        except OverflowError:
            wanted.append(math.inf)
    assert reading.dummy_ratio(np.array([mean, mean])).tolist() == wanted


def test_r2_can_be_far_below_zero():
    """Predictions much worse than the mean give a large negative share, exactly."""
    events = scored([0] * 4, [1e9, -1e9, 1e9, 1.0], [0.0, 1e-9, 2e-9, 1.0])
    check(read(events, 1), sums_by_slot(events, 1))
    events = scored([0] * 2, [1e150, 0.0], [0.0, 5e-300])
    reading = read(events, 1)
    assert reading.r2[0] == -math.inf
    check(reading, sums_by_slot(events, 1))


def test_readings_add_up():
    """Two readings together are the cells of all events, and neither of them changes."""
    rng = np.random.default_rng(3)
    for scale in (1.0, 1e60):
        one, two = (
            scored(rng.integers(0, 3, 9), rng.normal(0, scale, 9), rng.normal(0, 1, 9), w)
            for w in (None, rng.exponential(1, 9))
        )
        first, second = read(one, 4), read(two, 4)
        parts = sums_by_slot(one, 4), sums_by_slot(two, 4)
        wanted = [added([a, b]) for a, b in zip(*parts, strict=True)]
        check(first.plus(second), wanted)
        check(second.plus(first), wanted)
        check(first.plus(second).plus(read(scored([], [], []), 4)), wanted)
        check(first, parts[0])
        check(second, parts[1])


def test_limbs_that_add_up_are_carried():
    """A thousand readings of the largest limbs together still have 32 bits each."""
    one = read(scored([0, 0], [1.0 - 2.0**-53, 2.0**31 - 1], [1.0 - 2.0**-53, 0.1]), 1)
    total = one
    for _ in range(1000):
        total = total.plus(one)
    wanted = added([terms(1.0 - 2.0**-53, 1.0 - 2.0**-53), terms(2.0**31 - 1, 0.1)] * 1001)
    check(total, [wanted])


def test_readings_are_equal_if_their_cells_are():
    """Where limbs and integers hold the same sums, the readings are the same."""
    on_grid, odd = scored([0, 1], [1.0, 2.0], [3.0, 4.0]), scored([0], [1e100], [0.0])
    assert read(on_grid, 2) == read(on_grid, 2)
    assert read(on_grid, 2) != read(on_grid, 3)
    assert read(on_grid, 2) != read(on_grid.take(slice(1)), 2)
    assert read(on_grid, 2).plus(read(odd, 2)) != read(on_grid, 2)
    table = Table(2)
    table.add(group(on_grid))
    table.add(group(odd))
    assert table.read(np.arange(2)) == read(odd, 2).plus(read(on_grid, 2))
    assert read(on_grid, 2) != "a reading"


def test_the_sums_do_not_follow_the_table():
    """A reading is what was held at its moment, also for events beyond the grid."""
    table = Table(1)
    events = scored([0, 0], [1.0, 1e100], [1.0, 2.0])
    table.add(group(events))
    reading = table.read(np.zeros(1, dtype=np.intp))
    table.add(group(events))
    check(reading, sums_by_slot(events, 1))
    assert reading.n.tolist() == [2]


def test_a_cell_by_itself_is_the_sum_of_its_events():
    """Added one by one, merged, doubled and taken out again, it is the fractions."""
    events = [(0.1, 5.0, 1.0), (1e-200, 1e300, 0.3), (-7.5, -1e-9, 1e-100), (1e9, 0.0, 3.0)]
    cell, other = Cell(), Cell()
    for event in events[:2]:
        cell.update(*event)
    for event in events[2:]:
        other.update(*event)
    cell.merge(other)
    wanted = added([terms(*event) for event in events])
    assert (cell.n, *(total.as_fraction() for total in cell.sums)) == wanted
    truths = numbers(wanted)
    found = {name: getattr(cell, name) for name in truths if name != "rmse"}
    assert all(same(found[name], truths[name]) for name in found)
    assert (cell.cost.n, cell.cost.mse, cell.cost.bias) == (4, truths["mse"], truths["bias"])
    twice = Cell()
    twice.merge(cell, 3)
    assert [t.as_fraction() for t in twice.sums] == [8 * s for s in wanted[1:]]
    cell.unmerge(other)
    assert cell != other
    assert not cell.is_empty
    cell.update(*events[2])
    cell.update(*events[3])
    cell.unmerge(other)
    for event in events[:2]:
        one = Cell()
        one.update(*event)
        cell.unmerge(one)
    assert cell.is_empty
    assert cell == Cell()
    assert cell != 0
    empty = [getattr(Cell(), name) for name in ("mse", "mae", "bias", "truth", "r2")]
    assert all(map(math.isnan, [*empty, Cell().error_variance, Cell().dummy_ratio(1.0)]))


def test_no_cells_are_no_numbers():
    """A reading without rows has empty columns; a row without events has NaN and 0."""
    assert Table(3).read(np.zeros(0, dtype=np.intp)).mse.tolist() == []
    check(Table(3).read(np.arange(3)), sums_by_slot(scored([], [], []), 3))
    assert len(Table(3).read(np.arange(2))) == 2
