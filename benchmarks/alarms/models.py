"""Faults of the data before real models that learn no more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from river import linear_model, preprocessing, tree
from river.datasets import synth

from benchmarks.alarms.contenders import CONTENDERS
from benchmarks.pairs import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.alarms.errors import Errors

__all__ = ["model_faults"]

LEARN, WELL, BROKEN = 5_000, 10_000, 5_000
"""Events that a model learns, predicts as it is, and predicts from broken features."""

SEEDS = 10
TOLD = 2_000
"""Events that tell the budget."""

MODELS: dict[str, tuple[Callable[..., Any], Callable[[], Any]]] = {
    "Friedman, linear": (
        synth.Friedman,
        lambda: preprocessing.StandardScaler() | linear_model.LinearRegression(),
    ),
    "Planes2D, tree": (synth.Planes2D, tree.HoeffdingTreeRegressor),
}

FAULTS = {"zeroed": 0.0, "x10": 10.0}

SHOWN = (
    "**budget, per event**",
    "**budget, block 10**",
    "**drift, block 10**",
    "ADWIN on L",
    "ADWIN on sqrt abs e, block 10",
    "PageHinkley on L",
)


@dataclass
class _Trial:
    errors: Errors
    budget: float


def model_faults() -> Table:
    """Return how soon each tells that the dominant feature is lost or has another unit."""
    contenders = {each.name: each for each in CONTENDERS if each.name in SHOWN}
    columns = [(model, fault) for model in MODELS for fault in FAULTS]
    trials = {column: [_trial(*column, seed) for seed in range(SEEDS)] for column in columns}
    rows = []
    for name in SHOWN:
        cells, false = [], 0
        for column in columns:
            delays = []
            for trial in trials[column]:
                margin = 1.2 if "drift" in name else trial.budget
                moments = contenders[name].find(trial.errors, margin)
                raises = sorted(event - WELL for _, event, raised in moments if raised)
                if column[1] == "zeroed":  # before the faults all are the same
                    false += sum(event <= 0 for event in raises)
                delays.append(next((float(e) for e in raises if e > 0), math.inf))
            cells.append(_show(sorted(delays)[SEEDS // 2]))
        rows.append((name, *cells, str(false)))
    header = ("what", *(f"{model}: {fault}" for model, fault in columns), "false alarms")
    return Table("Does it see a broken feature?", header, rows, note=NOTE)


NOTE = f"""\
A model of river learns {LEARN:,} events and then no more. After {WELL:,} further events its
dominant feature is zeroed, or comes in another unit. The budget is learnt from the first {TOLD:,}
of them: 1.2 times the mean loss and two standard errors. Events until the first alarm, the median
of {SEEDS} seeds, and all alarms before the faults, in {SEEDS * WELL * len(MODELS):,} events."""


def _trial(model: str, fault: str, seed: int) -> _Trial:
    generator, make = MODELS[model]
    events = list(islice(iter(generator(seed=seed)), LEARN + WELL + BROKEN))
    regressor = make()
    for x, y in events[:LEARN]:
        regressor.learn_one(x, y)
    well, broken = events[LEARN : LEARN + WELL], events[LEARN + WELL :]
    worst = max(well[0][0], key=lambda name: _mse(regressor, well[:500], name, 0.0))
    errors = np.array(
        [
            *_errors(regressor, well, worst, 1.0),
            *_errors(regressor, broken, worst, FAULTS[fault]),
        ]
    )
    told = np.square(errors[:TOLD])
    budget = 1.2 * (told.mean() + 2.0 * told.std() / math.sqrt(TOLD))
    return _Trial(errors[np.newaxis], float(budget))


def _errors(model: Any, events: list[Any], name: Any, factor: float) -> list[float]:
    return [y - model.predict_one(x | {name: factor * x[name]}) for x, y in events]


def _mse(model: Any, events: list[Any], name: Any, factor: float) -> float:
    return float(np.square(_errors(model, events, name, factor)).mean())


def _show(delay: float) -> str:
    return f"{delay:,.0f}" if delay < math.inf else "missed"
