"""Rules as YAML that people can read: comments, blocks, no line longer than it must be."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from losswatch.generate.rule import Alert, Recording
from losswatch.generate.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from losswatch.generate.rule import Group

__all__ = ["document"]

_WIDTH = 96
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_SPACE = "\0"
"""A space at which no line ends."""

_RULE, _KEY, _LABEL = " " * 6, " " * 8, " " * 10


def document(head: str, groups: Iterable[Group], runbook: str) -> str:
    """Return the text of a rules file.

    Parameters
    ----------
    head
        What the file is, as a comment.
    groups
        Those without rules are left out.
    runbook
        What the links to the runbook begin with.
    """
    lines = [*_comment(head, ""), "", "groups:"]
    for group in groups:
        if group.rules:
            lines += _group_lines(group, runbook)
    return "\n".join(lines) + "\n"


def _group_lines(group: Group, runbook: str) -> Iterator[str]:
    yield from _comment(group.about, "  ")
    yield f"  - name: {group.name}"
    if group.interval:
        yield f"    interval: {group.interval}"
    yield "    rules:"
    for rule in group.rules:
        yield from _alert_lines(rule, runbook) if isinstance(rule, Alert) else _recording(rule)
        yield ""


def _recording(rule: Recording) -> Iterator[str]:
    yield f"{_RULE}- record: {rule.record}"
    yield from _block("expr", rule.expr)


def _alert_lines(alert: Alert, runbook: str) -> Iterator[str]:
    yield from _comment(alert.why, _RULE)
    yield f"{_RULE}- alert: {alert.name}"
    yield from _block("expr", alert.expr)
    if alert.wait:
        yield f"{_KEY}for: {alert.wait}"
    if alert.keep:
        yield f"{_KEY}keep_firing_for: {alert.keep}"
    severity = {"severity": str(alert.severity)} if alert.severity else {}
    labels = {**severity, **alert.labels}
    if labels:
        yield f"{_KEY}labels:"
        yield from (f"{_LABEL}{name}: {quoted(value)}" for name, value in labels.items())
    yield f"{_KEY}annotations:"
    yield f"{_LABEL}summary: {quoted(alert.summary)}"
    yield f"{_LABEL}description: >-"
    yield from _wrapped(alert.description, f"{_LABEL}  ")
    yield f"{_LABEL}runbook_url: {quoted(f'{runbook}#{alert.name.lower()}')}"


def _block(key: str, text: str) -> Iterator[str]:
    yield f"{_KEY}{key}: |-"
    yield from (f"{_LABEL}{line}" for line in text.splitlines())


def _comment(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from _wrapped(paragraph, f"{indent}# ")


def _wrapped(text: str, indent: str) -> list[str]:
    """Return lines that fold to the same text; what is in ``{{ }}`` stays on one."""
    whole = _TEMPLATE.sub(lambda found: found[0].replace(" ", _SPACE), text)
    lines = textwrap.wrap(
        whole,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_SPACE, " ") for line in lines]
