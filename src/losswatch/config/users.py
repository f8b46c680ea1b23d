"""Users in a file of their own, as htpasswd makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.config.web import hash_problem
from losswatch.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_users"]


def read_users(path: Path) -> dict[str, str]:
    """Return the bcrypt hash of each user, from lines ``user:hash``; ``#`` begins a comment.

    Raises
    ------
    ConfigError
        With every line that is wrong, but not with what it says.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        message = f"cannot be read: {reason}; basic_auth_users_file must name a file with users"
        raise ConfigError(str(path), [Problem(0, "", message)]) from None
    users: dict[str, str] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            user, _, secret = line.strip().partition(":")
            if problem := _problem(user, secret, users):
                problems.append(Problem(number, "", problem))
            users[user] = secret
    if not users:
        problems.append(Problem(0, "", "has no user; must have lines user:hash"))
    if problems:
        raise ConfigError(str(path), problems)
    return users


def _problem(user: str, secret: str, users: dict[str, str]) -> str:
    if not user or not secret:
        return "is no user:hash"
    return "has a user that was there before; keep one" if user in users else hash_problem(secret)
