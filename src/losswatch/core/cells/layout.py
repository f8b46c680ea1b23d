"""How the exact sums of one cell lie in a row of integers.

A cell is what counts together: one segment in one window, say. Its row holds
how many events, and six sums, each as *limbs*: integers of 32 bits in units of
``2**unit``, ``2**(unit + 32)`` and so on. Integers add without rounding, so many
rows add exactly and at once; see ``docs/decisions/0005-rows-of-limbs.md``.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ABSOLUTE", "COLUMNS", "COUNT", "ERROR", "FIELDS", "LIMB", "LOSS", "SQUARE", "TRUTH"]
__all__ += ["WEIGHT", "Field"]

LIMB = 32
"""Bits of a limb."""


class Field(NamedTuple):
    """One of the sums: its first column, its finest unit, and how many limbs it has.

    The last limb takes what the others carry over, so that a term must be
    below ``2**top``.
    """

    start: int
    unit: int
    limbs: int

    @property
    def top(self) -> int:
        """No term reaches this power of two."""
        return self.unit + LIMB * (self.limbs - 1)

    @property
    def columns(self) -> range:
        """The columns of the limbs, the finest first."""
        return range(self.start, self.start + self.limbs)


COUNT = 0
"""The column of the number of events."""

# Targets and errors from 1e-25 to 1e19 with all their digits; others are summed on their own.
LOSS = Field(1, -256, 13)  # Σ fl(w * loss)
ERROR = Field(14, -160, 8)  # Σ fl(w * error)
ABSOLUTE = Field(22, -160, 8)  # Σ fl(w * |error|)
WEIGHT = Field(30, -160, 8)  # Σ w
TRUTH = Field(38, -256, 11)  # Σ w * y_true, not rounded
SQUARE = Field(49, -384, 17)  # Σ w * y_true**2, not rounded
FIELDS = (LOSS, ERROR, ABSOLUTE, WEIGHT, TRUTH, SQUARE)
COLUMNS = 66
