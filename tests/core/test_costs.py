"""The cost as rows and as plain data."""

import json

import pytest

from losswatch.core.costs import NUMBERS, as_json
from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.core.segments import Segments


@pytest.fixture
def snapshot():
    eta = Monitor("eta", windows=[{"events": 1}], segments=Segments(("city",)))
    eta.update(10.0, 12.0, segment={"city": "oslo"})
    eta.update(10.0, 13.0, segment={"city": "rome"})
    place = Monitor("place", windows=[], outputs=("lat", "lon"))
    place.update({"lat": 1.0, "lon": 1.0}, {"lat": 2.0, "lon": 4.0})
    return Monitors([eta, place, Monitor("new", windows=[])]).snapshot()


def test_rows_are_each_model_output_segment_and_window(snapshot):
    """The total comes first, the dearest segment next; outputs follow all of them together."""
    rows = [
        (c["model"], c.get("output"), c["segment"], c["window"], c["n"], c["mse"])
        for c in as_json(snapshot)
    ]
    assert rows == [
        ("eta", None, {}, "lifetime", 2, 6.5),
        ("eta", None, {}, "1 events", 1, 9.0),
        ("eta", None, {"city": "rome"}, "lifetime", 1, 9.0),
        ("eta", None, {"city": "rome"}, "1 events", 1, 9.0),
        ("eta", None, {"city": "oslo"}, "lifetime", 1, 4.0),
        ("eta", None, {"city": "oslo"}, "1 events", 1, 4.0),
        ("place", None, {}, "lifetime", 2, 5.0),
        ("place", "lat", {}, "lifetime", 1, 1.0),
        ("place", "lon", {}, "lifetime", 1, 9.0),
        ("new", None, {}, "lifetime", 0, None),
    ]


def test_a_number_that_does_not_exist_is_null(snapshot):
    """All is JSON that any reader takes: nothing is NaN or infinite."""
    costs = as_json(snapshot)
    json.dumps(costs, allow_nan=False)
    assert all(set(NUMBERS) <= set(cost) for cost in costs)
    empty = next(cost for cost in costs if not cost["n"])
    assert {empty[name] for name in NUMBERS} <= {None, 0.0}


@pytest.mark.parametrize(
    ("models", "windows", "rows"),
    [
        (["eta"], None, 6),
        (["place"], None, 3),
        (["eta", "place"], ["lifetime"], 6),
        (["new"], None, 1),
        (None, ["1 events"], 3),
        (["place"], ["1 events"], 0),
        (["nope"], None, 0),
        (None, ["nope"], 0),
        ([], None, 0),
    ],
)
def test_models_and_windows_can_be_chosen(snapshot, models, windows, rows):
    """Only those named are there, in the same order; unknown ones are not missed."""
    chosen = as_json(snapshot, models, windows)
    assert len(chosen) == rows
    assert chosen == [
        cost
        for cost in as_json(snapshot)
        if (models is None or cost["model"] in models)
        and (windows is None or cost["window"] in windows)
    ]
