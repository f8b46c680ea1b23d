"""What an arrival means, given what is known of its id: the rules of the join.

They do not depend on the order of arrival: the prediction is the first, the
truth is the one of the latest time, and the time of the truth is that of the
earliest. Every rule works on columns, of arrivals with distinct ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.join.records import PREDICTED, SCORED, TRUE
from losswatch.core.validity import find_rejected
from losswatch.errors import Reason, RejectedEvent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes
    from losswatch.core.join.arrivals import Arrivals
    from losswatch.core.join.records import Records

    Flags = NDArray[np.bool_]

__all__ = ["Decision", "decide"]


@dataclass(slots=True)
class Decision:
    """What becomes of the records of some arrivals, each in its row."""

    bits: NDArray[np.uint8]
    y_pred: Floats
    y_true: Floats
    w: Floats
    predicted_at: Floats
    true_at: Floats
    revised_at: Floats
    new_prediction: Flags
    same_prediction: Flags
    same_truth: Flags
    revised: Flags  # the truth is another now
    accepted: Flags
    rejected: list[RejectedEvent]  # each with its place among the arrivals

    def write(self, records: Records, rows: Indexes) -> None:
        """Write down what was accepted."""
        rows, ok = rows[self.accepted], self.accepted
        for name in ("bits", "w", "predicted_at", "true_at", "revised_at"):
            getattr(records, name)[rows] = getattr(self, name)[ok]
        records.y_pred[:, rows] = self.y_pred[:, ok]
        records.y_true[:, rows] = self.y_true[:, ok]


def decide(arrivals: Arrivals, records: Records, rows: Indexes) -> Decision:
    """Return what arrivals with distinct ids change; nothing is written down yet."""
    known = records.bits[rows]
    predicted, true = (known & PREDICTED) != 0, (known & TRUE) != 0
    has_pred, has_true = arrivals.has_pred, arrivals.has_true
    y_pred, w = records.y_pred[:, rows], records.w[rows]
    same = (y_pred == arrivals.y_pred).all(axis=0) & (w == arrivals.w)
    conflict = has_pred & predicted & ~same
    new_prediction = has_pred & ~predicted

    y_true, revised_at = records.y_true[:, rows], records.revised_at[rows]
    other = has_true & true & (y_true != arrivals.y_true).any(axis=0)
    outdated = other & (arrivals.time < revised_at)
    takes_truth = has_true & (~true | (other & ~outdated))
    first = np.where(true, np.minimum(records.true_at[rows], arrivals.time), arrivals.time)
    last = np.where(true, np.maximum(revised_at, arrivals.time), arrivals.time)

    decision = Decision(
        bits=(known | has_pred * np.uint8(PREDICTED) | has_true * np.uint8(TRUE)).astype(np.uint8),
        y_pred=np.where(new_prediction, arrivals.y_pred, y_pred),
        y_true=np.where(takes_truth, arrivals.y_true, y_true),
        w=np.where(new_prediction, arrivals.w, w),
        predicted_at=np.where(new_prediction, arrivals.time, records.predicted_at[rows]),
        true_at=np.where(has_true, first, records.true_at[rows]),
        revised_at=np.where(has_true, last, revised_at),
        new_prediction=new_prediction,
        same_prediction=has_pred & predicted & same,
        same_truth=has_true & true & ~other,
        revised=other & ~outdated,
        accepted=~conflict,
        rejected=[],
    )
    _refuse(decision, arrivals, records, rows, conflict, outdated & ~conflict)
    return decision


def _refuse(  # noqa: PLR0913, PLR0917  # all that a refusal tells
    decision: Decision,
    arrivals: Arrivals,
    records: Records,
    rows: Indexes,
    conflict: Flags,
    outdated: Flags,
) -> None:
    """Refuse what contradicts, what is outdated, and what cannot be scored."""
    for place in np.flatnonzero(conflict).tolist():
        decision.rejected.append(_conflict(arrivals, records, rows, place))
    for place in np.flatnonzero(outdated).tolist():
        decision.rejected.append(_outdated(arrivals, records, rows, place))
    scored = np.flatnonzero((decision.bits == SCORED) & decision.accepted)
    if scored.size:
        for y_true, y_pred in zip(decision.y_true, decision.y_pred, strict=True):
            for rejection in find_rejected(y_true[scored], y_pred[scored], decision.w[scored]):
                place = int(scored[rejection.index or 0])
                if decision.accepted[place]:
                    decision.accepted[place] = False
                    decision.rejected.append(rejection.at(place))


def _conflict(arrivals: Arrivals, records: Records, rows: Indexes, place: int) -> RejectedEvent:
    known, given = records.y_pred[:, rows[place]], arrivals.y_pred[:, place]
    if (known == given).all():
        found = f"w {float(arrivals.w[place])!r}, and had {float(records.w[rows[place]])!r}"
    else:
        found = f"y_pred {_spelt(given)}, and had {_spelt(known)}"
    detail = f"the prediction {arrivals.ids[place]!r:.60} has {found}; the first one counts"
    return RejectedEvent(Reason.CONFLICTING_PREDICTION, detail, place)


def _outdated(arrivals: Arrivals, records: Records, rows: Indexes, place: int) -> RejectedEvent:
    detail = (
        f"the truth of {arrivals.ids[place]!r:.60} is {_spelt(arrivals.y_true[:, place])} of time"
        f" {float(arrivals.time[place])!r}; one of {float(records.revised_at[rows[place]])!r}"
        " is known, and the latest counts"
    )
    return RejectedEvent(Reason.OUTDATED_TRUTH, detail, place)


def _spelt(numbers: Floats) -> str:
    texts = [repr(number) for number in numbers.tolist()]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
