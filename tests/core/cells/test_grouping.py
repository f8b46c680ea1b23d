"""A batch grouped by slot is the sum of its events, whatever the floats."""

import numpy as np
import pytest
from exactly import check, read, scored, sums_by_slot
from hypothesis import given
from hypothesis import strategies as st

from losswatch.core.cells import grouping
from losswatch.core.cells.grouping import AT_ONCE, Block, carry, group, group_parts
from losswatch.core.cells.layout import COLUMNS, COUNT, FIELDS, LIMB
from losswatch.core.cells.table import Table


def decades(rng, n, low, high):
    return rng.choice((-1.0, 1.0), n) * 10.0 ** rng.uniform(low, high, n)


def usual(rng, n):
    return rng.normal(0, 1, n), rng.normal(100, 15, n), None


def tiny_weights(rng, n):  # not a multiple of the finest unit, and many of them
    return rng.normal(0, 1, n), rng.normal(0, 1, n), rng.uniform(1, 2, n) * 2.0**-140


HOSTILE = {
    "usual": usual,
    "weighted": lambda rng, n: (*usual(rng, n)[:2], rng.exponential(1, n)),
    "300 decades": lambda rng, n: (decades(rng, n, -150, 150), rng.normal(0, 1, n), None),
    "16 decades": lambda rng, n: (decades(rng, n, -8, 8), decades(rng, n, -8, 8), None),
    "decades and weights": lambda rng, n: (
        decades(rng, n, -40, 40),
        decades(rng, n, -40, 40),
        abs(decades(rng, n, -100, 100)),
    ),
    "subnormal": lambda rng, n: (rng.integers(-9, 9, n) * 5e-324, rng.normal(0, 1, n), None),
    "subnormal losses": lambda rng, n: (decades(rng, n, -162, -154), rng.normal(0, 1, n), None),
    "targets of 1e300": lambda rng, n: (rng.normal(0, 1, n), decades(rng, n, 290, 300), None),
    "targets of 1e-100": lambda rng, n: (rng.normal(0, 1, n), decades(rng, n, -100, -90), None),
    "targets beyond float64 with their weights": lambda rng, n: (
        rng.normal(0, 1e-60, n),
        decades(rng, n, 250, 300),
        10.0 ** rng.uniform(0, 100, n),
    ),
    "targets and weights of 2**60": lambda rng, n: (
        np.zeros(n),
        rng.normal(0, 2.0**60, n),
        rng.uniform(1, 2, n) * 2.0**60,
    ),
    "negative targets too fine with their weights": lambda _, n: (
        np.ones(n),
        np.full(n, -(2.0**-100)),
        np.full(n, 2.0**-160),
    ),
    "tiny weights": tiny_weights,
    "equal errors": lambda rng, n: (np.full(n, 0.1), rng.normal(0, 1, n), None),
    "integers": lambda rng, n: (
        rng.integers(-9, 9, n) * 1.0,
        rng.integers(-99, 99, n) * 1.0,
        rng.integers(1, 9, n) * 1.0,
    ),
    "offset": lambda rng, n: (rng.normal(1e12, 1, n), rng.normal(1e12, 1, n), None),
    "all right": lambda rng, n: (np.zeros(n), rng.normal(0, 1, n), None),
    "cancelling": lambda rng, n: (rng.choice((-1e8, 1e8, 1e-8), n), rng.normal(0, 1, n), None),
    "next to the largest limb": lambda rng, n: (
        rng.choice((-1.0, 1.0), n) * np.nextafter(2.0**64, 0),
        np.full(n, np.nextafter(2.0**64, 0)),
        rng.choice((1.0, 0.5), n),
    ),
    "some beyond the grid": lambda rng, n: (
        np.where(rng.random(n) < 0.2, decades(rng, n, -90, 90), rng.normal(0, 1, n)),
        np.where(rng.random(n) < 0.2, 2.0**64, rng.normal(0, 1, n)),
        np.where(rng.random(n) < 0.2, 2.0**-161, 1.0),
    ),
}

SLOTS = {
    "one slot": lambda _, n: np.zeros(n, dtype=np.intp),
    "one slot, not the first": lambda _, n: np.full(n, 5),
    "all slots": lambda rng, n: rng.permutation(np.arange(n) % 5),
    "many slots": lambda rng, n: rng.integers(0, n, n),
    "sparse slots": lambda rng, n: rng.integers(0, 5, n) * 977,
}


