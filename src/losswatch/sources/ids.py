"""The ids by which predictions and truths find each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from losswatch.errors import Reason, RejectedEvent
from losswatch.sources.values import is_absent

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["id_column", "id_value"]

_LONGEST = 256
_TEXT = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{_LONGEST}}}")
_RULE = f"must be text of 1 to {_LONGEST} characters, none a control, or a whole number"


def id_value(value: object) -> str | None:
    """Return an id as text, ``None`` if there is none.

    Raises
    ------
    RejectedEvent
        It is something else than text or a whole number, too long, or has
        what nothing can print (``invalid_id``).

    Examples
    --------
    >>> id_value("a7"), id_value(12), id_value(""), id_value(None)
    ('a7', '12', None, None)
    """
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**_LONGEST:  # Python refuses to spell much longer ones
            raise _invalid(f"is a number of more than {_LONGEST} digits")
        value = str(value)
    if not isinstance(value, str):
        raise _invalid(f"is {value!r:.60}")
    if len(value) > _LONGEST:
        raise _invalid(f"has {len(value)} characters")
    if not _TEXT.fullmatch(value):
        raise _invalid(f"is {value!a:.60}")
    return value


def id_column(values: Sequence[str | int | None]) -> Sequence[str | None]:
    """Return the ids of a column, nothing if no event has one; fast if all are plain text.

    Raises
    ------
    RejectedEvent
        See :func:`id_value`.
    """
    if is_absent(values):
        return ()
    try:
        plain = "".join(values).isprintable()  # type: ignore[arg-type]
    except TypeError:  # one is a number, or missing
        plain = False
    lengths = set(map(len, values)) if plain else {0}  # type: ignore[arg-type]
    if min(lengths) > 0 and max(lengths) <= _LONGEST:
        return values  # type: ignore[return-value]
    ids = list(map(id_value, values))
    return () if is_absent(ids) else ids


def _invalid(what: str) -> RejectedEvent:
    return RejectedEvent(Reason.INVALID_ID, f"prediction_id {what}; {_RULE}")
