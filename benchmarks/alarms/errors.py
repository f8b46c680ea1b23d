"""Streams of errors with a mean square of 1, in as many lanes as are wanted."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from losswatch.river.streams import demo_streams

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BEFORE", "FAULT", "REAL", "RECOVERY", "STREAMS", "Errors", "make_errors"]

Errors = NDArray[np.float64]
"""A row for each lane."""

REAL = {"Trump": "approval", "WaterFlow": "water_flow", "Chick": "chick_weight"}
"""Data sets in the wheel of river, by the name of their stream."""

BEFORE, FAULT, RECOVERY = 6_000, 15_000, 9_000
"""Events before a fault, in it, and after it."""

_PIECE = 20
"""Residuals that are drawn at once, so that they keep what they remember of each other."""

_SEASON = 2880


def make_errors(name: str, seed: int, lanes: int, events: int) -> Errors:
    """Return errors of a stream: always the same ones for the same seed."""
    return STREAMS[name](np.random.default_rng([seed, *name.encode()]), (lanes, events))


def _gauss(rng: np.random.Generator, shape: tuple[int, int]) -> Errors:
    return rng.standard_normal(shape)


def _t3(rng: np.random.Generator, shape: tuple[int, int]) -> Errors:
    return rng.standard_t(3, shape) / math.sqrt(3.0)


def _lognormal(rng: np.random.Generator, shape: tuple[int, int]) -> Errors:
    errors: Errors = np.exp(rng.standard_normal(shape) - 1.0) * rng.choice([-1.0, 1.0], shape)
    return errors


def _remembering(
    draw: Callable[[np.random.Generator, tuple[int, int]], Errors],
    part: float,
    rng: np.random.Generator,
    shape: tuple[int, int],
) -> Errors:
    """Return an autoregression: of each error so much is left in the next one."""
    lanes, events = shape
    begin = math.ceil(-40.0 / math.log(part))  # until what was before is forgotten
    errors = draw(rng, (lanes, begin + events))
    lag = 1
    while part**lag > 1e-18:  # (1 + aL)(1 + a²L²)(1 + a⁴L⁴)... is the sum of all powers of aL
        errors[:, lag:] += part**lag * errors[:, :-lag].copy()
        lag *= 2
    return errors[:, begin:] * math.sqrt(1.0 - part * part)


def _season(rng: np.random.Generator, shape: tuple[int, int]) -> Errors:
    level = np.sqrt(1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(shape[1]) / _SEASON))
    return rng.standard_normal(shape) * level


def _corrupt(rng: np.random.Generator, shape: tuple[int, int]) -> Errors:
    errors = rng.standard_normal(shape)
    errors[rng.random(shape) < 1.0 / 20_000] *= math.sqrt(2000.0)
    return errors


def _real(name: str, rng: np.random.Generator, shape: tuple[int, int]) -> Errors:
    lanes, events = shape
    residuals = _residuals(name)
    pieces = -(-events // _PIECE)
    starts = rng.integers(0, residuals.size - _PIECE + 1, (lanes, pieces))
    windows = np.lib.stride_tricks.sliding_window_view(residuals, _PIECE)
    errors: Errors = windows[starts].reshape(lanes, -1)[:, :events]
    return errors


@lru_cache(maxsize=8)
def _residuals(name: str) -> Errors:
    """Return the errors of a model that learns a data set, each before it is learnt, scaled.

    The first fifth, while the model learns most, is left out. Each residual
    is drawn as often as the others but for the first and the last few: the
    scale is that of what is drawn.
    """
    (stream,) = (each for each in demo_streams() if each.name == name)
    errors = []
    for x, y in stream:
        errors.append(y - stream.model.predict_one(x))
        stream.model.learn_one(x, y)
    kept = np.array(errors[len(errors) // 5 :])
    drawn = np.lib.stride_tricks.sliding_window_view(kept, _PIECE)
    scaled: Errors = kept / math.sqrt(float(np.square(drawn).mean()))
    return scaled


STREAMS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Errors]] = {
    "gauss": _gauss,
    "t3": _t3,
    "lognormal": _lognormal,
    "AR .5": partial(_remembering, _gauss, 0.5),
    "AR .9": partial(_remembering, _gauss, 0.9),
    "t3 AR .5": partial(_remembering, _t3, 0.5),
    "season": _season,
    "corrupt": _corrupt,
    **{name: partial(_real, stream) for name, stream in REAL.items()},
}
