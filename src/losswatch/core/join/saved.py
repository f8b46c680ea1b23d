"""The records of a join as a tree, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.join.records import SCORED, Records
from losswatch.core.join.tally import Tally
from losswatch.core.validity import find_rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.products import Floats
    from losswatch.core.tree import Node

__all__ = ["dump_records", "load_records", "load_tally"]

_SURROGATES = "surrogatepass"
"""An id may have half of a character, as JSON can spell it."""


def dump_records(records: Records) -> dict[str, Any]:
    """Return all records; what is forgotten by then leaves no trace."""
    rows = records.occupied()
    places = rows.tolist()
    names = [records.ids[row] or "" for row in places]
    text = "".join(names).encode(errors=_SURROGATES)
    distinct, codes = _factorised([records.keys[row] for row in places])
    return {
        "ids": np.frombuffer(text, dtype=np.int8),
        "id_lengths": np.array([len(name) for name in names], dtype=np.int64),
        "keys": [None if key is None else list(key) for key in distinct],
        "key_codes": codes,
        "bits": records.bits[rows].astype(np.int64),
        "y_pred": records.y_pred[:, rows],
        "y_true": records.y_true[:, rows],
        **{name: getattr(records, name)[rows] for name in (*Records.NUMBERS, *Records.WHOLE)},
    }


def load_records(node: Node, outputs: int, labels: int) -> Records:
    """Return the records of a tree.

    Parameters
    ----------
    node
        What :func:`dump_records` returned.
    outputs
        How many numbers a prediction has.
    labels
        How many labels a segment has.

    Raises
    ------
    StateError
        The tree is not of such records.
    """
    ids = _ids(node)
    bits, keys = node.ints("bits", len(ids), SCORED + 1), _keys(node, len(ids), labels)
    records = Records(outputs)
    rows = records.add(ids)
    if (bits == 0).any():
        raise node.node("bits").wrong("from 1 on")
    records.bits[rows] = bits
    for name in Records.NUMBERS:
        getattr(records, name)[rows] = _times(node, name, len(ids))
    for name in Records.WHOLE:
        getattr(records, name)[rows] = node.signed(name, len(ids))
        if (getattr(records, name)[rows] < (-1 if name == "slot" else 0)).any():
            raise node.node(name).wrong("from 0 on")
    records.y_pred[:, rows], records.y_true[:, rows] = (
        _numbers(node, name, (outputs, len(ids))) for name in ("y_pred", "y_true")
    )
    records.keys = keys
    _check_entered(node, records)
    return records


def load_tally(node: Node) -> Tally:
    """Return what is counted over restarts.

    Raises
    ------
    StateError
        It is missing or cannot be.
    """
    return Tally(
        ever_predicted=node.whole("ever_predicted"),
        ever_scored=node.whole("ever_scored"),
        last_prediction=node.time("last_prediction"),
        last_truth=node.time("last_truth"),
    )


def _factorised(keys: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    distinct = list(dict.fromkeys(keys))
    place = {key: code for code, key in enumerate(distinct)}
    return distinct, np.array([place[key] for key in keys], dtype=np.int64)


def _ids(node: Node) -> list[str]:
    """Return the texts that were joined, each once."""
    lengths = node.ints("id_lengths", below=1 << 20)
    try:
        text = node.signed("ids").astype(np.uint8).tobytes().decode(errors=_SURROGATES)
    except UnicodeDecodeError:
        raise node.node("ids").wrong("UTF-8") from None
    ends = np.cumsum(lengths).tolist()
    if (lengths < 1).any() or (ends[-1] if ends else 0) != len(text):
        raise node.node("id_lengths").wrong("the lengths of all ids")
    ids = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    if len(set(ids)) < len(ids):
        raise node.node("ids").wrong("ids, each once")
    return ids


def _keys(node: Node, size: int, labels: int) -> list[Any]:
    """Return the values of the labels of each record."""
    distinct: list[Any] = []
    for key in node.node("keys").rows():
        if key is not None and not (
            isinstance(key, list)
            and len(key) == labels
            and all(text is None or isinstance(text, str) for text in key)
        ):
            raise node.node("keys").wrong("lists with a text for each label of the segments")
        distinct.append(None if key is None else tuple(key))
    codes = node.ints("key_codes", size, len(distinct)).tolist()
    return [distinct[code] for code in codes]


def _times(node: Node, name: str, size: int) -> Floats:
    """Return a column of times or weights; what is never forgotten is so at infinity."""
    values = _numbers(node, name, (size,), finite=name != "deadline")
    if not (values >= 0.0).all():
        raise node.node(name).wrong("numbers from 0 on")
    return values


def _numbers(node: Node, name: str, shape: tuple[int, ...], *, finite: bool = True) -> Floats:
    values = node.node(name).tree
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or values.shape != shape:
        raise node.node(name).wrong(f"floats of the shape {shape}")
    if finite and not np.isfinite(values).all():
        raise node.node(name).wrong("finite numbers")
    return values


def _check_entered(node: Node, records: Records) -> None:
    """Refuse events that cannot have been entered."""
    entered = records.slot >= 0
    if (records.bits[entered] != SCORED).any():
        raise node.node("slot").wrong("below 0 where nothing was scored")
    for y_true, y_pred in zip(records.y_true, records.y_pred, strict=True):
        if find_rejected(y_true[entered], y_pred[entered], records.w[entered]):
            raise node.node("y_true").wrong("numbers whose loss is finite")
