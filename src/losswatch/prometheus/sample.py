"""One sample, and those of a histogram."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Labels", "Sample", "finite", "histogram_samples"]

Labels = dict[str, str]


class Sample(NamedTuple):
    """One sample; ``suffix`` is what follows the name of the family."""

    family: str
    labels: Labels
    value: float
    suffix: str = ""


def histogram_samples(
    family: str, labels: Labels, bounds: Sequence[str], counts: Sequence[int], total: float
) -> Iterator[Sample]:
    """Yield the samples of a histogram, whose counts are cumulative; the last bound is +Inf."""
    for bound, count in zip(bounds, counts, strict=True):
        yield Sample(family, labels | {"le": bound}, count, "_bucket")
    yield Sample(family, labels, counts[-1], "_count")
    yield Sample(family, labels, finite(total), "_sum")


def finite(total: float) -> float:
    """Hold a sum at the largest float: one infinity would make every rate NaN for ever."""
    return min(total, sys.float_info.max)
