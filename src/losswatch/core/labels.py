"""What the labels of segments may be called, and what their values may be.

This is the only place that decides it, for events and for the config, so it
loads nothing.
"""

from __future__ import annotations

import re
from numbers import Integral

from losswatch.errors import Reason, RejectedEvent

__all__ = ["LONGEST_VALUE", "RESERVED", "check_label", "label_text", "label_value"]

RESERVED = frozenset(
    {
        *("model", "window", "output", "segment", "le", "quantile", "reason"),
        *("alarm", "severity", "kind", "guarantee"),
        "alertname",  # alerts overwrite it: those of two segments would be the same, and fail
    }
)
"""Labels that the metrics themselves, or the alerts on them, use."""

LONGEST_VALUE = 128
"""Characters of a label's value; a longer one is refused."""

_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_TEXT = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{LONGEST_VALUE}}}")
"""No control characters, and no half of a surrogate pair: nothing can print or export them.

``str.isprintable`` refuses more: what joins letters in Persian and in emoji.
"""

_RULE = f"must be text of 1 to {LONGEST_VALUE} characters, none a control, or a whole number"


def check_label(name: object) -> None:
    """Refuse what cannot be the name of a segment's label.

    Raises
    ------
    ValueError
        With what was found and what is allowed.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"is {name!r:.60}; must be letters, digits and _, not starting with a digit or __"
        )
    if name in RESERVED:
        raise ValueError(
            f"is {name!r}, which metrics and alerts use themselves; rename it with fields"
        )


def label_text(value: object) -> str | None:
    """Return the value of a label as text, ``None`` if there is none.

    Raises
    ------
    ValueError
        With what was found and what is allowed.

    Examples
    --------
    >>> label_text("oslo"), label_text(12), label_text(None)
    ('oslo', '12', None)
    """
    if value is None:
        return None
    text: object = value
    if value.__class__ is not bool and isinstance(value, Integral):  # NumPy's are too
        if abs(int(value)) >= 10**LONGEST_VALUE:  # Python refuses to spell much longer ones
            raise ValueError(f"is a number of more than {LONGEST_VALUE} digits; {_RULE}")
        text = str(value)
    if not isinstance(text, str):
        raise ValueError(f"is {value!r:.60}; {_RULE}")  # noqa: TRY004  # as the others here
    if len(text) > LONGEST_VALUE:
        raise ValueError(f"has {len(text)} characters; {_RULE}")
    if not _TEXT.fullmatch(text):
        raise ValueError(f"is {value!r:.60}; {_RULE}")
    return text


def label_value(name: str, value: object) -> str | None:
    """Return the value of a label of an event; see :func:`label_text`.

    Raises
    ------
    RejectedEvent
        With the name of the label (``invalid_segment``).
    """
    try:
        return label_text(value)
    except ValueError as error:
        raise RejectedEvent(Reason.INVALID_SEGMENT, f"segment.{name} {error}") from None
