"""Which format a scraper gets: of what can be written, what it likes best."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Format", "format_for"]


class Format(NamedTuple):
    """How the page is written, and what its ``Content-Type`` says of it."""

    openmetrics: bool
    content_type: str


_PLAIN = Format(openmetrics=False, content_type="text/plain; version=0.0.4; charset=utf-8")
_TEXT = Format(openmetrics=False, content_type="text/plain; version=1.0.0; charset=utf-8")
_OPENMETRICS = Format(
    openmetrics=True, content_type="application/openmetrics-text; version=1.0.0; charset=utf-8"
)

_KNOWN = {
    ("*/*", ""): _PLAIN,
    ("text/*", ""): _PLAIN,
    ("text/plain", ""): _PLAIN,
    ("text/plain", "0.0.4"): _PLAIN,
    ("text/plain", "1.0.0"): _TEXT,
    ("application/openmetrics-text", ""): _OPENMETRICS,
    ("application/openmetrics-text", "1.0.0"): _OPENMETRICS,
}
"""By type and version; one that is not here cannot be written, so it is not promised either."""

_ESCAPINGS = ("underscores", "allow-utf-8", "dots", "values")
"""How names of other characters would be written; ours have none, so all of them are the same."""


def format_for(accept: str) -> Format:
    """Return the format of the largest ``q``, plain text if none fits. Never raises.

    Parameters
    ----------
    accept
        The request's ``Accept`` header.

    Examples
    --------
    >>> format_for("text/plain;version=0.0.4;q=0.5, application/openmetrics-text;q=0.4").openmetrics
    False
    >>> format_for("application/openmetrics-text;version=2.0.0").content_type
    'text/plain; version=0.0.4; charset=utf-8'
    """
    best, most = _PLAIN, (0.0, False)
    for asked in accept.split(","):
        media, *rest = (part.strip() for part in asked.split(";"))
        parameters = dict(map(_parameter, rest))
        found = _KNOWN.get((media.lower(), parameters.get("version", "")))
        liked = (_quality(parameters.get("q", "1")), "*" not in media)
        if found is not None and liked[0] > 0 and liked > most:
            best, most = _escaped(found, parameters), liked
    return best


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _quality(text: str) -> float:
    """Return a ``q``, 1 if it makes no sense."""
    try:
        quality = float(text)
    except ValueError:
        return 1.0
    return 1.0 if math.isnan(quality) else quality


def _escaped(found: Format, parameters: dict[str, str]) -> Format:
    """Return the format with its escaping, where the version that was asked for has one."""
    if parameters.get("version") != "1.0.0":
        return found
    asked = parameters.get("escaping")
    escaping = asked if asked in _ESCAPINGS else _ESCAPINGS[0]
    return found._replace(content_type=f"{found.content_type}; escaping={escaping}")
