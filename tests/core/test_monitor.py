"""A monitor counts every event once, and its readings are consistent."""

import math
import threading
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from streams import STREAMS, Event, events, reading, same, truth

from losswatch import Monitor, Reason, RejectedEvent


def test_single_events_and_columns_agree():
    """The same events give the same snapshot either way."""
    stream = STREAMS["weighted"] + STREAMS["zero weights"]
    one, many = Monitor("m"), Monitor("m")
    for event in stream:
        one.update(*event, at=5.0)
    y_true, y_pred, w = (np.array(column) for column in zip(*stream, strict=True))
    assert many.update_many(y_true, y_pred, w, at=5.0) == []
    assert one.snapshot().outputs == many.snapshot().outputs
    assert same(reading(one.snapshot().pooled), truth(stream))


@given(events)
def test_the_histogram_counts_the_same_events(stream):
    """Its count is n and, where weights are 1, its sum is Σ loss."""
    monitor = Monitor("m")
    for y_true, y_pred, _ in stream:
        monitor.update(y_true, y_pred)
    snapshot = monitor.snapshot()
    losses, cost = snapshot.outputs[""].histogram(0), snapshot.cost("")
    assert losses.count == cost.n == len(stream)
    assert losses.sum == cost.loss


def test_refused_events_are_counted_by_reason_and_change_nothing():
    """Bad events raise after they were counted; the good ones stay as they were."""
    monitor = Monitor("m")
    monitor.update(1.0, 3.0, at=1.0)
    for bad in ((math.nan, 1.0), (1e200, 0.0), (1.0, 2.0, -1.0), ("1", 1.0), (math.inf, 1.0)):
        with pytest.raises(RejectedEvent):
            monitor.update(*bad, at=2.0)
    snapshot = monitor.snapshot()
    assert snapshot.rejected == {
        Reason.NOT_FINITE: 2,
        Reason.OVERFLOW: 1,
        Reason.NEGATIVE_WEIGHT: 1,
        Reason.WRONG_TYPE: 1,
    }
    assert snapshot.pooled.n == snapshot.outputs[""].histogram(0).count == 1
    assert snapshot.last_event == 1.0


def test_columns_keep_the_good_events():
    """The refused ones come back with their places; the others count."""
    monitor = Monitor("m")
    rejected = monitor.update_many(
        [1.0, math.nan, 3.0, 1e200, 5.0, 6.0], [2.0, 2.0, 2.0, 0.0, 2.0, 2.0], [1, 1, -1, 1, 0, 2]
    )
    assert [(r.index, r.reason) for r in rejected] == [
        (1, Reason.NOT_FINITE),
        (2, Reason.NEGATIVE_WEIGHT),
        (3, Reason.OVERFLOW),
    ]
    wanted = truth([Event(1.0, 2.0), Event(6.0, 2.0, 2)])
    assert same(reading(monitor.snapshot().pooled), wanted)
    assert monitor.snapshot().outputs[""].histogram(0).sum == 17.0


def test_several_outputs_count_together():
    """Each output has its cost; an event that is no dict of outputs is refused."""
    monitor = Monitor("m", outputs=("lat", "lon"))
    losses = monitor.update({"lat": 1.0, "lon": 2.0}, {"lat": 2.0, "lon": 5.0})
    assert losses == {"lat": 1.0, "lon": 9.0}
    for bad in ((1.0, 2.0), ({"lat": 1.0}, {"lat": 1.0})):
        with pytest.raises(RejectedEvent):
            monitor.update(*bad)
    with pytest.raises(RejectedEvent, match="one by one"):
        monitor.update_many([1.0], [2.0])
    snapshot = monitor.snapshot()
    assert snapshot.outputs["lon"].histogram(0).sum == 9.0
    assert snapshot.pooled.mse == 5.0
    assert snapshot.rejected == {Reason.WRONG_TYPE: 1, Reason.OUTPUTS_DIFFER: 1}


def test_snapshots_are_consistent_while_threads_write():
    """Under four writers every snapshot has n, sums and buckets of the same events."""
    monitor = Monitor("m", buckets=(1.0,))
    stop = threading.Event()
    errors = []

    def write(y_pred):
        for _ in range(5000):
            monitor.update(0.0, y_pred)
            monitor.update_many([0.0] * 3, [y_pred] * 3)

    def read():
        while not stop.is_set():
            snapshot = monitor.snapshot()
            losses, cost = snapshot.outputs[""].histogram(0), snapshot.cost("")
            if not (cost.n == losses.count and cost.loss == losses.sum):
                errors.append(snapshot)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(float(k),)) for k in range(1, 5)]
    reader.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert errors == []
    snapshot = monitor.snapshot()
    assert snapshot.pooled.n == 4 * 5000 * 4
    assert snapshot.pooled.mse == (1 + 4 + 9 + 16) / 4


@pytest.mark.parametrize(
    ("model", "outputs"), [(7, ()), ("", ()), ("\ud800", ()), ("m", ("",)), ("m", (0, 1))], ids=str
)
def test_names_are_text(model, outputs):
    """A label that is no text would break the page for every model."""
    with pytest.raises(RejectedEvent, match="must be text, and not empty"):
        Monitor(model, outputs=outputs)


def test_an_event_of_weight_zero_is_no_last_event():
    """It changes nothing, one by one and in columns."""
    monitor = Monitor("m")
    monitor.update(1.0, 2.0, 0.0, at=5.0)
    monitor.update_many([1.0], [2.0], [0.0], at=6.0)
    assert monitor.snapshot().last_event is None


def test_a_weight_is_converted_once():
    """A weight that is 0 as float64 changes nothing, also in the histogram."""
    monitor = Monitor("m")
    monitor.update(1.0, 2.0, Decimal("1e-400"), at=5.0)
    snapshot = monitor.snapshot()
    assert (snapshot.pooled.n, snapshot.outputs[""].histogram(0).count) == (0, 0)
    assert snapshot.last_event is None


def test_columns_of_objects_are_treated_as_columns_of_floats():
    """A NaN in a list with other types is one refused event too."""
    monitor = Monitor("m")
    column = np.array([1.0, math.nan, 10**400, Decimal(3)], dtype=object)
    rejected = monitor.update_many(column, [2.0, 2.0, 2.0, 2.0])
    assert [(r.index, r.reason) for r in rejected] == [
        (1, Reason.NOT_FINITE),
        (2, Reason.NOT_FINITE),
    ]
    assert monitor.snapshot().pooled.n == 2
