"""Which event a bucket is shown by, and that nothing else changes for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losswatch import Monitor, Segments
from losswatch.core import exemplars
from losswatch.core.exemplars import LONGEST, Exemplar, Exemplars
from losswatch.core.join.settings import Join


def shown(monitor, output="", segment=0):
    """By bucket: the ids of a row of the page."""
    snapshot = monitor.snapshot()
    found = snapshot.outputs[output].exemplars_of(snapshot.counted_rows)
    return {bucket: each.prediction_id for bucket, each in found.get(segment, {}).items()}


def complete(monitor, name, y_pred, at, **more):
    monitor.predicted(name, y_pred, at=at, **more)
    monitor.observed(name, 0.0, at=at)


event = st.tuples(
    st.integers(0, 2), st.integers(0, 3), st.floats(0, 100), st.floats(0, 300), st.integers(1, 3)
)


@given(st.lists(event, max_size=30), st.lists(st.integers(1, 30), max_size=5))
def test_each_bucket_has_one_that_was_there(events, cuts):
    """Whatever the batches: an exemplar is an event of its bucket, and each bucket has one."""
    kept = Exemplars(buckets=4)
    events = [(*each[:3], at, size) for each, at, size in _in_time(events)]
    for part in np.split(np.arange(len(events)), sorted(min(c, len(events)) for c in cuts)):
        if part.size:
            slot, bucket, loss, clock, size = zip(*[events[i] for i in part], strict=True)
            ids = [f"{i}".rjust(n * LONGEST // 2 + 2, "x") for i, n in zip(part, size, strict=True)]
            columns = map(np.array, (slot, bucket, loss, clock))
            kept.add(*columns, ids)
    wanted = {each[0] * 4 + each[1] for each in events if each[4] == 1}
    assert kept.held.keys() == wanted
    for key, (name, loss, at) in kept.held.items():
        slot, bucket, *rest = events[int(name.strip("x"))]
        assert (slot * 4 + bucket, *rest) == (key, loss, at or 0.0, 1)


def _in_time(events):
    times = sorted(each[3] for each in events)
    return [(each, at, each[4]) for each, at in zip(events, times, strict=True)]


def test_the_costliest_stays_for_a_minute():
    """A cheaper one replaces it only when it is old, a costlier one at once."""
    kept = Exemplars(buckets=1)
    for loss, at, name in [
        (5, 100, "a"),
        (4, 159, "b"),
        (6, 159, "c"),
        (1, 218, "d"),
        (1, 219, "e"),
    ]:
        kept.add(*map(np.array, ([0], [0], [float(loss)], [float(at)])), [name])
        assert kept.held[0].prediction_id == {"b": "a", "d": "c"}.get(name, name)


def test_there_are_not_too_many(monkeypatch):
    """The one that was set longest ago makes room; memory is bounded whatever the segments."""
    monkeypatch.setattr(exemplars, "_MOST", 5)
    kept = Exemplars(buckets=1, most=5)
    for slot in [0, 1, 2, 0, 3, 4, 5]:
        kept.add(*map(np.array, ([slot], [0], [1.0 + len(kept.held)], [9.0])), [str(slot)])
    assert list(kept.held) == [2, 0, 3, 4, 5]


def test_off_there_are_none():
    """Without being asked a monitor remembers no id at all."""
    monitor = Monitor("m")
    complete(monitor, "a", 2.0, 1.7e9)
    assert monitor.snapshot().outputs[""].exemplars == {}
    assert shown(monitor) == {}


def test_only_events_with_an_id_have_one():
    """Events without an id, of weight 0, with one too long, or refused leave no trace."""
    monitor = Monitor("m", buckets=(1.0, 10.0), exemplars=True)
    monitor.update(0.0, 3.0, at=1.7e9)
    complete(monitor, "nothing", 3.0, 1.7e9, w=0.0)
    complete(monitor, "x" * (LONGEST + 1), 3.0, 1.7e9)
    complete(monitor, "huge", 1e200, 1.7e9)
    monitor.predicted("waits", 3.0, at=1.7e9)
    assert shown(monitor) == {}
    complete(monitor, "x" * LONGEST, 2.0, 1.7e9)
    assert shown(monitor) == {1: "x" * LONGEST}


def test_a_revision_changes_none():
    """As the counters it is of the first truth."""
    monitor = Monitor("m", exemplars=True)
    complete(monitor, "a", 2.0, 1.7e9)
    before = shown(monitor)
    monitor.observed("a", 100.0, at=1.7e9 + 1)
    monitor.snapshot()
    assert shown(monitor) == before
    assert monitor.snapshot().pooled.mse == 98.0**2


def test_outputs_and_segments_have_their_own():
    """An event is an exemplar in the bucket of each output, of its segment only."""
    monitor = Monitor(
        "m", outputs=("a", "b"), buckets=(1.0,), segments=Segments(("city",)), exemplars=True
    )
    for name, city in (("1", "oslo"), ("2", "rome"), ("3", None)):
        monitor.predicted(name, {"a": 0.5, "b": 5.0}, segment={"city": city}, at=1.7e9)
        monitor.observed(name, {"a": 0.0, "b": 0.0}, at=1.7e9)
    names = [segment.get("city") for segment in monitor.snapshot().segments[1:]]
    for row, name in ((names.index("oslo"), "1"), (names.index("rome"), "2"), (1, "3")):
        assert shown(monitor, "a", row) == {0: name}
        assert shown(monitor, "b", row) == {1: name}
    assert shown(monitor, "a", 0) == {}  # those beyond the limit


def test_a_retired_segment_takes_its_own_along():
    """The segment that gets its slot shows nothing of it."""
    join, segments = Join(retention=0.0, ttl=1.0), Segments(("city",), limit=1, idle=10.0)
    monitor = Monitor("m", segments=segments, join=join, exemplars=True)
    complete(monitor, "a", 2.0, 1.7e9, segment={"city": "oslo"})
    assert list(shown(monitor, segment=2).values()) == ["a"]
    monitor.update(0.0, 2.0, segment={"city": "rome"}, at=1.7e9 + 1000)
    snapshot = monitor.snapshot()
    assert snapshot.segments[3] == {"city": "rome"}
    assert snapshot.outputs[""].exemplars == {}


@pytest.mark.parametrize("switched", [(True, True), (True, False), (False, True)])
def test_a_restart_begins_without_and_goes_on(switched):
    """They are no part of the state: it is the same with them and without."""
    first = Monitor("m", exemplars=switched[0], windows=["5m"])
    complete(first, "a", 2.0, 1.7e9)
    again = Monitor("m", exemplars=switched[1], windows=["5m"])
    again.load(first.dump())
    assert shown(again) == {}
    assert again.snapshot().pooled == first.snapshot().pooled
    complete(again, "b", 3.0, 1.7e9 + 1)
    assert list(shown(again).values()) == (["b"] if switched[1] else [])


def test_what_is_remembered_is_of_the_moment_of_the_snapshot():
    """Events that come later do not change a snapshot."""
    monitor = Monitor("m", exemplars=True, buckets=(1.0,))
    complete(monitor, "a", 2.0, 1.7e9)
    snapshot = monitor.snapshot()
    complete(monitor, "b", 3.0, 1.7e9)
    monitor.snapshot()
    found = snapshot.outputs[""].exemplars_of(snapshot.counted_rows)
    assert found == {0: {1: Exemplar("a", 4.0, 1.7e9)}}


def test_without_a_clock_there_is_no_time():
    """Where nobody tells what time it is the exemplar has none."""
    monitor = Monitor("m", exemplars=True, buckets=(1.0,))
    complete(monitor, "a", 2.0, None)
    assert list(monitor.snapshot().outputs[""].exemplars.values()) == [Exemplar("a", 4.0, None)]


def test_an_id_that_nobody_can_encode_is_not_shown():
    """Half of a surrogate pair, as Python callers may pass it, leaves the page whole."""
    monitor = Monitor("m", buckets=(1.0, 100.0), exemplars=True)
    for name in ("\udcff", "ordinær"):
        complete(monitor, name, 9.0 if name.isprintable() else 10.0, at=100.0)
    assert shown(monitor) == {1: "ordinær"}
