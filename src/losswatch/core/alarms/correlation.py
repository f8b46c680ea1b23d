"""How long errors remember each other: what the block of an alarm should not be shorter than."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.alarms.blocks import Blocks
from losswatch.core.alarms.span import Span

if TYPE_CHECKING:
    from losswatch.core.cells.products import Floats
    from losswatch.core.tree import Node, Tree

__all__ = ["Correlation", "advised_block"]

LENGTH = 50
"""Events of a block whose mean is compared with single events."""

BLOCKS = 100
"""Blocks of a measurement."""


class Correlation:
    """Measures the autocorrelation time of ``sqrt(|error|)`` over every 5,000 events.

    That is by how much more the means of 50 events scatter than those of
    independent events would: 1 where there is no memory, and ``nan`` until
    there is a measurement. It is right within some 15 %.
    """

    def __init__(self) -> None:
        self.events = math.nan
        self._blocks = Blocks(Span(float(LENGTH)), 2, 1)
        self._means: list[tuple[float, float]] = []

    def add(self, error: Floats, clock: Floats) -> None:
        """Add errors in the order of their arrival."""
        size = np.abs(error)
        stream = np.zeros(error.size, dtype=np.intp)
        _, closed = self._blocks.add(stream, (np.sqrt(size), size), None, clock)
        self._means += zip(*(means.tolist() for means in closed.means), strict=True)
        while len(self._means) >= BLOCKS:
            some, self._means = np.array(self._means[:BLOCKS]), self._means[BLOCKS:]
            variance = float(some[:, 1].mean() - some[:, 0].mean() ** 2)
            if 0.0 < variance < math.inf:
                self.events = LENGTH * float(some[:, 0].var()) / variance

    def dump(self) -> Tree:
        """Return its state."""
        means = np.array(self._means, dtype=np.float64).ravel()
        known = None if math.isnan(self.events) else self.events
        return {"events": known, "blocks": self._blocks.dump(), "means": means}

    def load(self, node: Node) -> None:
        """Continue from a state."""
        known = node.time("events")
        means = node.floats("means")
        self._blocks.load(node.node("blocks"))
        self.events = math.nan if known is None else known
        self._means = list(zip(means[::2].tolist(), means[1::2].tolist(), strict=True))


def advised_block(events: float) -> int:
    """Return how many events a block should have at least, given the autocorrelation time.

    Examples
    --------
    >>> advised_block(1.1), advised_block(14.2)
    (10, 29)
    """
    return max(10, math.ceil(2.0 * events))
