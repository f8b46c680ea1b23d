"""Evidence that something changed: a mixture of Shiryaev-Roberts statistics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.windows.slots import grown

if TYPE_CHECKING:
    from losswatch.core.alarms.bets import Bets
    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["CALM", "Evidence", "nearness"]

CALM = 0.01
"""Evidence below this share of the threshold is none: a change seems to have come after it."""


class Evidence:
    """The evidence of many streams: after a block with factors ``f``, ``M = (M + share) * f``.

    If the mean of each factor given the past is at most 1, then the mean of
    the evidence, less one share a block, does not grow. So a stream whose
    evidence is put to 0 whenever it reaches ``T`` does so at most ``1 / T``
    times a block on average, whatever the tails and at any moment of
    stopping. No factor is below 0 and evidence is put to 0 early: plain
    floats neither overflow nor underflow. A block takes about 1.2 µs alone,
    and 50 ns among many streams, with the same bits.

    Parameters
    ----------
    bets
        What is bet, each with a row of its own.
    size
        How many streams there are.

    References
    ----------
    J. Shin, A. Ramdas, A. Rinaldo: E-detectors: a nonparametric framework for
    sequential change detection. New England Journal of Statistics in Data
    Science, 2024.
    """

    def __init__(self, bets: Bets, size: int) -> None:
        self.bets = bets
        self._rows = np.zeros((size, bets.size))

    def row(self, stream: int) -> list[float]:
        """Return the evidence of a stream from each bet, to be put back with :meth:`put`."""
        row: list[float] = self._rows[stream].tolist()
        return row

    def put(self, stream: int, row: list[float]) -> None:
        """Put back what was taken with :meth:`row`."""
        self._rows[stream] = row

    def step(self, row: list[float], score: float, share: float) -> float:
        """Take one block into a row, in place; return the evidence."""
        return self.bets.step(row, score, share)

    def step_many(self, streams: Indexes, scores: Floats, share: Floats) -> Floats:
        """Take a block of each of several streams; return their evidence."""
        rows = (self._rows[streams].T + share) * self.bets.of_many(scores)
        self._rows[streams] = rows.T
        return _by_parts(rows, self.bets.parts)

    def peek(self, streams: Indexes | int, scores: Floats, share: Floats | float) -> Floats:
        """Return what the evidence would be after a block of each stream, or several of one."""
        rows = np.atleast_2d(self._rows[streams]).T
        return _by_parts((rows + share) * self.bets.of_many(scores), self.bets.parts)

    def nearness(self, streams: Indexes, threshold: float) -> Floats:
        """Return how near streams are to a threshold; see :func:`nearness`."""
        return nearness(
            _by_parts(self._rows[streams].T, self.bets.parts), self.bets.idle, threshold
        )

    def reset(self, streams: Indexes | int) -> None:
        """Forget what streams have shown."""
        self._rows[streams] = 0.0

    def grow(self, size: int) -> None:
        """Make room for more streams."""
        self._rows = grown(self._rows, size)

    def dump(self) -> Tree:
        """Return its state."""
        return self._rows.ravel()

    def load(self, node: Node, key: str) -> None:
        """Continue from a state of as many streams."""
        rows = node.floats(key, self._rows.size).reshape(self._rows.shape)
        if (rows < 0.0).any():
            raise node.node(key).wrong("evidence from 0 on")
        self._rows = rows


def nearness(evidence: Floats, idle: float, threshold: float) -> Floats:
    """Return how near evidence is to a threshold, on the scale of logs.

    That is 1 at the threshold, and 0 up to what a perfect stream may have.
    """
    idle = min(idle, math.sqrt(threshold))
    with np.errstate(divide="ignore"):
        near: Floats = np.clip(np.log(evidence / idle) / math.log(threshold / idle), 0.0, 1.0)
    return near


def _by_parts(rows: Floats, parts: tuple[float, ...]) -> Floats:
    """Return the sum of rows by parts, added one after another: as one by one, to the bit."""
    total: Floats = parts[0] * rows[0]
    for part, row in zip(parts[1:], rows[1:], strict=True):
        total += part * row
    return total
