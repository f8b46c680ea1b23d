"""Text from outside, made safe for logs and terminals."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""Return text without line feeds, escape sequences and the like.

    Examples
    --------
    >>> printable("København"), printable("a\nb")
    ('København', 'a\\nb')
    """
    return text if text.isprintable() else text.encode("unicode_escape").decode()
