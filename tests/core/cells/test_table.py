"""A table adds and takes away, for all slots at once, and leaves no trace."""

import numpy as np
import pytest
from exactly import Sums, added, check, scored, sums_by_slot

from losswatch.core.cells import table as tables
from losswatch.core.cells.grouping import AT_ONCE, group
from losswatch.core.cells.scored import Scored
from losswatch.core.cells.table import Table


def some(seed: int, n: int = 30, slots: int = 4, *, first: int = 0) -> Scored:
    """Return events of which a tenth is beyond the grid."""
    rng = np.random.default_rng(seed)
    error = np.where(rng.random(n) < 0.1, 1e100 * rng.normal(0, 1, n), rng.normal(0, 1, n))
    weights = rng.exponential(1, n) if seed % 2 else None
    return scored(rng.integers(first, slots, n), error, rng.normal(5, 1, n), weights)


def both(*batches: Scored) -> Scored:
    return Scored.join(batches)


def every(table: Table):
    return table.read(np.arange(table.size))


@pytest.mark.parametrize("carry_every", [1, 2, 3, 1 << 20])
def test_a_table_holds_what_was_added_and_not_taken_away(monkeypatch, carry_every):
    """Whenever limbs are carried, each slot is the sum of the events that stay."""
    monkeypatch.setattr(tables, "_CARRY_EVERY", carry_every)
    table = Table(4)
    batches = [some(seed) for seed in range(8)]
    for batch in batches:
        table.add(group(batch))
    for batch in batches[:5]:
        table.subtract(group(batch))
    check(every(table), sums_by_slot(both(*batches[5:]), 4))
    for batch in batches[5:]:
        table.subtract(group(batch))
    check(every(table), [Sums()] * 4)
    assert table._odd == {}


def test_carrying_now_and_then_keeps_limbs_small(monkeypatch):
    """Many additions of the largest limbs never leave 64 bits, and read right."""
    monkeypatch.setattr(tables, "_CARRY_EVERY", 4)
    batch = scored([0] * 50, [1.0 - 2.0**-53] * 50, [1e15 + 0.125] * 50)
    table, sums = Table(1), group(batch)
    for _ in range(41):
        table.add(sums)
    one = sums_by_slot(batch, 1)[0]
    check(every(table), [added([one] * 41)])
    assert np.abs(table._cells[1:]).max() < 2**34
    assert table._additions == 41 % 4


def test_carrying_may_need_a_column_that_no_event_did(monkeypatch):
    """What is carried over is read, though no event was that large."""
    monkeypatch.setattr(tables, "_CARRY_EVERY", 2)
    batch = scored([0], [0.0], [2.0**31 - 1])
    table = Table(1)
    for _ in range(4):
        table.add(group(batch))
    check(every(table), [added(sums_by_slot(batch, 1) * 4)])


def test_the_pool_follows_what_is_added_and_taken_away(monkeypatch):
    """Slot 0 is the total of the others, at any moment."""
    monkeypatch.setattr(tables, "_CARRY_EVERY", 5)
    table = Table(4, pooled=True)
    batches = [some(seed, first=1) for seed in range(6)]
    for batch in batches:
        table.add(group(batch))
    check(every(table), sums_by_slot(both(*batches), 4, pooled=True))
    for batch in batches[:4]:
        table.subtract(group(batch).compact())
    check(every(table), sums_by_slot(both(*batches[4:]), 4, pooled=True))


def test_a_slot_that_is_cleared_is_empty_and_stays_in_the_total():
    """Its limbs and integers go; nothing else changes."""
    table = Table(5, pooled=True)
    batch = both(some(1, first=1, slots=5), some(2, first=1, slots=5))
    table.add(group(batch))
    table.clear(np.array([2, 4]))
    wanted = sums_by_slot(batch, 5, pooled=True)
    wanted[2] = wanted[4] = Sums()
    check(every(table), wanted)
    table.add(group(scored([2], [0.25], [3.0])))
    assert every(table).mse[2] == 0.0625


def test_a_table_that_grows_keeps_its_sums():
    """New slots are empty and can be used."""
    table = Table(2)
    table.add(group(some(3, slots=2)))
    table.grow(6)
    assert table.size == 6
    check(every(table), sums_by_slot(some(3, slots=2), 6))
    table.add(group(some(4, slots=6)))
    check(every(table), sums_by_slot(both(some(3, slots=2), some(4, slots=6)), 6))


