"""Which segments of a model cost the most."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losswatch.core.snapshot import Snapshot

__all__ = ["worst_segments"]


def worst_segments(snapshot: Snapshot, window: str) -> list[int]:
    """Return the rows of all segments, the largest Σ w·loss over a window first.

    Which events came decides, not their order: of equal ones those with events
    come first, then the names decide.
    """
    reading = snapshot.readings[window]
    losses, counts = reading.loss.tolist(), reading.n.tolist()

    def rank(row: int) -> tuple[float, bool, tuple[str, ...]]:
        return -losses[row], not counts[row], tuple(snapshot.segments[row].values())

    return sorted(range(1, len(losses)), key=rank)
