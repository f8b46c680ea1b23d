"""Segments get a cost of their own up to a limit, and give it back when they are idle."""

import math

import numpy as np
import pytest
from splitting import NONE, OTHER, counts, send, watched, ways

from losswatch import Monitor, Reason, RejectedEvent
from losswatch.core.segments import Segments


@ways
def test_segments_beyond_the_limit_count_together(columns):
    """The first ones have their own row; events of the others are counted as overflowed."""
    monitor = watched(limit=2)
    for city in ("a", "b", "c", "a", "d", "c"):
        send(monitor, city, 1.0, columns=columns)
    wanted = {(): 6, ("other",): 3, ("none",): 0, ("a",): 2, ("b",): 1}
    assert counts(monitor) == counts(monitor, "10s") == wanted
    snapshot = monitor.snapshot()
    assert snapshot.overflowed == 3
    assert snapshot.segments == ({}, OTHER, NONE, {"city": "a"}, {"city": "b"})


@ways
def test_events_without_the_label_count_together(columns):
    """A missing label, a missing mapping and None are no segment; nothing overflows."""
    monitor = watched(limit=1)
    send(monitor, None, 1.0, columns=columns)
    if columns:
        assert monitor.update_many([0.0], [1.0], time=[1.0]) == []
        assert monitor.update_many([0.0], [1.0], segment={"shop": ["a"]}, time=[1.0]) == []
    else:
        monitor.update(0.0, 1.0, time=1.0)
        monitor.update(0.0, 1.0, segment={"shop": "a"}, time=1.0)
    assert counts(monitor) == {(): 3, ("other",): 0, ("none",): 3}
    assert monitor.snapshot().overflowed == 0


def test_every_label_is_needed():
    """With two labels a segment has both; with one of them it is none."""
    monitor = watched(("city", "form"))
    for segment in ({"city": "a", "form": "x"}, {"city": "a"}, {"form": "x"}, {}, None):
        monitor.update(0.0, 1.0, segment=segment, time=1.0)
    columns = {"form": ["x", None, "y"], "city": np.array(["a", "a", "a"])}
    assert monitor.update_many([0.0] * 3, [1.0] * 3, segment=columns, time=[1.0] * 3) == []
    wanted = {(): 8, ("other",): 0, ("none",): 5, ("a", "x"): 2, ("a", "y"): 1}
    assert counts(monitor) == wanted
    assert monitor.snapshot().segments[3] == {"city": "a", "form": "x"}


def test_declared_segments_are_there_from_the_start_and_stay():
    """They read 0 events before the first, and are never retired."""
    declared = ({"city": "b"}, {"city": "a"})
    monitor = watched(declared=declared, idle=10.0, limit=3)
    assert monitor.snapshot().segments == ({}, OTHER, NONE, *declared)
    assert counts(monitor) == {(): 0, ("other",): 0, ("none",): 0, ("b",): 0, ("a",): 0}
    send(monitor, "a", 5.0)
    send(monitor, "c", 5.0)
    monitor.snapshot(1e6)
    wanted = {(): 2, ("other",): 0, ("none",): 0, ("b",): 0, ("a",): 1}
    assert counts(monitor) == wanted
    assert math.isnan(monitor.snapshot().readings["lifetime"].mse[3])


def test_a_whole_number_is_the_segment_of_its_digits():
    """12 and "12" are one; so are a column of numbers and one of text."""
    monitor = watched()
    for city in (12, "12", np.str_("12")):
        monitor.update(0.0, 1.0, segment={"city": city}, time=1.0)
    for column in ([12, "12"], np.array([12, 12]), np.array(["12", "12"])):
        assert not monitor.update_many([0.0] * 2, [1.0] * 2, segment={"city": column}, time=[1, 1])
    assert counts(monitor) == {(): 9, ("other",): 0, ("none",): 0, ("12",): 9}


BAD = ["", "a\n", "\ud800", "x" * 129, 1.5, True, ["a"], {"a": 1}, math.nan, b"a", 10**200, ("a",)]


