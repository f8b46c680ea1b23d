"""Events as columns keep their times and segments, also by model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from losswatch.core.events import Event, EventColumns

events = st.builds(
    Event,
    model=st.sampled_from([None, "a", "b"]),
    y_true=st.floats(-5, 5),
    y_pred=st.floats(-5, 5),
    w=st.just(1.0),
    line=st.integers(0, 99),
    time=st.none() | st.floats(0, 9),
    segment=st.fixed_dictionaries({"city": st.sampled_from([None, "oslo", "rome"])}),
)


def rows_of(columns, model):
    times = columns.time or [None] * len(columns)
    cities = columns.segment.get("city", ())
    rows = zip(columns.y_true, columns.y_pred, columns.w, columns.line, times, cities, strict=True)
    return [Event(model, *row[:-1], {"city": row[-1]}) for row in rows]


@given(st.lists(events, max_size=12))
def test_each_model_gets_its_events_in_their_order(given_events):
    """Splitting by model loses and mixes nothing: times and labels stay with their event."""
    columns = EventColumns.of(given_events)
    for model, part in columns.by_model():
        wanted = [event for event in given_events if event.model == model]
        assert rows_of(part, model) == wanted
        assert all(type(time) is float or time is None for time in part.time)
    assert {model for model, _ in columns.by_model()} == {event.model for event in given_events}


def test_no_time_is_no_column():
    """Where no event has a time there is no column of times, in all and in each model."""
    timeless = [Event("a", 1.0, 2.0, 1.0, 1), Event("b", 1.0, 2.0, 1.0, 2)]
    assert EventColumns.of(timeless).time == ()
    assert [len(part.time) for _, part in EventColumns.of(timeless).by_model()] == [0, 0]
    mixed = EventColumns.of([timeless[0], timeless[1]._replace(time=5.0)])
    assert [list(part.time) for _, part in mixed.by_model()] == [[], [5.0]]


def test_events_without_segments_have_no_columns_of_labels():
    """Labels come from the events that have some; the others have none of them."""
    plain = Event(None, 1.0, 2.0, 1.0, 1)
    assert EventColumns.of([plain]).segment == {}
    both = EventColumns.of([plain, plain._replace(segment={"city": "oslo"})])
    assert both.segment == {"city": [None, "oslo"]}
    assert EventColumns().segment == {}
