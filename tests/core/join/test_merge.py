"""Monitors of several machines as one: nothing lost, nothing twice, late truth joined."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from stories import WINDOWS, all_numbers, columns, same, stories

from losswatch import Monitor, Segments
from losswatch.core.join.settings import Join


def monitor() -> Monitor:
    return Monitor("eta", windows=WINDOWS, segments=Segments(("city",)), join=Join())


def restored(saved: Monitor) -> Monitor:
    new = monitor()
    assert new.load(saved.dump()) == []
    return new


@settings(max_examples=200, deadline=None)
@given(stories(), st.data())
def test_what_was_told_to_several_machines_counts_once(story, data):
    """Any split of a story over three machines, some told to two: merged, it is as told to one."""
    told, _ = story
    if not told:
        return
    whole = monitor()
    whole.take(columns(told), at=101.0)
    parts = [monitor() for _ in range(3)]
    for row in told:
        for place in data.draw(st.sets(st.integers(0, 2), min_size=1, max_size=2)):
            parts[place].take(columns([row]), at=101.0)
    first, *others = data.draw(st.permutations(parts))
    for other in others:
        assert first.merge(restored(other)) == []
    assert same(all_numbers(first), all_numbers(whole))
    mine, theirs = first.snapshot().join, whole.snapshot().join
    for name in ("pending_predictions", "pending_truths", "retained", "ever_predicted"):
        assert getattr(mine, name) == getattr(theirs, name), name
    assert mine.coverage == theirs.coverage or not theirs.ever_predicted


@settings(max_examples=150, deadline=None)
@given(stories(), st.data())
def test_a_restart_changes_nothing(story, data):
    """Saved and loaded after any batch, the rest of the story leads to the same."""
    told, _ = story
    if not told:
        return
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
    one, other = monitor(), monitor()
    for start, end in itertools.pairwise([0, *cuts, len(told)]):
        if start < end:
            one.take(columns(told[start:end]), at=101.0)
            other.take(columns(told[start:end]), at=101.0)
            other = restored(other)
    assert same(all_numbers(one), all_numbers(other))
    mine, theirs = one.snapshot().join, other.snapshot().join
    assert (mine.pending_predictions, mine.retained) == (
        theirs.pending_predictions,
        theirs.retained,
    )
    assert mine.coverage == theirs.coverage or not theirs.ever_predicted
