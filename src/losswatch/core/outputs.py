"""The cost of a model with several outputs: one per output, and the pooled one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from losswatch.core.cost import Cost
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import ItemsView

__all__ = ["MultiOutputCost", "check_outputs"]


class MultiOutputCost:
    """Exact costs of events whose ``y_true`` and ``y_pred`` are dicts.

    An event counts for all its outputs or, if one value is refused, for none.
    The outputs are fixed: by ``outputs`` or else by the first event, so that
    the pooled cost always means the same. One ``update`` takes about 10 µs for
    each output.

    Parameters
    ----------
    outputs
        The names; if not given, the keys of the first event.

    Examples
    --------
    >>> cost = MultiOutputCost()
    >>> cost.update({"lat": 1.0, "lon": 2.0}, {"lat": 1.5, "lon": 4.0})
    {'lat': 0.25, 'lon': 4.0}
    >>> cost["lat"].mse, cost["lon"].mse, cost.pooled.mse
    (0.25, 4.0, 2.125)
    """

    def __init__(self, outputs: tuple[str, ...] = ()) -> None:
        self._costs = {output: Cost() for output in outputs}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs; empty before the first event."""
        return tuple(self._costs)

    @property
    def pooled(self) -> Cost:
        """The cost of all outputs as one stream: each output of an event counts once."""
        pool = Cost()
        for cost in self._costs.values():
            pool.merge(cost)
        return pool

    def update(
        self, y_true: Mapping[str, float], y_pred: Mapping[str, float], w: float | None = None
    ) -> dict[str, float]:
        """Add one event and return its loss for each output.

        Raises
        ------
        RejectedEvent
            A value cannot be scored, or the outputs are not the same as
            always (``outputs_differ``); no cost is changed.
        """
        event, losses = self._scored(y_true, y_pred, w)
        self.merge(event)
        return losses

    def revert(
        self, y_true: Mapping[str, float], y_pred: Mapping[str, float], w: float | None = None
    ) -> dict[str, float]:
        """Take one event out again and return its losses; undoes ``update`` bit for bit."""
        event, losses = self._scored(y_true, y_pred, w)
        for output, cost in event.items():
            self._costs.setdefault(output, Cost()).unmerge(cost)
        return losses

    def merge(self, other: MultiOutputCost) -> None:
        """Add all events of ``other``.

        Raises
        ------
        RejectedEvent
            Both have outputs and they are not the same.
        """
        if self._costs and other._costs:
            check_outputs(self.outputs, other._costs, other._costs)
        for output, cost in other._costs.items():
            self._costs.setdefault(output, Cost()).merge(cost)

    def items(self) -> ItemsView[str, Cost]:
        """Return the outputs with their costs."""
        return self._costs.items()

    def __getitem__(self, output: str) -> Cost:
        return self._costs[output]

    def __eq__(self, other: object) -> bool:
        return self._costs == other._costs if isinstance(other, MultiOutputCost) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._costs!r})"

    def _scored(
        self, y_true: Mapping[str, float], y_pred: Mapping[str, float], w: float | None
    ) -> tuple[MultiOutputCost, dict[str, float]]:
        outputs = self.outputs or (tuple(y_true) if isinstance(y_true, Mapping) else ())
        check_outputs(outputs, y_true, y_pred)
        event = MultiOutputCost(outputs)
        losses = {
            output: cost.update(y_true[output], y_pred[output], w) for output, cost in event.items()
        }
        return event, losses


def check_outputs(outputs: tuple[str, ...], y_true: object, y_pred: object) -> None:
    """Refuse an event that does not have exactly these outputs on both sides.

    Raises
    ------
    RejectedEvent
        With reason ``outputs_differ``, or ``wrong_type`` for what is no dict.
    """
    for side, values in (("y_true", y_true), ("y_pred", y_pred)):
        if not isinstance(values, Mapping):
            detail = f"{side} is {values!r:.60}; must be a dict of outputs"
            raise RejectedEvent(Reason.WRONG_TYPE, detail)
        if len(values) != len(outputs) or not all(output in values for output in outputs):
            found = ", ".join(sorted(map(str, values))[:8]) or "none"
            wanted = ", ".join(map(str, outputs)) or "at least one"
            detail = f"{side} has the outputs {found}; must have {wanted}"
            raise RejectedEvent(Reason.OUTPUTS_DIFFER, detail)
