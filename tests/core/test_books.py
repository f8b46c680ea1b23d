"""However events come into a monitor, its windows and segments hold the same."""

import random
from typing import NamedTuple

import pytest
from exactly import (
    Entry,
    check,
    halved_by_count,
    halved_by_time,
    in_panes,
    latest,
    too_old_for_panes,
    younger,
)

from losswatch import Monitor
from losswatch.core import books
from losswatch.core.segments import Segments

WINDOWS = (
    {"last": "20s", "panes": 5},
    {"last": "15s", "exact": True},
    {"tumbling": "30s"},
    {"events": 7},
    {"half_life": "4s"},
    {"half_life": "3 events"},
)
CITIES = ("oslo", "rome", "lima", None)
FORMS = ("day", "night")


class Sent(NamedTuple):
    y_true: float
    y_pred: float
    w: float
    segment: dict
    time: float
    at: float | None


def stream(seed: int, n: int, *, arrival: bool) -> list[Sent]:
    """Return events; with ``arrival`` those that come together share our clock."""
    rng = random.Random(seed)
    sent, now, at = [], 1e6, 1e6
    for k in range(n):
        now += rng.expovariate(1)
        if rng.random() < 0.02:
            now += rng.choice((5.0, 30.0, 200.0))
        if k % 10 == 0:
            at = now + rng.gauss(0, 5)
        time = now - rng.choice((0.0, 0.0, rng.expovariate(0.05)))
        if arrival and rng.random() < 0.05:
            time = at + rng.uniform(0, 300)
        y_true = rng.gauss(10, 3)
        y_pred = y_true + rng.gauss(0, 1) * rng.choice((1.0, 1.0, 1.0, 1e-3, 1e9, 1e99))
        w = rng.choice((1.0, 1.0, 1.0, 0.0, 0.25, rng.expovariate(1)))
        segment = {"city": rng.choice(CITIES), "form": rng.choice(FORMS), "more": "x"}
        sent.append(Sent(y_true, y_pred, w, segment, time, at if arrival else None))
    return sent


def one_by_one(monitor: Monitor, events: list[Sent]) -> None:
    for y_true, y_pred, w, segment, time, at in events:
        monitor.update(y_true, y_pred, w, segment=segment, time=time, at=at)


def in_columns(monitor: Monitor, events: list[Sent]) -> None:
    if events:
        y_true, y_pred, w, segments, time, _ = zip(*events, strict=True)
        weights = None if set(w) == {1.0} else w
        segment = {label: [s[label] for s in segments] for label in ("city", "form")}
        kind = {"segment": segment, "time": time, "at": events[0].at}
        assert monitor.update_many(y_true, y_pred, weights, **kind) == []


def parts(events: list[Sent], rng: random.Random, most: int):
    """Cut a stream; one batch has one clock."""
    start = 0
    while start < len(events):
        stop = min(start + rng.randint(1, most), len(events))
        while any(event.at != events[start].at for event in events[start:stop]):
            stop -= 1
        yield events[start:stop]
        start = stop


def monitors(count: int) -> list[Monitor]:
    segments = Segments(("city", "form"))
    return [Monitor("m", windows=WINDOWS, segments=segments) for _ in range(count)]


def check_against(snapshot, events: list[Sent]) -> None:
    """Check every window and segment of a snapshot against the events themselves."""
    names = list(snapshot.segments)
    now = 0.0
    history = []
    for y_true, y_pred, w, segment, time, at in events:
        if not w:
            continue
        now = max(now, time if at is None else at)
        labels = {"city": segment["city"], "form": segment["form"]}
        row = 2 if None in labels.values() else names.index(labels)
        history.append(Entry(row, y_true - y_pred, y_true, w, time, now))
    each = [history, *([e for e in history if e.slot == row] for row in range(1, len(names)))]
    long = {"20s": lambda e: in_panes(e, now, 20.0, 5), "15s": lambda e: younger(e, now, 15.0)}
    long |= {
        "tumbling 30s": lambda e: in_panes(e, now, 30.0, 1),
        "7 events": lambda e: latest(e, 7),
    }
    long |= {"lifetime": lambda e: latest(e, 10**9)}
    for window, held in long.items():
        check(snapshot.readings[window], [held(entries) for entries in each], note=window)
    halves = {"half-life 4s": lambda e: halved_by_time(e, now, 4.0)}
    halves |= {"half-life 3 events": lambda e: halved_by_count(e, 3)}
    for window, held in halves.items():
        check(snapshot.readings[window], [held(entries) for entries in each], note=window)
    assert snapshot.late == {
        "20s": too_old_for_panes(history, 20.0, 5),
        "15s": sum(e.time <= e.clock - 15.0 for e in history),
        "tumbling 30s": too_old_for_panes(history, 30.0, 1),
        "7 events": 0,
        "half-life 4s": too_old_for_panes(history, 4.0 * 32, 32),
        "half-life 3 events": 0,
    }


@pytest.mark.parametrize("arrival", [False, True], ids=["at their own time", "at our clock"])
@pytest.mark.parametrize("seed", range(6))
def test_one_by_one_and_in_batches_is_the_same_and_exact(monkeypatch, seed, arrival):
    """Single events, columns of any length and both mixed give equal, exact snapshots."""
    monkeypatch.setattr("losswatch.core.monitor.FULL", 6 * (seed * 7 + 1))
    events, rng = stream(seed, 200, arrival=arrival), random.Random(seed)
    singles, columns, mixed = monitors(3)
    for start, stop in ((0, 90), (90, 200)):
        part = events[start:stop]
        one_by_one(singles, part)
        for batch in parts(part, rng, 40):
            in_columns(columns, batch)
        for batch in parts(part, rng, 9):
            rng.choice((one_by_one, in_columns))(mixed, batch)
        snapshots = [monitor.snapshot() for monitor in (singles, columns, mixed)]
        for snapshot in snapshots[1:]:
            assert snapshot.segments == snapshots[0].segments
            assert snapshot.outputs == snapshots[0].outputs
            assert snapshot == snapshots[0]
        check_against(snapshots[0], events[:stop])


