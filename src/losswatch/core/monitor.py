"""One model's running cost, as it is watched and exported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cost import Cost
from losswatch.core.histogram import DEFAULT_BUCKETS, HistogramSnapshot, LossHistogram
from losswatch.core.outputs import MultiOutputCost
from losswatch.core.validity import Columns, as_columns, as_float, find_rejected
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

__all__ = ["Monitor", "OutputSnapshot", "Snapshot"]

LIFETIME = "lifetime"
"""The window of all events since the process started."""

SINGLE = ""
"""The name of the output of a model that has just one."""


@dataclass(frozen=True, slots=True)
class OutputSnapshot:
    """The cost of one output and the distribution of its losses."""

    cost: Cost
    losses: HistogramSnapshot


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent reading of a monitor: all numbers count the same events."""

    model: str
    unit: str
    outputs: Mapping[str, OutputSnapshot]
    rejected: Mapping[Reason, int]
    last_event: float | None

    @property
    def pooled(self) -> Cost:
        """The cost of all outputs as one stream."""
        pool = Cost()
        for output in self.outputs.values():
            pool.merge(output.cost)
        return pool


class Monitor:
    """The exact running cost of one model. Thread-safe.

    A refused event is counted by its reason and changes nothing else. A
    snapshot is consistent while other threads go on updating: ``n``, the sums
    and the RMSE count the same events. One ``update`` takes about 1.5 µs, and
    25 µs with two outputs.

    Parameters
    ----------
    model
        The value of the label ``model``.
    outputs
        For a model with several outputs, their names: then ``y_true`` and
        ``y_pred`` are dicts with just these keys.
    buckets
        Upper bounds of the buckets of ``losswatch_l2_loss``.
    unit
        Unit of the target, for people.

    Raises
    ------
    RejectedEvent
        A name is no text or is empty.

    Examples
    --------
    >>> monitor = Monitor("eta")
    >>> monitor.update(10, 12)
    4.0
    >>> monitor.update_many([11, float("nan"), 13], [12, 0, 11])
    [RejectedEvent('event 1: y_true is nan; must be a finite float64 (not_finite)')]
    >>> snapshot = monitor.snapshot()
    >>> snapshot.pooled.n, snapshot.pooled.mse, dict(snapshot.rejected)
    (3, 3.0, {<Reason.NOT_FINITE: 'not_finite'>: 1})
    """

    def __init__(
        self,
        model: str,
        *,
        outputs: tuple[str, ...] = (),
        buckets: tuple[float, ...] = DEFAULT_BUCKETS,
        unit: str = "",
    ) -> None:
        for name in (model, *outputs):
            if not isinstance(name, str) or not name or (not name.isascii() and _is_broken(name)):
                detail = f"a model or output is named {name!r:.60}; must be text, and not empty"
                raise RejectedEvent(Reason.WRONG_TYPE, detail)
        self.model = model
        self.outputs = outputs
        self.unit = unit
        self._lock = Lock()
        self._cost = MultiOutputCost(outputs or (SINGLE,))
        self._losses = {output: LossHistogram(buckets) for output in self._cost.outputs}
        self._rejected: Counter[Reason] = Counter()
        self._last_event: float | None = None

    def update(
        self,
        y_true: float | Mapping[str, float],
        y_pred: float | Mapping[str, float],
        w: float | None = None,
        *,
        at: float | None = None,
    ) -> float | dict[str, float]:
        """Add one event and return its loss, or its loss for each output.

        Parameters
        ----------
        y_true, y_pred, w
            As in :meth:`Cost.update`, or dicts for a model with outputs.
        at
            When the event arrived, in seconds since 1970.

        Raises
        ------
        RejectedEvent
            The event cannot be scored. It was counted by its reason.
        """
        with self._lock:
            try:
                w = None if w is None else as_float("w", w)
                losses = self._score(y_true, y_pred, w)
            except RejectedEvent as rejection:
                self._rejected[rejection.reason] += 1
                raise
            if at is not None and (w is None or w != 0):
                self._last_event = at
        return losses if self.outputs else losses[SINGLE]

    def update_many(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        w: ArrayLike | None = None,
        *,
        at: float | None = None,
    ) -> list[RejectedEvent]:
        """Add events given as columns and return those that were refused.

        Refused ones are counted by reason; each tells its ``index``. The
        others count.

        Raises
        ------
        RejectedEvent
            The columns themselves cannot be used; nothing was counted.
        """
        if self.outputs:
            detail = f"{self.model} has outputs; give its events one by one, as dicts"
            raise RejectedEvent(Reason.WRONG_TYPE, detail)
        columns = as_columns(y_true, y_pred, w)
        rejected = find_rejected(*columns)
        columns = _without(columns, rejected)
        batch = Cost()
        batch.update_many(*columns)
        plain = batch
        if columns[2] is not None:  # the histogram counts losses without their weights
            plain = Cost()
            plain.update_many(*columns[:2])
        with self._lock:
            self._cost[SINGLE].merge(batch)
            self._losses[SINGLE].update_many((columns[0] - columns[1]) ** 2, plain.exact_loss)
            self._rejected.update(rejection.reason for rejection in rejected)
            if at is not None and batch.n:
                self._last_event = at
        return rejected

    def reject(self, reason: Reason, count: int = 1) -> None:
        """Count events of this model that were refused before they came here."""
        with self._lock:
            self._rejected[reason] += count

    def snapshot(self) -> Snapshot:
        """Return one consistent reading."""
        with self._lock:
            return Snapshot(
                model=self.model,
                unit=self.unit,
                outputs={
                    output: OutputSnapshot(cost.copy(), self._losses[output].snapshot())
                    for output, cost in self._cost.items()
                },
                rejected=dict(self._rejected),
                last_event=self._last_event,
            )

    def _score(self, y_true: object, y_pred: object, w: float | None) -> dict[str, float]:
        if self.outputs:
            losses = self._cost.update(y_true, y_pred, w)  # type: ignore[arg-type]
        else:
            losses = {SINGLE: self._cost[SINGLE].update(y_true, y_pred, w)}  # type: ignore[arg-type]
        if w is None or w != 0:
            for output, loss in losses.items():
                self._losses[output].update(loss)
        return losses


def _is_broken(name: str) -> bool:
    """Tell whether text cannot be written as UTF-8: it holds half a character."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def _without(columns: Columns, rejected: list[RejectedEvent]) -> Columns:
    """Return the columns without refused events and without those of weight 0."""
    y_true, y_pred, w = columns
    keep = np.ones(y_true.size, dtype=bool) if w is None else w != 0
    for rejection in rejected:
        keep[rejection.index] = False
    if keep.all():
        return columns
    return y_true[keep], y_pred[keep], None if w is None else w[keep]
