"""One JSON object read the thorough way: what is wrong with it, and what stands in it."""

from __future__ import annotations

import json

from losswatch.errors import Reason, RejectedEvent

__all__ = ["read_object", "walk"]

_LONGEST_INTEGER = 256
"""Digits of a number that is kept as an integer, as long as an id may be; more take long."""


def read_object(line: bytes) -> object:
    """Return the object that a line of UTF-8 holds.

    Raises
    ------
    RejectedEvent
        It is no JSON, nested too deep, or no object.
    """
    try:
        record = json.loads(line.decode(), parse_int=_integer)  # bytes could pass as UTF-16
    except RecursionError:
        detail = "the line is nested too deep; must be a JSON object with few levels"
        raise RejectedEvent(Reason.TOO_DEEP, detail) from None
    except json.JSONDecodeError as error:
        hint = "" if b"{" in line or b"}" in line else " (is it CSV? then the format must be csv)"
        detail = f"{error.msg}: column {error.colno}; must be one JSON object a line{hint}"
        raise RejectedEvent(Reason.INVALID_JSON, detail) from None
    if not isinstance(record, dict):
        raise RejectedEvent(Reason.WRONG_TYPE, f"{record!r:.60} is found; must be a JSON object")
    return record


def walk(
    record: object, path: tuple[str, ...] | None, reason: Reason = Reason.WRONG_TYPE
) -> object:
    """Return what stands at a path, ``None`` if nothing does or there is no path.

    Raises
    ------
    RejectedEvent
        Something on the way is no object.
    """
    if path is None:
        return None
    for key in path:
        if not isinstance(record, dict):
            if record is None:
                return None
            detail = f"{record!r:.60} is found where an object with {key!r} must be"
            raise RejectedEvent(reason, detail)
        record = record.get(key)
    return record


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
