"""The values of fields, as they may stand in JSON and in CSV."""

from __future__ import annotations

import math

from losswatch.errors import Reason, RejectedEvent

__all__ = ["json_value", "label", "text_value", "weight"]


def json_value(name: str, value: object) -> float | dict[str, float]:
    """Return a number, or the numbers of several outputs.

    Raises
    ------
    RejectedEvent
        It is missing or ``null``, not finite, or something else: text, a
        boolean and a list are no numbers.
    """
    if not isinstance(value, dict):
        return _number(name, value)
    return {_text(name, key): _number(f"{name}.{key}", number) for key, number in value.items()}


def weight(value: object) -> float:
    """Return a weight; 1 if there is none."""
    return 1.0 if value is None else _number("w", value)


def label(value: object) -> str | None:
    """Return the name of a model, ``None`` if there is none."""
    if value is None:
        return None
    if isinstance(value, str):
        return _text("model", value)
    raise RejectedEvent(Reason.WRONG_TYPE, f"model is {value!r:.60}; must be text")


def text_value(name: str, text: str) -> float:
    """Return a number written as text, as in a CSV cell.

    Raises
    ------
    RejectedEvent
        The cell is empty (``missing_field``), no number or not finite.
    """
    text = text.strip()
    if not text:
        raise RejectedEvent(Reason.MISSING_FIELD, f"{name} is empty; must be a number")
    try:
        number = float(text)
    except ValueError:
        number = None
    if number is None or "_" in text or not text.isascii():  # Python takes 1_000 too
        raise RejectedEvent(Reason.WRONG_TYPE, f"{name} is {text!r:.60}; must be a number")
    return _finite(name, number)


def _text(name: str, text: str) -> str:
    """Refuse half of a surrogate pair: JSON can spell it, nothing can print or export it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        detail = f"{name} has {text!r:.60}, which is no Unicode text"
        raise RejectedEvent(Reason.INVALID_UTF8, detail) from None
    return text


def _number(name: str, value: object) -> float:
    if value is None:
        raise RejectedEvent(Reason.MISSING_FIELD, f"{name} is missing; must be a number")
    if not isinstance(value, float):
        raise RejectedEvent(Reason.WRONG_TYPE, f"{name} is {value!r:.60}; must be a number")
    return _finite(name, value)


def _finite(name: str, number: float) -> float:
    if not math.isfinite(number):
        raise RejectedEvent(Reason.NOT_FINITE, f"{name} is {number}; must be a finite float64")
    return number
