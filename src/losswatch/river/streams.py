"""Real data that ships with river, with a model that suits it: for the demo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from river import base, compose, datasets, linear_model, optim, preprocessing, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DemoStream", "demo_streams"]


@dataclass(frozen=True, slots=True)
class DemoStream:
    """A named stream of features and targets, and a model to learn it."""

    name: str
    unit: str
    dataset: base.typing.Dataset
    model: base.Estimator

    def __iter__(self) -> Iterator[tuple[dict[Any, Any], float]]:
        return iter(self.dataset)


def demo_streams() -> list[DemoStream]:
    """Return the streams of the demo, a thousand events or so each."""
    return [
        DemoStream("approval", "points", datasets.TrumpApproval(), _linear(0.01)),
        DemoStream("water_flow", "litres a second", datasets.WaterFlow(), _by_hour()),
        DemoStream("chick_weight", "grams", datasets.ChickWeights(), _tree()),
        DemoStream("sp500_return", "percent", datasets.SP500Stocks(), _linear(0.001)),
    ]


def _linear(rate: float) -> base.Estimator:
    return preprocessing.StandardScaler() | linear_model.LinearRegression(optim.SGD(rate))


def _tree() -> base.Estimator:
    return tree.HoeffdingTreeRegressor(grace_period=50)


def _by_hour() -> base.Estimator:
    hours = compose.FuncTransformer(_hour_of_day)
    return hours | preprocessing.StandardScaler() | linear_model.LinearRegression(optim.SGD(0.05))


def _hour_of_day(x: dict[str, Any]) -> dict[str, float]:
    """Return the time of day as points on a circle, of one and two turns."""
    turn = 2 * math.pi * (x["Time"].hour + x["Time"].minute / 60) / 24
    return {
        "sin": math.sin(turn),
        "cos": math.cos(turn),
        "sin2": math.sin(2 * turn),
        "cos2": math.cos(2 * turn),
    }
