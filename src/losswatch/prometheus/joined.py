"""The samples of a join: what waits, what came, what never did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.core.join.tally import DELAYS
from losswatch.prometheus.sample import Labels, Sample, bounds_of, histogram_samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.core.join.tally import JoinSnapshot

__all__ = ["join_samples"]


def join_samples(join: JoinSnapshot, model: Labels) -> Iterator[Sample]:
    """Yield all about predictions and truths with an id."""
    yield Sample("predictions", model, join.predicted, "_total")
    yield Sample("predictions_scored", model, join.scored, "_total")
    yield Sample("predictions_pending", model, join.pending_predictions)
    yield Sample("truths_pending", model, join.pending_truths)
    yield Sample("truths_revised", model, join.revised, "_total")
    yield Sample("scored_retained", model, join.retained)
    for family, label, counts in (
        ("predictions_expired", "reason", join.expired),
        ("truths_unmatched", "reason", join.unmatched),
        ("duplicates", "kind", join.duplicates),
    ):
        for value, count in counts.items():
            yield Sample(family, model | {label: value}, count, "_total")
    delays = (bounds_of(DELAYS), join.delays, join.delay_sum)
    yield from histogram_samples("truth_delay_seconds", model, *delays)
    if join.ever_predicted:
        yield Sample("coverage", model, join.coverage)
    for family, at in (
        ("last_prediction_timestamp_seconds", join.last_prediction),
        ("last_truth_timestamp_seconds", join.last_truth),
    ):
        if at is not None:
            yield Sample(family, model, at)
