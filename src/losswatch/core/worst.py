"""Which segments of a model cost the most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.core.ledger import LIFETIME

if TYPE_CHECKING:
    from losswatch.core.snapshot import Snapshot

__all__ = ["worst_segments"]


def worst_segments(snapshot: Snapshot, window: str) -> list[int]:
    """Return the rows of all segments, the largest Σ w·loss over a window first.

    Which events came decides, not their order: of equal ones those with events
    come first, then the names decide. The rows of events without a segment of
    their own are left out while there was none.
    """
    reading = snapshot.readings[window]
    losses, counts = reading.loss.tolist(), reading.n.tolist()

    def rank(row: int) -> tuple[float, bool, tuple[str, ...]]:
        return -losses[row], not counts[row], tuple(snapshot.segments[row].values())

    ever = snapshot.readings[LIFETIME].n.tolist()
    shown = [
        row for row, name in enumerate(snapshot.segments) if ever[row] or "segment" not in name
    ]
    return sorted(shown[1:], key=rank)  # without the total
