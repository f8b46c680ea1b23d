"""When an event was: seconds since 1970 from numbers and from text, alone and in columns."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import sub
from typing import TYPE_CHECKING

import msgspec

from losswatch.core.clock import LATEST, unit_hint
from losswatch.errors import Reason, RejectedEvent
from losswatch.sources.values import float_column, is_absent

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["is_time", "time_cell", "time_cells", "time_column", "time_value"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_OFFSET = _EPOCH.replace(tzinfo=None)
_RULE = "must be seconds since 1970 or ISO 8601 text such as 2026-01-31T10:00:00Z"
_RANGE = "must be from 1970 to year 9999, in seconds"

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2})?)?)?)?"
)
"""What ISO 8601 allows beyond RFC 3339: only a date, no seconds, an offset in hours."""

_DECODE_TEXTS = msgspec.json.Decoder(list[datetime]).decode


def time_value(value: object) -> float | None:
    """Return the seconds since 1970 of a time in JSON, ``None`` if there is none.

    Text without an offset is UTC, never the time zone of the machine.

    Raises
    ------
    RejectedEvent
        It is no time (``invalid_time``), or before 1970 or after the year 9999.
    """
    if value is None:
        return None
    if isinstance(value, str):
        seconds = _parsed(value)
        if not is_time(seconds):
            raise _invalid(f"time is {value!r:.60}; {_RANGE}")
        return seconds
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _invalid(f"time is {value!r:.60}; {_RULE}")
    if not is_time(value):
        raise _invalid(f"time is {value!r:.60}; {_RANGE}{unit_hint(value)}")
    return float(value)


def time_cell(cell: str) -> float | None:
    """Return the seconds since 1970 of a CSV cell, ``None`` if it is empty.

    What is a number is one: ``20260131`` is no date.

    Raises
    ------
    RejectedEvent
        See :func:`time_value`.
    """
    text = cell.strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return time_value(text)
    if "_" in text or not text.isascii():  # Python takes 1_000 too
        raise _invalid(f"time is {text!r:.60}; {_RULE}")
    return time_value(number)


def time_column(values: Sequence[float | datetime | None]) -> Sequence[float | None]:
    """Return the seconds since 1970 of a column; nothing if no event has a time.

    Raises
    ------
    RejectedEvent
        One of them is out of range.
    """
    if is_absent(values):
        return ()
    seconds = _all_seconds(values)
    known = [second for second in seconds if second is not None]
    for extreme in (min(known), max(known)):
        time_value(extreme)
    return seconds


def time_cells(cells: Sequence[str]) -> Sequence[float | None]:
    """Return the seconds since 1970 of CSV cells; nothing if all are empty.

    Raises
    ------
    RejectedEvent
        See :func:`time_value`.
    """
    if numbers := float_column(cells):
        return time_column(numbers)
    text = '","'.join(map(str.strip, cells))
    with suppress(msgspec.DecodeError):
        if "\\" not in text:  # or JSON would take it for a sign of its own
            return time_column(_DECODE_TEXTS(f'["{text}"]'))
    return time_column(list(map(time_cell, cells)))


def is_time(value: float | datetime) -> bool:
    """Tell whether a time is in range."""
    return 0 <= (_seconds(value) if isinstance(value, datetime) else value) < LATEST


def _seconds(moment: datetime) -> float:
    return (moment - (_EPOCH if moment.tzinfo else _EPOCH_WITHOUT_OFFSET)).total_seconds()


def _all_seconds(values: Sequence[float | datetime | None]) -> Sequence[float | None]:
    kinds = set(map(type, values))
    if kinds == {float}:
        return values  # type: ignore[return-value]
    if kinds == {datetime}:  # all with an offset or all without: ten times as fast
        for epoch in (_EPOCH, _EPOCH_WITHOUT_OFFSET):
            with suppress(TypeError):
                return list(map(timedelta.total_seconds, map(sub, values, repeat(epoch))))
    return [_seconds(value) if isinstance(value, datetime) else value for value in values]


def _parsed(text: str) -> float:
    """Read text: as the decoder of records does, or else what it does not know of ISO 8601."""
    with suppress(msgspec.ValidationError, UnicodeEncodeError):
        return _seconds(msgspec.convert(text, datetime))
    with suppress(ValueError):
        if _ISO.fullmatch(text):
            return _seconds(datetime.fromisoformat(text.upper()))
    raise _invalid(f"time is {text!r:.60}; {_RULE}")


def _invalid(detail: str) -> RejectedEvent:
    return RejectedEvent(Reason.INVALID_TIME, detail)
