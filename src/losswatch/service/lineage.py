"""Which states a state came from: two with a common past have counted the same events."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from losswatch.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losswatch.sources.base import Position

__all__ = ["LINEAGE", "begun", "joined_lineages", "of_sources"]

LINEAGE = "state:lineage"
"""Stands among the positions of the sources: it is as safe as they are."""


def begun() -> dict[str, Position]:
    """Return the lineage of a state that begins now."""
    return {LINEAGE: {"ids": [secrets.token_hex(8)]}}


def of_sources(positions: Mapping[str, Position]) -> dict[str, Position]:
    """Return the positions without the lineage."""
    return {name: position for name, position in positions.items() if name != LINEAGE}


def joined_lineages(mine: Position, theirs: Position, path: str) -> dict[str, Any]:
    """Return the lineage of the sum of two states.

    Raises
    ------
    StateError
        They have a common past.
    """
    if {*mine["ids"]} & {*theirs["ids"]}:
        raise StateError(
            f"{path}: it and another state are copies of one, or one is a sum that has the other:"
            " what they have in common would count twice; leave one out"
        )
    return {"ids": [*mine["ids"], *theirs["ids"]]}
