"""Alarms for people, and ``losswatch acknowledge``."""

from __future__ import annotations

import base64
import json
import os
import ssl
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from losswatch.errors import SourceError
from losswatch.service.alarm_log import told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from losswatch.core.alarmed import AlarmChange

__all__ = ["Door", "acknowledge", "print_alarms"]

_MOST_SHOWN = 50
_SECONDS = 15.0
_WHO = "name the user with --user, and set LOSSWATCH_PASSWORD to the password"
_REMEDY = (
    "name its address with --url, with https:// if it speaks TLS, and who signed its certificate"
    " with --ca-file; if it wants a certificate of yours, use curl: see docs/api.md"
)


def print_alarms(console: Console, changes: Sequence[AlarmChange]) -> None:
    """Print when each alarm went on and off; of very many only the first."""
    for change in changes[:_MOST_SHOWN]:
        console.print(told(change), style="bold red" if change.raised else "green")
    if len(changes) > _MOST_SHOWN:
        more = len(changes) - _MOST_SHOWN
        console.print(f"{more:,} more changes of alarms; --json shows all", style="dim")


class Door(NamedTuple):
    """Where a service answers, and how to be let in."""

    url: str
    user: str | None = None
    ca_file: str | None = None

    def open(self, path: str, content: object) -> Any:  # noqa: ANN401  # whatever JSON says
        """Send JSON and return what is answered."""
        request = urllib.request.Request(  # noqa: S310  # http and https alone: see the argument
            self.url.rstrip("/") + path,
            json.dumps(content).encode(),
            {"Content-Type": "application/json", **self._credentials()},
        )
        context = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
        with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as answer:  # noqa: S310  # nosec
            return json.load(answer)

    def _credentials(self) -> dict[str, str]:
        if self.user is None:
            return {}
        pair = f"{self.user}:{os.environ.get('LOSSWATCH_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def acknowledge(door: Door, model: str, alarm: str, segment: Mapping[str, str]) -> int:
    """Turn an alarm of a running service off.

    Raises
    ------
    SourceError
        The service does not answer, or refuses; with what it said.
    """
    content = {"model": model, "alarm": alarm} | ({"segment": dict(segment)} if segment else {})
    try:
        count = door.open("/api/v1/alarms/acknowledge", content)["acknowledged"]
    except urllib.error.HTTPError as error:
        remedy = f"; {_WHO}" if error.code == HTTPStatus.UNAUTHORIZED else ""
        raise SourceError(f"{door.url}: {_detail(error)}{remedy}") from None
    except (OSError, ValueError, KeyError) as error:
        reason = getattr(error, "reason", None) or error
        raise SourceError(f"{door.url}: no answer of losswatch: {reason}; {_REMEDY}") from None
    where = "was not on" if not count else f"was on in {count} place{'s' * (count > 1)}; it is off"
    print(f"{alarm} of {model} {where}")
    return 0


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