@pytest.mark.parametrize("slots", SLOTS.values(), ids=SLOTS)
@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE)
def test_every_number_is_that_of_the_events(stream, slots):
    """Each slot that occurs reads as its events in fractions, bit for bit."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        events = scored(slots(rng, 40), *stream(rng, 40))
        size = int(events.slot.max()) + 2
        occurring = np.unique(events.slot)
        table = Table(size)
        table.add(group(events))
        wanted = sums_by_slot(events, size)
        check(table.read(occurring), [wanted[slot] for slot in occurring])
        assert group(events).block.slots.tolist() == sorted(set(group(events).block.slots.tolist()))


@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE)
def test_integers_are_the_same_as_the_fractions(stream):
    """The slow way of every number holds the same exact sums."""
    rng = np.random.default_rng(7)
    events = scored(rng.integers(0, 3, 30), *stream(rng, 30))
    reading = read(events, 3)
    for place, wanted in enumerate(sums_by_slot(events, 3)):
        cell = reading.cell(place)
        assert (cell.n, *(total.as_fraction() for total in cell.sums)) == wanted


@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE)
def test_the_caller_keeps_its_columns(stream):
    """Grouping cuts copies; windows need the events again when they leave."""
    rng = np.random.default_rng(8)
    events = scored(rng.integers(0, 3, 30), *stream(rng, 30))
    before = [None if c is None else c.copy() for c in (events.error, events.y_true, events.w)]
    group(events)
    for column, copy in zip((events.error, events.y_true, events.w), before, strict=True):
        assert column is copy or np.array_equal(column, copy)


@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE)
def test_what_is_subtracted_leaves_nothing(stream):
    """Events taken away in other batches than they came leave no limb and no integer."""
    rng = np.random.default_rng(9)
    events = scored(rng.integers(0, 4, 60), *stream(rng, 60))
    table = Table(4, pooled=True)
    for start in range(0, 60, 20):
        table.add(group(events.take(slice(start, start + 20))))
    order = rng.permutation(60)
    for start in range(0, 60, 12):
        table.subtract(group(events.take(order[start : start + 12])))
    left = table.everything()
    assert (left.block.slots.size, left.block.columns, left.odd) == (0, {}, {})


@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE)
def test_compact_and_pool_are_the_same_sums(stream):
    """Half the memory holds the same, and the pool is the group of all as one slot."""
    rng = np.random.default_rng(10)
    events = scored(rng.integers(0, 4, 50), *stream(rng, 50))
    grouped = group(events)
    wanted = sums_by_slot(events, 4)
    for sums in (grouped.compact(), grouped.compact().compact()):
        assert all(c.dtype == np.int32 for c in sums.block.columns.values())
        table = Table(4)
        table.add(sums)
        check(table.read(np.arange(4)), wanted)
    pool = sums_by_slot(events.pooled(), 1)
    for sums in (grouped.pool, grouped.compact().pool, group(events.pooled())):
        assert len(sums.block.slots) <= 1
        table = Table(1)
        table.add(sums)
        check(table.read(np.zeros(1, dtype=np.intp)), pool)


def test_compact_keeps_what_needs_more_bits():
    """A last limb beyond 32 bits stays as it is."""
    block = Block(np.array([3]), {13: np.array([2**40]), 12: np.array([-(2**31)])})
    small = block.compact()
    assert {c: limbs.tolist() for c, limbs in small.columns.items()} == {
        13: [2**40],
        12: [-(2**31)],
    }
    assert small.slots.tolist() == [3]


def test_a_batch_beyond_the_cache_is_the_same():
    """More events than are summed at once come in parts that add up."""
    rng = np.random.default_rng(11)
    n = AT_ONCE + 3000
    error, y_true = rng.integers(-99, 99, n) / 8, rng.integers(-99, 99, n) / 8
    events = scored(rng.integers(0, 2, n), error, y_true)
    whole, table = Table(2), Table(2)
    parts = list(group_parts([events.take(slice(5)), events.take(slice(5, None))]))
    assert len(parts) == 2
    for part in parts:
        table.add(part)
    whole.add(group(events))
    wanted = sums_by_slot(events, 2)
    check(table.read(np.arange(2)), wanted)
    check(whole.read(np.arange(2)), wanted)


def test_parts_with_and_without_weights_join(monkeypatch):
    """A part without weights counts each event once beside one with weights."""
    monkeypatch.setattr(grouping, "AT_ONCE", 7)
    one = scored([0, 1, 0, 1, 1], [1, 2, 3, 4, 5], [1, 1, 2, 2, 3])
    two = scored([1, 0, 1, 0, 0], [6, 7, 8, 9, 1], [5, 5, 6, 6, 7], [0.5, 2, 0.25, 3, 1])
    table = Table(2)
    for part in group_parts([one, two, one]):
        table.add(part)
    joined = [one, two, one]
    wanted = sums_by_slot(
        scored(
            np.concatenate([p.slot for p in joined]),
            np.concatenate([p.error for p in joined]),
            np.concatenate([p.y_true for p in joined]),
            np.concatenate([np.ones(5) if p.w is None else p.w for p in joined]),
        ),
        2,
    )
    check(table.read(np.arange(2)), wanted)
    assert list(group_parts([])) == []


def test_no_events_are_no_sums():
    """A group of nothing has no slots and no columns."""
    grouped = group(scored([], [], []))
    assert (len(grouped.block.slots), grouped.block.columns, grouped.odd) == (0, {}, {})


def test_a_target_that_vanishes_with_its_weight_is_kept():
    """The sums of targets are not rounded, however small."""
    events = scored([0, 0], [0.0, 0.0], [0.0, 5e-324], [0.5, 0.5])
    check(read(events, 1), sums_by_slot(events, 1))


limbs = st.integers(min_value=-(2**55), max_value=2**55)


@given(st.dictionaries(st.integers(0, COLUMNS - 1), st.lists(limbs, min_size=2, max_size=2)))
def test_carrying_keeps_the_value(columns):
    """Limbs come back to 32 bits, columns of zeros go, and every field is the same number."""

    def value(columns, place, row):
        return sum(
            int(columns[c][row]) << (LIMB * k) for k, c in enumerate(place.columns) if c in columns
        )

    before = {column: np.array(row, dtype=np.int64) for column, row in columns.items()}
    after = {column: row.copy() for column, row in before.items()}
    carry(after)
    for place in FIELDS:
        for row in (0, 1):
            assert value(before, place, row) == value(after, place, row)
        for column in place.columns[:-1]:
            if column in after:
                assert after[column].min() >= -(2**31)
                assert after[column].max() < 2**31
    assert all(row.any() for row in after.values())
    assert before.get(COUNT, np.zeros(2)).tolist() == after.get(COUNT, np.zeros(2)).tolist()


def test_limbs_do_not_overlap():
    """Every field has its own columns, and together they are all of them."""
    columns = [COUNT, *(column for place in FIELDS for column in place.columns)]
    assert sorted(columns) == list(range(COLUMNS))
