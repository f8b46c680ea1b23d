"""Which label sets of a monitor get a cost of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LONGEST_VALUE", "RESERVED", "Segments", "check_label"]

RESERVED = frozenset({"model", "window", "output", "segment", "le", "quantile", "reason"})
"""Labels that the metrics themselves use."""

LONGEST_VALUE = 128
"""Characters of a label's value; a longer one is refused."""

_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Segments:
    """How the events of a monitor are split.

    Parameters
    ----------
    labels
        The labels whose values together name a segment.
    limit
        So many segments at most; the events of further ones count together.
    idle
        Seconds without an event after which a segment is retired.
    declared
        Label sets that are there from the start and never retired.
    """

    labels: tuple[str, ...]
    limit: int = 1000
    idle: float = 86_400.0
    declared: tuple[Mapping[str, str], ...] = ()


def check_label(name: object) -> None:
    """Refuse what cannot be the name of a segment's label.

    Raises
    ------
    ValueError
        With what was found and what is allowed.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"is {name!r:.60}; must be letters, digits and _, not starting with a digit or __"
        )
    if name in RESERVED:
        raise ValueError(f"is {name!r}, which the metrics use themselves; rename it with fields")
