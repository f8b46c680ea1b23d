"""Real data that ships with river, with a model that suits it: for the demo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from river import base, compose, datasets, linear_model, optim, preprocessing

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DemoStream", "demo_streams"]


@dataclass(frozen=True, slots=True)
class DemoStream:
    """A named stream of features and targets, and a model to learn it."""

    name: str
    unit: str
    dataset: base.typing.Dataset
    model: compose.Pipeline

    def __iter__(self) -> Iterator[tuple[dict[Any, Any], float]]:
        return iter(self.dataset)


def demo_streams() -> list[DemoStream]:
    """Return the streams of the demo, a thousand events or so each."""
    return [
        DemoStream("approval", "points", datasets.TrumpApproval(), _linear(0.01, 0.3)),
        DemoStream("water_flow", "litres a second", datasets.WaterFlow(), _by_hour()),
        DemoStream("chick_weight", "grams", datasets.ChickWeights(), _by_age()),
        DemoStream("sp500_return", "percent", datasets.SP500Stocks(), _linear(0.0003, 0.001)),
    ]


def _linear(rate: float, intercept_rate: float) -> compose.Pipeline:
    """Return a linear model; its intercept follows the level of the target, fast or slowly."""
    return preprocessing.StandardScaler() | linear_model.LinearRegression(
        optim.SGD(rate), intercept_lr=intercept_rate
    )


def _by_hour() -> compose.Pipeline:
    return compose.FuncTransformer(_hour_of_day) | _linear(0.01, 0.3)


def _by_age() -> compose.Pipeline:
    return compose.FuncTransformer(_growth) | _linear(0.003, 0.01)


def _hour_of_day(x: dict[str, Any]) -> dict[str, float]:
    """Return the time of day as points on a circle, of one and two turns."""
    turn = 2 * math.pi * (x["Time"].hour + x["Time"].minute / 60) / 24
    return {
        "sin": math.sin(turn),
        "cos": math.cos(turn),
        "sin2": math.sin(2 * turn),
        "cos2": math.cos(2 * turn),
    }


def _growth(x: dict[str, Any]) -> dict[str, float]:
    """Return the age, squared too because growth speeds up, and the age on this diet."""
    return {"age": x["time"], "age2": x["time"] ** 2, f"age on diet {x['diet']}": x["time"]}
