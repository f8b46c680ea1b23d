"""Time two ways of doing the same in turn, so that a noisy machine hurts both."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.charts import Chart

__all__ = ["Pair", "Table", "show", "time_pair"]


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
        return show(statistics.median(self.ours) / unit), show(statistics.median(self.peer) / unit)


@dataclass(frozen=True, slots=True)
class Table:
    """One question and what was measured; maybe what to know about it, and plots."""

    question: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    charts: Sequence[Chart] = ()

    def markdown(self) -> str:
        """Return the table as Markdown, without the plots."""
        lines = [self.header, tuple("---" for _ in self.header), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join(part for part in (f"## {self.question}", self.note, table) if part)


def show(number: float) -> str:
    """Return three digits of a number, and no exponent below a million."""
    return f"{float(f'{number:.3g}'):g}"


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