def test_a_copy_is_independent_and_pools_as_well():
    """What happens to one of both does not happen to the other."""
    table = Table(4, pooled=True)
    table.add(group(some(5, first=1)))
    copy = table.copy()
    copy.add(group(some(6, first=1)))
    check(every(table), sums_by_slot(some(5, first=1), 4, pooled=True))
    both_of_them = both(some(5, first=1), some(6, first=1))
    check(every(copy), sums_by_slot(both_of_them, 4, pooled=True))
    table.subtract(group(some(5, first=1)))
    check(every(copy), sums_by_slot(both_of_them, 4, pooled=True))


def test_everything_is_all_that_is_held():
    """Only slots that hold something are in it, and it makes an equal table."""
    table = Table(9)
    batch = scored([2, 2, 5, 8], [1.0, -1.0, 0.5, 2.0**-100], [1.0, -1.0, 2.0, 0.0])
    table.add(group(batch))
    table.add(group(scored([3], [1.0], [1.0])))
    table.subtract(group(scored([3], [1.0], [1.0])))
    everything = table.everything()
    assert everything.block.slots.tolist() == [2, 5, 8]
    other = Table(9)
    other.add(everything)
    check(every(other), sums_by_slot(batch, 9))
    other.add(everything)
    check(every(table), sums_by_slot(batch, 9))


def test_held_slots_are_copies_in_their_order():
    """Slots may be asked for in any order; their integers are numbered by place."""
    table = Table(4)
    batch = both(some(7), scored([3, 1], [1e100, 1e90], [1.0, 1.0]))
    table.add(group(batch))
    order = np.array([3, 0, 1])
    wanted = sums_by_slot(batch, 4)
    held = table.held(order)
    assert held.block.slots.tolist() == [3, 0, 1]
    assert {0, 2} <= set(held.odd) <= {0, 1, 2}
    before = table.read(order)
    for cell in held.odd.values():
        cell.update(1.0, 1.0, 1.0)
    for limbs in held.block.columns.values():
        np.add(limbs, 1, out=limbs)
    check(table.read(order), [wanted[slot] for slot in order])
    check(before, [wanted[slot] for slot in order])


def test_a_hundred_thousand_events_in_many_batches_are_exact():
    """Sums of a long stream are those of integers, in batches of any size."""
    rng = np.random.default_rng(12)
    n = 3 * AT_ONCE
    error, y_true = rng.integers(-(2**20), 2**20, n), rng.integers(-(2**20), 2**20, n)
    table = Table(1)
    start = 0
    while start < n:
        stop = start + int(rng.integers(1, AT_ONCE))
        part = slice(start, stop)
        size = error[part].size
        table.add(group(scored(np.zeros(size), error[part] / 2**10, y_true[part] / 2**10)))
        start = stop
    cell = every(table).cell(0)
    loss, bias, absolute, weight, truth, square = (s.as_fraction() for s in cell.sums)
    assert (cell.n, weight) == (n, n)
    assert loss * 2**20 == int((error**2).sum())
    assert bias * 2**10 == int(error.sum())
    assert absolute * 2**10 == int(np.abs(error).sum())
    assert (truth * 2**10, square * 2**20) == (int(y_true.sum()), int((y_true**2).sum()))


def test_events_can_be_taken_apart_and_joined():
    """A part without weights gets ones beside a part with weights, and none without."""
    plain, weighted = scored([0, 1], [1, 2], [3, 4]), scored([1], [5], [6], [0.5])
    joined = Scored.join([plain, weighted])
    assert joined.w.tolist() == [1.0, 1.0, 0.5]
    assert Scored.join([weighted, plain]).w.tolist() == [0.5, 1.0, 1.0]
    assert Scored.join([plain, plain]).w is None
    assert Scored.join([plain]) is plain
    assert joined.take(np.array([2, 0])).error.tolist() == [5.0, 1.0]
    assert joined.take(np.array([2, 0])).w.tolist() == [0.5, 1.0]
    assert joined.pooled().slot.tolist() == [0, 0, 0]
    assert joined.slot.tolist() == [0, 1, 1]
    assert len(joined) == 3