@pytest.mark.parametrize("value", BAD, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("labels", [("city",), ("city", "form")], ids=len)
def test_labels_that_cannot_be_used_are_refused_and_counted(value, labels):
    """One by one and with its place in columns; no segment is made, the others count."""
    monitor = watched(labels, limit=1)
    told = {"time": 1.0, "segment": {"city": value, "form": "x"}}
    with pytest.raises(RejectedEvent, match=r"segment\.city ") as refusal:
        monitor.update(0.0, 1.0, **told)
    assert refusal.value.reason is Reason.INVALID_SEGMENT
    columns = {"city": ["a", value, None], "form": ["x"] * 3}
    rejected = monitor.update_many([0.0] * 3, [1.0] * 3, segment=columns, time=[1.0] * 3)
    assert [(r.index, r.reason) for r in rejected] == [(1, Reason.INVALID_SEGMENT)]
    name = ("a", "x")[: len(labels)]
    assert counts(monitor) == {(): 2, ("other",): 0, ("none",): 1, name: 1}
    assert monitor.snapshot().rejected == {Reason.INVALID_SEGMENT: 2}
    assert monitor.snapshot().overflowed == 0


@pytest.mark.parametrize("segment", ["oslo", ["oslo"], 5])
def test_a_segment_that_is_no_mapping_is_refused(segment):
    """Text is not a label set."""
    monitor = watched()
    with pytest.raises(RejectedEvent, match="must be a mapping of labels") as refusal:
        monitor.update(0.0, 1.0, segment=segment, time=1.0)
    assert refusal.value.reason is Reason.INVALID_SEGMENT
    assert counts(monitor)[()] == 0


def test_a_column_of_labels_of_another_length_is_refused():
    """Nothing is counted, and no segment is made."""
    monitor = watched(("city", "form"))
    for segment in ({"city": ["a"]}, {"city": ["a", "b"], "form": np.array(["x"] * 3)}):
        with pytest.raises(RejectedEvent, match="events; must have 2") as refusal:
            monitor.update_many([0.0] * 2, [1.0] * 2, segment=segment, time=[1.0] * 2)
        assert refusal.value.reason is Reason.WRONG_TYPE
    assert monitor.snapshot().segments == ({}, OTHER, NONE)
    assert monitor.snapshot().rejected == {}


@pytest.mark.parametrize("segment", [["a"], "a", {"city": None}, {"city": 5}, {"city": "a"}])
def test_columns_of_labels_that_are_none_are_refused(segment):
    """What is no column of labels is refused as a wrong type, as other columns are."""
    monitor = watched()
    with pytest.raises(RejectedEvent):
        monitor.update_many([0.0], [1.0], segment=segment, time=[1.0])


@ways
def test_refused_events_and_those_of_weight_zero_make_no_segment(columns):
    """Neither takes one of the few places."""
    monitor = watched(limit=1)
    if columns:
        segment = {"city": ["a", "b", "c", "d", "e"]}
        y_true, w = [math.nan, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, -1.0, 1.0, 1.0]
        time = [1.0, 1.0, 1.0, -1.0, 1.0]
        monitor.update_many(y_true, [1.0] * 5, w, segment=segment, time=time)
    else:
        for city, y_true, w, time in (("a", math.nan, 1, 1), ("c", 0, -1, 1), ("d", 0, 1, -1)):
            with pytest.raises(RejectedEvent):
                monitor.update(y_true, 1.0, w, segment={"city": city}, time=time)
        monitor.update(0.0, 1.0, 0.0, segment={"city": "b"}, time=1.0)
        monitor.update(0.0, 1.0, 0.0, segment={"city": ["not looked at"]}, time=1.0)
        send(monitor, "e", 1.0)
    assert counts(monitor) == {(): 1, ("other",): 0, ("none",): 0, ("e",): 1}
    assert monitor.snapshot().overflowed == 0


@pytest.mark.parametrize("label", ["model", "le", "1a", "__a", "a-b", "", "ä", 5])
def test_labels_that_metrics_cannot_have_are_refused(label):
    """A name is letters, digits and _, and not one that the metrics use."""
    with pytest.raises(ValueError, match=r"must be letters, digits and _|rename it with fields"):
        Monitor("m", segments=Segments((label,)))


def test_many_segments_have_a_row_each():
    """Slots grow as segments come, and every one keeps what it had."""
    monitor = watched(limit=3000, windows=("10s", {"events": 2}, {"half_life": "1h"}))
    for start in range(0, 3000, 600):
        cities = [f"c{k}" for k in range(start, start + 600)] + ["c0"]
        errors = [float(k) for k in range(start, start + 600)] + [0.0]
        zeros = [0.0] * 601
        monitor.update_many(zeros, errors, segment={"city": cities}, time=zeros)
    snapshot = monitor.snapshot()
    assert len(snapshot.segments) == 3003
    assert snapshot.segments[2999] == {"city": "c2996"}
    for window in snapshot.windows:
        reading = snapshot.readings[window]
        assert reading.mse[4:].tolist() == [float(k) ** 2 for k in range(1, 3000)]
    assert snapshot.readings["lifetime"].n[:4].tolist() == [3005, 0, 0, 6]
