"""Many arrivals of few ids in one batch: what each leads to is what it leads to alone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import all_numbers, columns, same

from losswatch import Monitor, Segments
from losswatch.core.join.rules import decide
from losswatch.core.join.settings import Join

arrival = st.tuples(
    st.sampled_from(["a", "a", "a", "b"]),
    st.sampled_from([None, 1.0, 2.0]),
    st.sampled_from([None, 3.0, 4.0, 1e200]),
    st.sampled_from([1.0, 1.0, 2.0]),
    st.integers(0, 12).map(float),
    st.sampled_from(["oslo", None]),
).filter(lambda told: told[1:3] != (None, None))


def told_in(parts, join, at) -> tuple:
    """Tell arrivals in parts; return the monitor, and how many were refused and known."""
    monitor = Monitor("eta", windows=("1m",), segments=Segments(("city",)), join=join)
    taken = [monitor.take(columns(part), at=at) for part in parts]
    return monitor, sum(len(t.rejected) for t in taken), sum(len(t.duplicates) for t in taken)


def counts(join) -> str:
    """Return all of a join but when the last of each side came: in a batch that is its end."""
    return str(replace(join, last_prediction=None, last_truth=None))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(arrival, min_size=1, max_size=14),
    st.integers(0, 14),
    st.sampled_from([Join(), Join(ttl=4.0, retention=3.0), Join(ttl=2.0, retention=9.0)]),
    st.sampled_from([None, 101.0]),
)
def test_a_batch_does_what_its_arrivals_do_one_by_one(told, cut, join, at):
    """Numbers, refusals by reason, duplicates, and what is counted of the join."""
    parts = [part for part in (told[:cut], told[cut:]) if part]
    whole, *of_whole = told_in(parts, join, at)
    alone, *of_alone = told_in([[each] for each in told], join, at)
    assert of_whole == of_alone
    assert same(all_numbers(whole), all_numbers(alone))
    one, other = whole.snapshot(200.0), alone.snapshot(200.0)
    assert one.rejected == other.rejected
    assert counts(one.join) == counts(other.join)


@pytest.mark.parametrize("both", [True, False], ids=["complete", "predictions"])
def test_one_id_for_everything_is_decided_together(both, monkeypatch):
    """Who sends a constant as the id would hold up all others, if each were decided alone."""
    decided = []

    def counting(part, *more):
        decided.append(len(part))
        return decide(part, *more)

    monkeypatch.setattr("losswatch.core.join.joiner.decide", counting)
    told = [("x", float(n), 3.0 if both else None, 1.0, 5.0, None) for n in range(999)]
    monitor, rejected, known = told_in([told], Join(), 101.0)
    assert (rejected, known) == (998, 0)
    assert monitor.snapshot().read().n == both
    assert decided == [1, 998]
