"""Alarms for people, and ``losswatch acknowledge``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from losswatch.errors import SourceError
from losswatch.service.alarm_log import told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from losswatch.core.alarmed import AlarmChange

__all__ = ["acknowledge", "print_alarms"]

_MOST_SHOWN = 50
_SECONDS = 15.0


def print_alarms(console: Console, changes: Sequence[AlarmChange]) -> None:
    """Print when each alarm went on and off; of very many only the first."""
    for change in changes[:_MOST_SHOWN]:
        console.print(told(change), style="bold red" if change.raised else "green")
    if len(changes) > _MOST_SHOWN:
        more = len(changes) - _MOST_SHOWN
        console.print(f"{more:,} more changes of alarms; --json shows all", style="dim")


def acknowledge(url: str, model: str, alarm: str, segment: Mapping[str, str]) -> int:
    """Turn an alarm of a running service off; exit 1 if it cannot be done.

    Raises
    ------
    SourceError
        The service does not answer, or refuses; with what it said.
    """
    content = {"model": model, "alarm": alarm} | ({"segment": dict(segment)} if segment else {})
    address = f"{url.rstrip('/')}/api/v1/alarms/acknowledge"
    try:
        request = urllib.request.Request(  # noqa: S310  # the caller names the service
            address, json.dumps(content).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            count = json.load(answer)["acknowledged"]
    except urllib.error.HTTPError as error:
        raise SourceError(f"{address}: {_detail(error)}") from None
    except (OSError, ValueError, KeyError) as error:
        reason = getattr(error, "reason", None) or error
        raise SourceError(f"{address}: no answer of losswatch: {reason}") from None
    where = "was not on" if not count else f"was on in {count} place{'s' * (count > 1)}; it is off"
    print(f"{alarm} of {model} {where}")
    return 0


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
