"""How values are written in rules: the same for YAML, PromQL and templates."""

from __future__ import annotations

import re

__all__ = ["duration", "matching", "quoted", "selector"]

_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r"}
_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def quoted(text: str) -> str:
    r"""Return text in double quotes, with escapes that YAML and PromQL read alike.

    Examples
    --------
    >>> print(quoted('say "no"\n\x85'))
    "say \"no\"\n\u0085"
    """
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def duration(seconds: float) -> str:
    """Return whole seconds, at least one, as Prometheus spells them.

    Examples
    --------
    >>> duration(151_200), duration(604_800), duration(0.2)
    ('1d18h', '1w', '1s')
    """
    rest, parts = max(round(seconds), 1), ""
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        parts += f"{count}{unit}" if count else ""
    return parts


def selector(job: str, models: tuple[str, ...] = (), more: str = "") -> str:
    r"""Return the labels that samples of a job have, of just these models if there are some.

    Examples
    --------
    >>> print(selector("losswatch"), selector("l", ("eta", "a.b"), 'reason="ttl"'))
    {job="losswatch"} {job="l",model=~"eta|a\\.b",reason="ttl"}
    """
    parts = [f"job={quoted(job)}"]
    if models:
        parts.append(f"model=~{quoted(matching(models))}")
    return f"{{{','.join([*parts, *([more] if more else [])])}}}"


def matching(names: tuple[str, ...]) -> str:
    r"""Return a regular expression, of Go and of JavaScript, that matches just these names.

    Examples
    --------
    >>> print(matching(("eta", "a.b")))
    eta|a\.b
    """
    return "|".join(map(_pattern, names))


def _pattern(text: str) -> str:
    return re.sub(r"([.*+?()|\[\]{}^$\\])", r"\\\1", text)
