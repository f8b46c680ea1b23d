"""Time two ways of doing the same in turn, so that a noisy machine hurts both."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Pair", "Table", "time_pair"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds of ours and of the peer, round by round."""

    ours: list[float]
    peer: list[float]

    @property
    def ratio(self) -> str:
        """Ours by peer: the median of the rounds, and their range."""
        ratios = [a / b for a, b in zip(self.ours, self.peer, strict=True)]
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"

    def median(self, unit: float) -> tuple[str, str]:
        """Return the medians of ours and of the peer, in a unit."""
        return tuple(f"{statistics.median(s) / unit:.3g}" for s in (self.ours, self.peer))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Table:
    """One question and what was measured."""

    question: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [self.header, tuple("---" for _ in self.header), *self.rows]
        return f"## {self.question}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def time_pair(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 9) -> Pair:
    """Run both in turn, once to warm up and then some rounds."""
    ours(), peer()
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, times in zip((ours, peer), seconds, strict=True):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return Pair(*seconds)
