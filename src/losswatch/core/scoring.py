"""Score one event, of one output or of several."""

from __future__ import annotations

from losswatch.core.outputs import check_outputs
from losswatch.core.validity import LARGEST, as_float, check_event

__all__ = ["Score", "score", "score_outputs"]

Score = tuple[float, float, float, float]
"""Error, loss, ``y_true`` and weight of an event."""


def score(y_true: object, y_pred: object, w: object) -> Score:
    """Return what an event adds to its costs.

    Raises
    ------
    RejectedEvent
        It cannot be scored.
    """
    if w is None and y_true.__class__ is float and y_pred.__class__ is float:
        error: float = y_true - y_pred
        loss = error * error
        if loss <= LARGEST:
            return error, loss, y_true, 1.0
    error, loss, weight = check_event(y_true, y_pred, w)
    return error, loss, as_float("y_true", y_true), weight


def score_outputs(
    outputs: tuple[str, ...], y_true: object, y_pred: object, w: object
) -> dict[str, Score]:
    """Return what an event adds to the costs of each output.

    Raises
    ------
    RejectedEvent
        One of them cannot be scored, or they are not these outputs.
    """
    check_outputs(outputs, y_true, y_pred)
    return {output: score(y_true[output], y_pred[output], w) for output in outputs}  # type: ignore[index]
