"""Where the fields of an event stand in the user's records, as the YAML says."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FIELD_KEYS", "FIELD_NAME", "SEGMENT", "FieldName", "conflict_of"]

SEGMENT = "segment."
"""What the name of a label's field begins with."""

_FIXED = ("y_true", "y_pred", "w", "model", "time", "prediction_id")
_OPTIONAL = _FIXED[2:]
FIELD_KEYS = [*_FIXED, f"{SEGMENT}<label>"]
"""The keys of ``fields``, as people are told."""

FIELD_NAME = rf"^({'|'.join(_FIXED)}|segment\.[a-zA-Z_][a-zA-Z0-9_]*)$"
FieldName = Annotated[str, Field(pattern=FIELD_NAME)]

_NO_KEY = re.compile(r'["\\\x00-\x1f]')


def conflict_of(fields: Mapping[str, str], kind: str, labels: Iterable[str] = ()) -> str:
    """Return why fields cannot stand at these places, nothing if they can.

    Parameters
    ----------
    fields
        Field to place; those not named stand under their own names, if no
        other takes that place: all but ``y_true`` and ``y_pred`` give way.
    kind
        The format of the source.
    labels
        Those of segments.
    """
    nested = kind != "csv"
    names = (*_FIXED, *(f"{SEGMENT}{label}" for label in labels))
    free = [name for name in names if not _gives_way(name, fields, nested=nested)]
    places = {name: name for name in free} | dict(fields)
    for name, place in places.items():
        if nested and (not all(place.split(".")) or _NO_KEY.search(place)):
            return (
                f"{name} is at {place!r}; must be keys with dots between them, without quotes,"
                " backslashes and control characters"
            )
    for (name, place), (other, another) in combinations(places.items(), 2):
        if _overlap(place, another, nested=nested):
            return (
                f"{name} is at {place} and {other} at {another}; give each a place of its own,"
                " none inside another"
            )
    return ""


def _gives_way(name: str, fields: Mapping[str, str], *, nested: bool) -> bool:
    """Tell whether another field stands where an optional one would: then it is not read."""
    taken = any(_overlap(name, place, nested=nested) for place in fields.values())
    return taken and name in _OPTIONAL


def _overlap(place: str, other: str, *, nested: bool) -> bool:
    longer, shorter = max(place, other, key=len), min(place, other, key=len)
    return place == other or (nested and longer.startswith(f"{shorter}."))
