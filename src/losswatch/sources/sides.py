"""Which sides of an event a record must have: the prediction, the truth, or both."""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, cast

from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.core.events import EventColumns

    Lists = tuple[list[float | None], list[float | None], Sequence[str | None]]

__all__ = ["KINDS", "Sides"]

KINDS = ("any", "prediction", "truth")
_OTHER = {"prediction": ("y_pred", "y_true"), "truth": ("y_true", "y_pred")}


class Sides:
    """Tells records that have what they must from those that lack a side.

    Parameters
    ----------
    kind
        ``any`` takes both sides together and, with a ``prediction_id``, one
        alone; ``prediction`` and ``truth`` take just that side, with its id.
    path
        Where records of any kind go instead, for the details of refusals.
    """

    def __init__(self, kind: str = "any", path: str = "/api/v1/events") -> None:
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r:.60}; must be one of {', '.join(KINDS)}")
        self.kind = kind
        self._path = path

    def fit(self, columns: EventColumns) -> bool:
        """Tell whether all events of some columns, which are lists, have what they must."""
        y_true, y_pred, ids = cast("Lists", (columns.y_true, columns.y_pred, columns.prediction_id))
        if self.kind == "any":
            return (None not in y_true and None not in y_pred) or (
                bool(ids) and not any(map(_is_short, y_true, y_pred, ids))
            )
        there, other = (y_pred, y_true) if self.kind == "prediction" else (y_true, y_pred)
        absent = other.count(None) == len(other)
        return not other or (absent and bool(ids) and None not in ids and None not in there)

    def check(self, y_true: object, y_pred: object, prediction_id: str | None) -> None:
        """Refuse a record that lacks a side, or has one that its kind has not.

        Raises
        ------
        RejectedEvent
            ``missing_field`` or ``wrong_type``.
        """
        sides = {"y_true": y_true, "y_pred": y_pred}
        if self.kind == "any":
            if _is_short(y_true, y_pred, prediction_id):
                lacking = [name for name, value in sides.items() if value is None]
                raise RejectedEvent(Reason.MISSING_FIELD, _lack(lacking, prediction_id))
            return
        needed, other = _OTHER[self.kind]
        elsewhere = f"send records of any kind to {self._path}"
        for name, value in ((needed, sides[needed]), ("prediction_id", prediction_id)):
            if value is None:
                detail = f"{name} is missing; a {self.kind} must have it: {elsewhere}"
                raise RejectedEvent(Reason.MISSING_FIELD, detail)
        if sides[other] is not None:
            detail = f"{other} is {sides[other]!r:.60}; a {self.kind} must not have it: {elsewhere}"
            raise RejectedEvent(Reason.WRONG_TYPE, detail)


def _is_short(y_true: object, y_pred: object, prediction_id: str | None) -> bool:
    """Tell whether a side is missing that must be there."""
    absent = is_(y_true, None) + is_(y_pred, None)
    return absent > (prediction_id is not None)


def _lack(lacking: Sequence[str], prediction_id: str | None) -> str:
    if len(lacking) == 1:
        other = "y_pred" if lacking == ["y_true"] else "y_true"
        needs = f"a record with only {other} needs a prediction_id"
        return f"{lacking[0]} is missing; must be a number: {needs}"
    needs = (
        "a record with only one of them needs a prediction_id"
        if prediction_id is None
        else "with a prediction_id one of them is enough"
    )
    return f"y_true and y_pred are missing; must be numbers: {needs}"
