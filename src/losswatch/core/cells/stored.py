"""Sums and events as trees: what does not depend on how cells lie in memory.

A column of limbs is named by its field and the power of two that it counts, so
that a release with other fields or limbs reads it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losswatch.core.cells.cell import Cell
from losswatch.core.cells.grouping import Block, Grouped, carry
from losswatch.core.cells.layout import (
    ABSOLUTE,
    COUNT,
    ERROR,
    FIELDS,
    LIMB,
    LOSS,
    SQUARE,
    TRUTH,
    WEIGHT,
)
from losswatch.core.cells.scored import Scored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Indexes
    from losswatch.core.tree import Node, Tree

__all__ = ["dump_events", "dump_sums", "load_events", "load_sums", "moved", "unique"]

_NAMES = dict(
    zip(
        ("loss", "error", "absolute", "weight", "truth", "square"),
        (LOSS, ERROR, ABSOLUTE, WEIGHT, TRUTH, SQUARE),
        strict=True,
    )
)

_LARGE = 1 << 48
"""Limbs from here on are taken as integers, lest many of them leave 64 bits."""

_FARTHEST = 5000
"""No term of float64 counts a power of two beyond these."""


def dump_sums(sums: Grouped) -> Tree:
    """Return sums as a tree. No slot has only zeros, no column either."""
    columns = sums.block.columns
    tree: dict[str, Tree] = {"slots": sums.block.slots}
    tree["n"] = columns.get(COUNT, np.zeros(sums.block.slots.size, dtype=np.int64))
    for name, place in _NAMES.items():
        tree[name] = {
            str(place.unit + LIMB * limb): columns[column]
            for limb, column in enumerate(place.columns)
            if column in columns
        }
    odd: list[Tree] = []
    for slot, cell in sums.odd.items():
        pairs: list[Tree] = [list(total.canonical()) for total in cell.sums]
        odd.append([slot, cell.n, *pairs])
    tree["odd"] = odd
    return tree


def load_sums(node: Node, size: int) -> Grouped:
    """Return the sums of a tree, of slots below ``size``.

    Raises
    ------
    StateError
        It is no such tree.
    """
    slots = unique(node, "slots", size)
    columns = {COUNT: node.ints("n", slots.size, _LARGE)}
    odd = _load_odd(node.node("odd"), size)
    for which, (name, place) in enumerate(_NAMES.items()):
        inside = {place.unit + LIMB * limb: column for limb, column in enumerate(place.columns)}
        for text, limbs_node in node.node(name).nodes():
            exponent = _exponent(text, limbs_node)
            limbs = node.node(name).signed(text, slots.size)
            beyond = np.abs(limbs) >= _LARGE if exponent in inside else limbs != 0
            for at in np.flatnonzero(beyond).tolist():
                cell = odd.setdefault(int(slots[at]), Cell())
                cell.sums[which].update_units(int(limbs[at]), -exponent)
            limbs[beyond] = 0
            if exponent in inside:
                columns[inside[exponent]] = limbs
    carry(columns)
    return Grouped(Block(slots, columns), odd)


def moved(sums: Grouped, to: Indexes) -> Grouped:
    """Return sums with each slot ``s`` as ``to[s]``; several may become one."""
    slots, places = np.unique(to[sums.block.slots], return_inverse=True)
    columns = {}
    for column, limbs in sums.block.columns.items():
        columns[column] = np.zeros(slots.size, dtype=np.int64)
        np.add.at(columns[column], places, limbs)
    carry(columns)
    odd: dict[int, Cell] = {}
    for slot, cell in sums.odd.items():
        odd.setdefault(int(to[slot]), Cell()).merge(cell)
    return Grouped(Block(slots, columns), odd)


def dump_events(events: Scored) -> dict[str, Tree]:
    """Return events as a tree."""
    tree: dict[str, Tree] = {"slot": events.slot, "error": events.error, "y_true": events.y_true}
    return tree | {"w": events.w}


def load_events(node: Node, slots: int) -> Scored:
    """Return the events of a tree, of slots below ``slots``.

    Raises
    ------
    StateError
        It is no such tree, or an event of it cannot be.
    """
    slot = node.ints("slot", below=slots).astype(np.intp)
    error, y_true = node.floats("error", slot.size), node.floats("y_true", slot.size)
    w = None if node.node("w").tree is None else node.floats("w", slot.size)
    with np.errstate(all="ignore"):
        weights = np.ones(slot.size) if w is None else w
        losses = weights * (error * error)
        possible = (weights > 0.0) & np.isfinite(losses) & np.isfinite(weights * error)
    if not possible.all():
        raise node.node("error").wrong("errors and weights whose loss is finite")
    return Scored(slot, error, y_true, w)


def unique(node: Node, key: str, below: int) -> NDArray[np.intp]:
    """Return a column of slots, each at most once."""
    slots = node.ints(key, below=below)
    if np.unique(slots).size < slots.size:
        raise node.node(key).wrong("slots, each once")
    return slots.astype(np.intp)


def _exponent(text: str, node: Node) -> int:
    try:
        exponent = int(text)
    except ValueError:
        exponent = _FARTHEST + 1
    if abs(exponent) > _FARTHEST:
        raise node.wrong("named by a power of two")
    return exponent


def _load_odd(node: Node, size: int) -> dict[int, Cell]:
    odd: dict[int, Cell] = {}
    for row in node.rows():
        match row:
            case [int(slot), int(n), *pairs] if 0 <= slot < size and len(pairs) == len(FIELDS):
                cell = odd[slot] = Cell()
                cell.n = n
            case _:
                raise node.wrong("rows of a slot, a count and a pair for each sum")
        for total, pair in zip(cell.sums, pairs, strict=True):
            match pair:
                case [int(units), int(shift)] if 0 <= shift <= _FARTHEST:
                    total.update_units(units, shift)
                case _:
                    raise node.wrong("pairs of integers")
    return odd
