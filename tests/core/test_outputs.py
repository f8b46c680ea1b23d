"""Several outputs: one cost each, and all of them pooled."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import Event, reading, same, truth

from losswatch import Cost, MultiOutputCost, Reason, RejectedEvent

value = st.floats(-1e6, 1e6)
points = st.lists(st.tuples(value, value, value, value, st.floats(0, 10)), max_size=20)


def cost_of(rows) -> MultiOutputCost:
    cost = MultiOutputCost(("lat", "lon"))
    for a, b, c, d, w in rows:
        cost.update({"lat": a, "lon": b}, {"lat": c, "lon": d}, w)
    return cost


@given(points)
def test_each_output_and_the_pool_are_exact(rows):
    """Every output has the cost of its own pairs, and the pool that of all pairs."""
    cost = cost_of(rows)
    lat = [Event(a, c, w) for a, _, c, _, w in rows]
    lon = [Event(b, d, w) for _, b, _, d, w in rows]
    assert same(reading(cost["lat"]), truth(lat))
    assert same(reading(cost["lon"]), truth(lon))
    assert same(reading(cost.pooled), truth(lat + lon))


@given(points, points)
def test_merge_and_revert_are_exact(left, right):
    """Merging adds all events; reverting each takes them out again."""
    cost = cost_of(left)
    cost.merge(cost_of(right))
    assert cost == cost_of(left + right)
    for a, b, c, d, w in right:
        cost.revert({"lat": a, "lon": b}, {"lat": c, "lon": d}, w)
    assert cost == cost_of(left)


def test_update_returns_the_loss_of_each_output():
    """The losses come back by output; the first event fixes the outputs."""
    cost = MultiOutputCost()
    assert cost.outputs == ()
    assert cost.update({"a": 1.0, "b": 2.0}, {"b": 4.0, "a": 1.5}) == {"a": 0.25, "b": 4.0}
    assert cost.outputs == ("a", "b")


@pytest.mark.parametrize(
    ("y_true", "y_pred", "reason", "detail"),
    [
        (
            {"a": 1.0},
            {"a": 1.0, "b": 2.0},
            Reason.OUTPUTS_DIFFER,
            "y_true has the outputs a; must have a, b",
        ),
        (
            {"a": 1.0, "b": 2.0},
            {"a": 1.0, "c": 2.0},
            Reason.OUTPUTS_DIFFER,
            "y_pred has the outputs a, c; must have a, b",
        ),
        ({}, {}, Reason.OUTPUTS_DIFFER, "y_true has the outputs none; must have a, b"),
        ({"a": 1.0, "b": math.nan}, {"a": 1.0, "b": 2.0}, Reason.NOT_FINITE, "y_true is nan"),
    ],
    ids=["missing", "other", "empty", "one value bad"],
)
def test_an_event_counts_for_all_outputs_or_none(y_true, y_pred, reason, detail):
    """One bad value or a wrong set of outputs refuses the whole event."""
    cost = MultiOutputCost(("a", "b"))
    cost.update({"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 2.0})
    before = {output: bytes(part) for output, part in cost.items()}
    for change in (cost.update, cost.revert):
        with pytest.raises(RejectedEvent) as refusal:
            change(y_true, y_pred)
        assert refusal.value.reason is reason
        assert detail in refusal.value.detail
    assert {output: bytes(part) for output, part in cost.items()} == before


def test_a_refused_first_event_fixes_nothing():
    """The outputs stay open until an event counts."""
    cost = MultiOutputCost()
    with pytest.raises(RejectedEvent):
        cost.update({"a": math.nan}, {"a": 1.0})
    assert cost.outputs == ()
    assert cost.pooled == Cost()


def test_costs_of_other_outputs_do_not_merge():
    """Pooling different outputs would mean something else each time."""
    left, right = MultiOutputCost(("a",)), MultiOutputCost(("b",))
    with pytest.raises(RejectedEvent, match="must have a"):
        left.merge(right)


@pytest.mark.parametrize("side", [1.0, None, [1.0], "ab"], ids=str)
def test_what_is_no_dict_is_refused(side):
    """Either side must be a dict, also in the first event."""
    good = {"a": 1.0}
    for event in ((side, good), (good, side), (side, side)):
        for cost in (MultiOutputCost(), MultiOutputCost(("a",))):
            with pytest.raises(RejectedEvent) as refusal:
                cost.update(*event)
            assert refusal.value.reason is Reason.WRONG_TYPE
