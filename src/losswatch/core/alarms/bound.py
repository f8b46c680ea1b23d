"""What the MSE is at least, for sure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.blocks import Blocks
from losswatch.core.alarms.span import Span

if TYPE_CHECKING:
    from losswatch.core.cells.products import Floats
    from losswatch.core.tree import Node, Tree

__all__ = ["CONFIDENCE", "LowerBound"]

CONFIDENCE = 0.95

_FIRST = 10
"""Blocks that tell the scale; they do not count."""

_CAP = 1000.0
"""Means of blocks count so many scales at most: less than they are, so the bound stays below."""

_STAKES = np.array([2.0**-k for k in range(1, 13)])
_PRICES = -np.log1p(-_STAKES) - _STAKES
_ODDS = math.log(_STAKES.size / (1.0 - CONFIDENCE))


class LowerBound:
    """A lower bound of the mean of all conditional means of the loss so far.

    With a probability of 95 % it is below that at all times at once, for
    losses of any tails and any dependence; an upper bound like it cannot
    exist. Losses are averaged over 10 events; the first 100 events only tell
    the scale. An event takes about 0.1 µs.

    References
    ----------
    X. Fan, I. Grama, Q. Liu: Exponential inequalities for martingales with
    applications. Electronic Journal of Probability, 2015: ``exp(s x - x² p(s))
    <= 1 + s x`` for ``x >= -1``, with ``p(s) = -log(1 - s) - s``.
    """

    def __init__(self) -> None:
        self._blocks = Blocks(Span(10.0), 1, 1)
        self._first: list[float] = []
        self._scale = 0.0
        self._n = 0
        self._sum = 0.0  # of means, in scales
        self._squares = 0.0  # of how far they are from the scale

    @property
    def mse(self) -> float:
        """The bound; ``nan`` until there is one."""
        if not self._n:
            return math.nan
        losses = (_ODDS + _PRICES * self._squares) / (_STAKES * self._n)
        return max(self._scale * (self._sum / self._n - float(losses.min())), 0.0)

    def add(self, loss: Floats, w: Floats | None, clock: Floats) -> None:
        """Add losses in the order of their arrival."""
        stream = np.zeros(loss.size, dtype=np.intp)
        _, closed = self._blocks.add(stream, (loss,), w, clock)
        means = closed.means[0].tolist()
        while means and not self._scale:
            self._first.append(means.pop(0))
            if len(self._first) >= _FIRST:
                scale = math.fsum(min(mean, 1e300) for mean in self._first) / len(self._first)
                self._scale, self._first = (scale, []) if scale > 1e-300 else (0.0, [])
        for mean in means:
            part = min(mean / self._scale, _CAP)
            self._sum += part
            self._squares += (part - 1.0) ** 2
        self._n += len(means)

    def dump(self) -> Tree:
        """Return its state."""
        return {
            "blocks": self._blocks.dump(),
            "n": self._n,
            "sums": np.array([self._scale, self._sum, self._squares]),
            "first": np.array(self._first),
        }

    def load(self, node: Node) -> None:
        """Continue from a state."""
        sums = node.floats("sums", 3).tolist()
        self._n, self._first = node.whole("n"), node.floats("first").tolist()
        self._blocks.load(node.node("blocks"))
        self._scale, self._sum, self._squares = sums