@pytest.mark.parametrize("seed", range(3))
def test_the_total_is_the_sum_of_its_segments(seed):
    """In the lifetime and in windows of time, to the last bit."""
    (monitor,) = monitors(1)
    in_columns(monitor, stream(seed, 150, arrival=False))
    snapshot = monitor.snapshot()
    rows = snapshot.counted_rows
    assert list(rows) == list(range(1, len(snapshot.segments)))
    for window in ("lifetime", "20s", "15s", "tumbling 30s", "half-life 4s"):
        reading = snapshot.readings[window]
        total = reading.cell(rows[0])
        for row in rows[1:]:
            total.merge(reading.cell(row))
        assert total == reading.cell(0), window


def test_the_histogram_of_the_total_is_the_sum_of_its_segments():
    """Its buckets count all events, as its sum does."""
    (monitor,) = monitors(1)
    in_columns(monitor, stream(1, 150, arrival=False))
    snapshot = monitor.snapshot()
    counts = snapshot.outputs[""].counts
    assert counts[1:].sum(axis=0).tolist() == counts[0].tolist()
    assert snapshot.outputs[""].histogram(0).count == snapshot.pooled.n


def test_more_events_than_are_summed_at_once_are_the_same(monkeypatch):
    """A long column is entered in parts, each with its own clock."""
    events = stream(3, 150, arrival=False)
    whole, cut = monitors(2)
    in_columns(whole, events)
    monkeypatch.setattr(books, "AT_ONCE", 16)
    in_columns(cut, events)
    assert whole.snapshot() == cut.snapshot()


def test_singles_wait_until_someone_reads():
    """What waits is entered before columns and before a reading, in its order."""
    (monitor,) = monitors(1)
    events = stream(4, 30, arrival=False)
    one_by_one(monitor, events[:10])
    assert monitor._books.pending[""]
    in_columns(monitor, events[10:20])
    assert not monitor._books.pending[""]
    one_by_one(monitor, events[20:])
    check_against(monitor.snapshot(), events)
    assert not monitor._books.pending[""]


def test_what_waits_is_entered_when_it_is_much(monkeypatch):
    """Memory of events that nobody reads is bounded, for one output and for several."""
    monkeypatch.setattr("losswatch.core.monitor.FULL", 60)
    one, two = Monitor("m"), Monitor("m", outputs=("a", "b"))
    for _ in range(95):
        one.update(1.0, 2.0)
        two.update({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0})
        assert len(one._books.pending[""]) < 60
        assert len(two._books.pending["a"]) == len(two._books.pending["b"]) < 60
    assert one.snapshot().pooled.n == 95
    assert two.snapshot().pooled.n == 190


def test_outputs_have_windows_and_segments_of_their_own():
    """Each output reads as a monitor of its own; together they are one stream."""
    events = stream(5, 60, arrival=False)
    kind = {"windows": WINDOWS, "segments": Segments(("city", "form"))}
    both = Monitor("m", outputs=("a", "b"), **kind)
    alone = {"a": Monitor("a", **kind), "b": Monitor("b", **kind)}
    for y_true, y_pred, w, segment, time, _ in events:
        told = {"segment": segment, "time": time}
        both.update({"a": y_true, "b": y_pred}, {"a": y_pred, "b": 1.0}, w, **told)
        alone["a"].update(y_true, y_pred, w, **told)
        alone["b"].update(y_pred, 1.0, w, **told)
    snapshot = both.snapshot()
    a, b = (alone[output].snapshot() for output in ("a", "b"))
    assert snapshot.segments == a.segments
    assert snapshot.outputs == {"a": a.outputs[""], "b": b.outputs[""]}
    assert snapshot.late == a.late == b.late
    for window in snapshot.windows:
        assert snapshot.readings[window] == a.readings[window].plus(b.readings[window])
        weights = snapshot.readings[window].weight
        assert weights.tolist() == (2 * a.readings[window].weight).tolist()
    assert snapshot.cost("a").mse == a.cost("").mse


def test_histogram_sums_are_those_of_losses_without_weights():
    """In every row, also when weights came late and segments had weights before."""
    (monitor,) = monitors(1)
    oslo, rome = ({"city": city, "form": "day"} for city in ("oslo", "rome"))
    for segment, y_pred, w in ((oslo, 1.0, None), (rome, 2.0, 5.0), (oslo, 4.0, 0.5)):
        monitor.update(0.0, y_pred, w, segment=segment, time=1.0)
    output = monitor.snapshot().outputs[""]
    losses = [output.histogram(row) for row in (3, 4)]
    assert [(h.count, h.sum) for h in losses] == [(2, 17.0), (1, 4.0)]
    assert output.plain.loss[0] == 21.0


def test_the_dummy_predicts_the_mean_of_the_lifetime():
    """The ratio of a window compares with the mean target of all events before, too."""
    monitor = Monitor("m", windows=[{"events": 2}])
    for y_true, error in ((0.0, 9.0), (0.0, 9.0), (8.0, 1.0), (4.0, 1.0)):
        monitor.update(y_true, y_true - error)
    output = monitor.snapshot().outputs[""]
    assert output.dummy_ratio("2 events").tolist() == [(2 / (25 + 1)) ** 0.5]
