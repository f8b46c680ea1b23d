"""Events find the monitor of their model, and none is lost unseen."""

import math

import pytest

from losswatch import Monitor, Reason, RejectedEvent
from losswatch.core.events import Event, EventColumns
from losswatch.core.monitors import Monitors


def columns(*rows) -> EventColumns:
    return EventColumns.of([Event(*row, line) for line, row in enumerate(rows, start=1)])


def take(monitors, event: Event) -> RejectedEvent | None:
    """Return the refusal of an event given as what it is, if it is refused."""
    return next(iter(monitors.take(events=[event]).rejected), None)


def test_columns_are_split_by_model():
    """Each model gets its own events; refusals come back with their lines."""
    monitors = Monitors([Monitor("a"), Monitor("b")])
    rejected = monitors.take(
        columns(
            ("a", 1.0, 2.0, 1.0),
            ("b", 1.0, 4.0, 1.0),
            ("c", 1.0, 2.0, 1.0),
            ("a", 1.0, 2.0, -1.0),
            (None, 1.0, 2.0, 1.0),
            ("a", 1.0, 6.0, 1.0),
        )
    ).rejected
    assert sorted((r.index, r.reason) for r in rejected) == [
        (3, Reason.UNKNOWN_MODEL),
        (4, Reason.NEGATIVE_WEIGHT),
        (5, Reason.MISSING_FIELD),
    ]
    a, b = monitors.snapshot().monitors
    assert (a.pooled.mse, a.rejected) == (13.0, {Reason.NEGATIVE_WEIGHT: 1})
    assert (b.pooled.mse, b.rejected) == (9.0, {})
    assert monitors.snapshot().rejected == {Reason.UNKNOWN_MODEL: 1, Reason.MISSING_FIELD: 1}
    assert monitors.snapshot().events == 3
    assert monitors.snapshot().all_rejected.total() == 3


def test_the_only_monitor_takes_events_without_a_model():
    """With one model declared nobody needs to name it."""
    monitors = Monitors([Monitor("eta")])
    assert monitors.take(columns((None, 1.0, 2.0, 1.0))).rejected == []
    assert take(monitors, Event(None, 1.0, 4.0, 1.0, 2)) is None
    assert monitors.snapshot().monitors[0].pooled.mse == 5.0


def test_unknown_models_are_made_where_that_is_wanted():
    """With ``make`` every model gets a monitor, also one with outputs."""
    monitors = Monitors(make=lambda model, outputs: Monitor(model, outputs=outputs))
    monitors.take(columns((None, 1.0, 2.0, 1.0), ("x", 1.0, 3.0, 1.0)))
    take(monitors, Event("y", {"p": 1.0, "q": 1.0}, {"p": 1.0, "q": 3.0}, 1.0, 3))
    read = {m.model: m.pooled.mse for m in monitors.snapshot().monitors}
    assert read == {"default": 1.0, "x": 4.0, "y": 2.0}


def test_events_that_do_not_fit_the_outputs_are_refused():
    """Plain numbers for a model with outputs, and the reverse, are counted as refused."""
    monitors = Monitors([Monitor("single"), Monitor("double", outputs=("p", "q"))])
    rejected = monitors.take(columns(("double", 1.0, 2.0, 1.0), ("double", 1.0, 2.0, 1.0))).rejected
    assert [(r.index, r.reason) for r in rejected] == [
        (1, Reason.WRONG_TYPE),
        (2, Reason.WRONG_TYPE),
    ]
    rejection = take(monitors, Event("single", {"p": 1.0}, {"p": 2.0}, 1.0, 7))
    assert rejection is not None
    assert (rejection.index, rejection.reason) == (7, Reason.WRONG_TYPE)
    assert monitors.snapshot().all_rejected == {Reason.WRONG_TYPE: 3}


def test_nothing_is_raised_for_an_event_of_an_unknown_model():
    """The refusal comes back with the line and is counted without a model."""
    monitors = Monitors([Monitor("a")])
    rejection = take(monitors, Event("z", 1.0, 2.0, 1.0, 9))
    assert rejection is not None
    assert rejection.index == 9
    assert "no monitor for model 'z'; declared: a" in str(rejection)
    assert monitors.snapshot().rejected == {Reason.UNKNOWN_MODEL: 1}
    with pytest.raises(RejectedEvent):
        monitors.find("z")


def test_weights_of_one_are_recognised():
    """Columns whose weights are all 1 take the fast way; others keep them."""
    assert columns((None, 1.0, 2.0, 1.0)).weights() is None
    assert columns((None, 1.0, 2.0, 1.0), (None, 1.0, 2.0, 0.5)).weights() == (1.0, 0.5)
    assert len(EventColumns()) == 0
    assert list(EventColumns().by_model()) == []


def test_nan_in_columns_is_refused():
    """A NaN that reached the core is refused there, with its line."""
    monitors = Monitors([Monitor("a")])
    (rejection,) = monitors.take(columns(("a", 1.0, 2.0, 1.0), ("a", math.nan, 2.0, 1.0))).rejected
    assert (rejection.index, rejection.reason) == (2, Reason.NOT_FINITE)


def test_refusals_count_for_their_model_where_it_is_known():
    """A known model, or the only one, gets the count; an unknown one gets none."""
    several = Monitors([Monitor("a"), Monitor("b")])
    for model in ("b", "z", None):
        several.reject(Reason.INVALID_CSV, model=model)
    assert several.snapshot().monitors[1].rejected == {Reason.INVALID_CSV: 1}
    assert several.snapshot().rejected == {Reason.INVALID_CSV: 2}
    single = Monitors([Monitor("a")])
    single.reject(Reason.EMPTY_LINE)
    assert single.snapshot().monitors[0].rejected == {Reason.EMPTY_LINE: 1}


def test_two_monitors_of_one_model_are_an_error():
    """The events of the first would be lost without a word."""
    with pytest.raises(ValueError, match="two monitors for model 'a'; keep one"):
        Monitors([Monitor("a"), Monitor("a")])


def test_what_is_no_monitor_is_told_at_once():
    with pytest.raises(TypeError, match=r"^'eta' is no monitor; make one: losswatch.Monitor"):
        Monitors(["eta"])


def test_a_refused_event_does_not_make_a_monitor():
    """What outputs a model has is decided by its first good event, whatever came before."""
    monitors = Monitors(make=lambda model, outputs: Monitor(model, outputs=outputs))
    bad = Event("m", {"a": 1.0}, {"a": 1.0, "b": 2.0}, 1.0, 1)
    assert take(monitors, bad) is not None
    assert len(monitors.take(columns(("m", 1.0, 2.0, -1.0))).rejected) == 1
    assert take(monitors, Event("m", {"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 3.0}, 1.0, 3)) is None
    (snapshot,) = monitors.snapshot().monitors
    assert snapshot.pooled.n == 2
    assert monitors.snapshot().rejected == {Reason.OUTPUTS_DIFFER: 1, Reason.NEGATIVE_WEIGHT: 1}
