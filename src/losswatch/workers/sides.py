"""The sides of an event and its weight, checked as a monitor checks them."""

from __future__ import annotations

from collections.abc import Mapping

from losswatch.core.outputs import check_outputs
from losswatch.core.validity import LARGEST, as_float
from losswatch.errors import Reason, RejectedEvent

__all__ = ["side_of", "weight_of"]


def side_of(name: str, value: object) -> float | dict[str, float]:
    """Return one side of an event: a number, or one for each output.

    Raises
    ------
    RejectedEvent
        It has something that is no finite number.
    """
    if not isinstance(value, Mapping):
        return as_float(name, value)
    outputs = tuple(value)
    check_outputs(outputs, value, value)
    return {output: as_float(f"{name}.{output}", value[output]) for output in outputs}


def weight_of(w: object) -> float:
    """Return a weight.

    Raises
    ------
    RejectedEvent
        It is no finite number, or below 0.
    """
    weight = w if w.__class__ is float and 0.0 <= w <= LARGEST else as_float("w", w)
    if weight < 0.0:
        detail = f"w is {weight!r}; must be a finite float64, 0 or above"
        raise RejectedEvent(Reason.NEGATIVE_WEIGHT, detail)
    return weight
