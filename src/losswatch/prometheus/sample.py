"""What goes on the page: one sample, or the numbers of many segments at once."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losswatch.prometheus.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from losswatch.core.exemplars import Exemplar

    Numbers = NDArray[np.float64] | NDArray[np.int64]

__all__ = [
    "Block",
    "Histograms",
    "Labels",
    "Numbers",
    "Rows",
    "Sample",
    "bounds_of",
    "finite",
    "histogram_samples",
]

Labels = dict[str, str]


class Sample(NamedTuple):
    """One sample; ``suffix`` is what follows the name of the family."""

    family: str
    labels: Labels
    value: float
    suffix: str = ""
    exemplar: Exemplar | None = None

    def samples(self) -> Iterator[Sample]:
        """Yield itself."""
        yield self


@dataclass(frozen=True, slots=True)
class Rows:
    """Numbers of one metric for many segments; NaN is no sample.

    ``labels`` are those that all of them have: several sets where a segment has
    several numbers. ``values`` returns a row for each segment and a column for
    each set; it is called only if the numbers are asked for.
    """

    family: str
    labels: tuple[Labels, ...]
    segments: Sequence[Mapping[str, str]]
    values: Callable[[], Numbers]
    suffix: str = ""

    def samples(self) -> Iterator[Sample]:
        """Yield them one by one, in the order of the page."""
        values = self.values().reshape(len(self.segments), len(self.labels))
        rows: Sequence[Sequence[float]] = values.tolist()
        for segment, row in zip(self.segments, rows, strict=True):
            for labels, value in zip(self.labels, row, strict=True):
                if value == value:  # noqa: PLR0124  # not NaN
                    yield Sample(self.family, {**labels, **segment}, value, self.suffix)


@dataclass(frozen=True, slots=True)
class Histograms:
    """The histograms of many segments: cumulative counts, of which the last bound is ``+Inf``.

    ``exemplars`` is by row and bucket.
    """

    family: str
    labels: Labels
    segments: Sequence[Mapping[str, str]]
    bounds: Sequence[str]
    counts: NDArray[np.int64]
    sums: Callable[[], NDArray[np.float64]]
    exemplars: Callable[[], Mapping[int, Mapping[int, Exemplar]]] = dict

    def samples(self) -> Iterator[Sample]:
        """Yield them one by one, in the order of the page."""
        rows = zip(self.segments, self.counts.tolist(), self.sums().tolist(), strict=True)
        exemplars = self.exemplars()
        for row, (segment, counts, total) in enumerate(rows):
            labels = {**self.labels, **segment}
            some = exemplars.get(row, {})
            yield from histogram_samples(self.family, labels, self.bounds, counts, total, some)


Block = Sample | Rows | Histograms
"""What the page is made of."""


def histogram_samples(  # noqa: PLR0913, PLR0917  # all of a histogram
    family: str,
    labels: Labels,
    bounds: Sequence[str],
    counts: Sequence[int],
    total: float,
    exemplars: Mapping[int, Exemplar] | None = None,
) -> Iterator[Sample]:
    """Yield the samples of a histogram, whose counts are cumulative; the last bound is +Inf."""
    some = exemplars or {}
    for bucket, (bound, count) in enumerate(zip(bounds, counts, strict=True)):
        yield Sample(family, labels | {"le": bound}, count, "_bucket", some.get(bucket))
    yield Sample(family, labels, counts[-1], "_count")
    yield Sample(family, labels, min(total, sys.float_info.max), "_sum")


def finite(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold sums at the largest float: one infinity would make every rate NaN for ever."""
    return np.minimum(totals, sys.float_info.max)


def bounds_of(bounds: Sequence[float]) -> list[str]:
    """Return the bounds of buckets as they are written, the last being that of all."""
    return [*map(spell, bounds), "+Inf"]
