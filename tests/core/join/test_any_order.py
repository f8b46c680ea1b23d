"""Predictions, truths, duplicates and revisions, in any order: one cost, and the right one."""

import math
from fractions import Fraction

from exactly import added, numbers, terms
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import all_numbers, same, stories, tell


@settings(max_examples=300, deadline=None)
@given(stories(), st.data(), st.sampled_from(["truth", "prediction"]))
def test_the_order_and_the_batches_do_not_matter(story, data, time):
    """Told in any order and any batches, the numbers are those of the truth, bit for bit."""
    told, truth = story
    if not told:
        return
    places = st.lists(st.integers(0, len(told)), max_size=4)
    one = all_numbers(tell(told, data.draw(places), time=time))
    other = all_numbers(tell(data.draw(st.permutations(told)), data.draw(places), time=time))
    assert same(one, other)
    scored = [row for row in truth if row[2] and math.isfinite((row[1] - row[0]) ** 2)]
    exact = numbers(added([terms(y_true - y_pred, y_true, w) for y_pred, y_true, w, *_ in scored]))
    lifetime = one["lifetime",]
    assert {k: str(lifetime[k]) for k in ("n", "mse", "mae", "bias")} == {
        k: str(exact[k]) for k in ("n", "mse", "mae", "bias")
    }


@settings(max_examples=200, deadline=None)
@given(stories(), st.data())
def test_windows_hold_a_revised_event_at_the_time_of_its_first_truth(story, data):
    """In an exact window of time there is what the latest truth says, when the first came."""
    told, truth = story
    if not told:
        return
    monitor = tell(told, data.draw(st.lists(st.integers(0, len(told)), max_size=4)))
    inside = [
        terms(y_true - y_pred, y_true, w)
        for y_pred, y_true, w, first, _, _ in truth
        if w and Fraction(first) > Fraction(91)
    ]
    exact = numbers(added(inside))
    cell = monitor.snapshot(101.0).read("10s")
    assert (cell.n, str(cell.mse)) == (exact["n"], str(exact["mse"]))
