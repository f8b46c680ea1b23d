"""Stories of predictions, truths, duplicates and revisions, told to monitors in any order."""

import itertools

from hypothesis import strategies as st

from losswatch import Monitor, Segments
from losswatch.core.events import EventColumns
from losswatch.core.join.settings import Join

WINDOWS = ("1m", {"last": "10s", "exact": True}, {"tumbling": "1m"}, {"half_life": "5s"})

value = st.one_of(
    st.floats(-100, 100),
    st.sampled_from([0.0, -0.0, 1e150, -1e-150, 1e-300, 5e-324, 1e16, 0.1]),
)
when = st.floats(0.0, 100.0).map(lambda x: round(x, 2))


@st.composite
def stories(draw):
    """All that is told of some events: (id, y_pred, y_true, w, time, city), and what is true."""
    told, truth = [], []
    for number in range(draw(st.integers(1, 6))):
        name = f"p{number}"
        y_pred, w = draw(value), draw(st.sampled_from([1.0, 1.0, 2.5, 0.0]))
        city = draw(st.sampled_from(["oslo", "rome", None]))
        predicted = draw(st.booleans())
        prediction = (name, y_pred, None, w, draw(when), city)
        if predicted:
            told += [prediction] * draw(st.integers(1, 2))
        times = sorted(draw(st.lists(when, max_size=3, unique=True)))
        truths = [(name, None, draw(value), 1.0, time, None) for time in times]
        for each in truths:
            told += [each] * draw(st.integers(1, 2))
        if predicted and truths:
            truth.append((y_pred, truths[-1][2], w, times[0], prediction[4], city))
    return draw(st.permutations(told)), truth


def columns(told) -> EventColumns:
    ids, y_pred, y_true, w, time, city = zip(*told, strict=True)
    return EventColumns(
        model=[None] * len(told),
        y_true=list(y_true),
        y_pred=list(y_pred),
        w=list(w),
        line=range(len(told)),
        time=list(time),
        segment={"city": list(city)},
        prediction_id=list(ids),
    )


def tell(told, cuts, *, time="truth", now=101.0) -> Monitor:
    """Return a monitor that was told all of it, in batches that end at these places."""
    monitor = Monitor("eta", windows=WINDOWS, segments=Segments(("city",)), join=Join(time=time))
    for start, end in itertools.pairwise([0, *sorted(cuts), len(told)]):
        if start < end:
            monitor.take(columns(told[start:end]), at=now)
    return monitor


def all_numbers(monitor: Monitor) -> dict:
    """Return every number of every window and segment, by name."""
    snapshot = monitor.snapshot(101.0)
    return {
        (window, *labels.values()): numbers_of(reading.cell(row))
        for window, reading in snapshot.readings.items()
        for row, labels in enumerate(snapshot.segments)
        if reading.n[row] or "segment" not in labels
    }


def numbers_of(cell) -> dict:
    return {
        name: getattr(cell, name) for name in ("n", "weight", "loss", "mse", "mae", "bias", "r2")
    }


def same(one: dict, other: dict) -> bool:
    """Compare bit for bit, NaN being equal to itself."""
    return {k: {n: str(x) for n, x in v.items()} for k, v in one.items() if v["n"]} == {
        k: {n: str(x) for n, x in v.items()} for k, v in other.items() if v["n"]
    }
