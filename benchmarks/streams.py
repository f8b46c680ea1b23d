"""Streams for the peers, easy and hostile, and the truth about them in fractions."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SPIKES", "Stream", "exact_mse", "hostile_streams"]

Floats = NDArray[np.float64]

SPIKES = (1e8, 1e9, 1e10)
"""Errors of the first events of the stream that is quiet ever after."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The same events as lists of floats and as columns."""

    name: str
    truth: list[float]
    predicted: list[float]
    columns: tuple[Floats, Floats] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        columns = (np.array(self.truth), np.array(self.predicted))
        object.__setattr__(self, "columns", columns)


def hostile_streams(events: int) -> list[Stream]:
    """Return a plain stream first, then those that hurt; always the same ones."""
    rng = np.random.default_rng(1)
    level = rng.normal(100, 15, events)
    quiet = rng.normal(0, 1e-3, events)
    quiet[: len(SPIKES)] = SPIKES
    return [
        _stream("Gaussian errors", level, rng.normal(0, 3, events)),
        _stream("Student t3 errors", level, rng.standard_t(3, events)),
        _stream("offset 10⁹", level + 1e9, rng.normal(0, 3, events)),
        _stream("spikes, then quiet", level, quiet),
    ]


def exact_mse(truth: Sequence[float], predicted: Sequence[float]) -> Fraction:
    """Return the mean of the float64 losses, not rounded."""
    losses = ((y - p) * (y - p) for y, p in zip(truth, predicted, strict=True))
    return sum(map(Fraction, losses), Fraction(0)) / len(truth)


def _stream(name: str, truth: Floats, errors: Floats) -> Stream:
    return Stream(name, truth.tolist(), (truth + errors).tolist())
