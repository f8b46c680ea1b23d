"""The models of the demo suit their data."""

from __future__ import annotations

import pytest

from losswatch.river.streams import demo_streams

LOOPS = 3

MOST = {"approval": 0.1, "water_flow": 0.25, "chick_weight": 0.5, "sp500_return": 1.1}
"""The largest squared error of each model, as a part of that of the running mean."""


def test_streams_have_the_names_of_the_demo():
    """The demo has four streams, each with its own name and its unit."""
    streams = demo_streams()
    assert [stream.name for stream in streams] == list(MOST)
    assert all(stream.unit for stream in streams)


@pytest.mark.parametrize("name", MOST)
def test_model_beats_the_mean(name):
    """In its third loop a model is well ahead of the running mean; stock returns keep up."""
    stream = next(stream for stream in demo_streams() if stream.name == name)
    total = count = squares = squares_of_mean = 0.0
    for loop in range(1, LOOPS + 1):
        for x, y in stream:
            if loop == LOOPS:
                squares += (y - stream.model.predict_one(x)) ** 2
                squares_of_mean += (y - total / count) ** 2
            stream.model.learn_one(x, y)
            total += y
            count += 1
    assert squares < MOST[name] * squares_of_mean


def test_models_are_made_anew():
    """A second demo in one process learns with models of its own."""
    first, second = demo_streams(), demo_streams()
    for x, y in first[0]:
        first[0].model.learn_one(x, y)
    assert all(second[0].model.predict_one(x) == 0.0 for x, _ in second[0])
