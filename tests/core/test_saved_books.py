"""Books are saved and read back, in part too, and books of several machines become one."""

from dataclasses import replace

import numpy as np
import pytest
from exactly import scored
from ledgers import COUNTED, HELD, WINDOWS, History, Kept, books

from losswatch import StateError
from losswatch.core.segments import Segments


def filled(seed=0, **kind) -> History:
    history = History(seed, **kind)
    for _ in range(6):
        history.enter(8)
        history.revise(3)
    return history


@pytest.mark.parametrize("split", [True, False], ids=["pooled", "alone"])
def test_a_new_window_starts_empty_and_does_not_know_events_of_before(split):
    """What is revised then is taken out of the windows only that had it."""
    history = filled(split=split)
    state = history.books.dump()
    history.books = books(split=split, windows=WINDOWS[:1])
    notes = history.books.load(state)
    assert len(notes) == len(WINDOWS) - 1
    state = history.books.dump()
    history.books = books(split=split)
    notes = history.books.load(state)
    assert notes == sorted(notes)
    assert len(notes) == len(WINDOWS) - 1
    history.revise(10)
    old = history.kept
    history.check(("lifetime", "20s"))
    history.kept = {output: Kept() for output in history.outputs}
    _, outputs = history.books.read(history.now)
    for window in set(HELD) - {"lifetime", "20s"}:
        assert set(outputs["a"].readings[window].n.tolist()) == {0}, window
    history.enter(5)
    history.check(("15s", "tumbling 30s"))
    assert old is not history.kept


@pytest.mark.parametrize("split", [True, False], ids=["pooled", "alone"])
@pytest.mark.parametrize("seed", range(10))
def test_machines_that_are_merged_read_as_one(seed, split):
    """Whatever each saw, all windows of time are those of all events."""
    rng = np.random.default_rng(seed)
    parts = [filled(seed + 100 * k, split=split, start=1.7e9) for k in range(3)]
    for part in parts:
        part.enter(6)
        part.revise(4)
    order = rng.permutation(3).tolist()
    mine = parts[order[0]]
    for k in order[1:]:
        merged = mine.books.merge(parts[k].books.dump())
        assert len(merged.notes) == len(COUNTED)
        for output, kept in parts[k].kept.items():
            for old in kept.entered:
                events = replace(old.events, slot=merged.slots[old.events.slot])
                number = old.pool_seq + merged.offsets[output]
                mine.kept[output].entered.append(replace(old, events=events, pool_seq=number))
            mine.kept[output].rows += kept.rows
        mine.now = max(mine.now, parts[k].now)
    timed = tuple(window for window in HELD if window not in COUNTED)
    mine.check(timed)
    mine.revise(12)
    mine.check(timed)
    mine.enter(6)
    mine.restart()
    mine.revise(12)
    mine.pass_time()
    mine.check(timed)


def test_segments_beyond_the_limit_become_others():
    """The first ones have their slots; further ones of another machine count together."""
    kind = {"segments": Segments(("city",), limit=2), "outputs": ("a",)}
    mine, other = books(**kind), books(**kind)
    for each, cities in ((mine, ["oslo"]), (other, ["rome", "oslo"])):
        slots = each.registry.places({"city": cities}, np.ones(len(cities), dtype=bool))[0]
        each.enter("a", scored(slots, slots, slots), np.ones(slots.size), 1.0)
    third = books(**kind)
    slots = third.registry.places({"city": ["lima"]}, np.ones(1, dtype=bool))[0]
    third.enter("a", scored(slots, slots, slots), np.ones(1), 1.0)
    assert mine.merge(other.dump()).slots.tolist() == [0, 1, 2, 4, 3]
    assert mine.merge(third.dump()).slots.tolist() == [0, 1, 2, 1]
    names, outputs = mine.read(1.0)
    assert [name.get("city") for name in names[3:]] == ["oslo", "rome"]
    for window in ("lifetime", "20s", "15s", "half-life 4s"):
        assert outputs["a"].readings[window].n.tolist() == [4, 1, 0, 2, 1]


def test_other_outputs_and_labels_are_refused():
    """It is said which they are, and nothing is changed."""
    state = filled().books.dump()
    with pytest.raises(StateError, match="outputs"):
        books(outputs=("a",)).load(state)
    with pytest.raises(StateError, match="segments"):
        books(split=False).load(state)
    with pytest.raises(StateError, match="segments by"):
        books(segments=Segments(("town",))).load(state)


def leaves(tree, path=()):
    """Yield the paths of all parts of a tree."""
    yield path
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield from leaves(tree[key], (*path, key))


def damaged(tree, path, change):
    if not path:
        return change(tree)
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[path[0]] = damaged(tree[path[0]], path[1:], change)
    return copy


DAMAGES = [
    lambda _: None,
    lambda _: "x",
    lambda _: -1,
    lambda _: [[1, 2]],
    lambda _: {"7": 1},
    lambda part: part[:-1] if isinstance(part, np.ndarray | list) else 1e308,
    lambda part: part - 10**9 if isinstance(part, np.ndarray) else float("nan"),
    lambda part: part * 2.0**60 if isinstance(part, np.ndarray) else 1 << 80,
    lambda part: part.astype(np.float64) if isinstance(part, np.ndarray) else np.zeros(3),
]


@pytest.mark.parametrize("damage", range(len(DAMAGES)))
def test_what_is_damaged_is_a_state_error_or_harmless(damage):
    """Whatever part of a state is wrong, no other error comes, and books are whole or unchanged."""
    history = filled(3, outputs=("a",))
    state = history.books.dump()
    for path in list(leaves(state))[damage % 4 :: 4]:
        mine = books(outputs=("a",))
        try:
            mine.load(damaged(state, path, DAMAGES[damage]))
        except StateError:
            assert mine.read(0.0)[1]["a"].readings["lifetime"].n.tolist() == [0, 0, 0]
        mine.read(history.now)
