"""The records of a join as a tree, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.core.join.records import SCORED, Records
from losswatch.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from losswatch.core.cells.scored import Indexes

__all__ = ["dump_records", "load_records"]


def dump_records(records: Records) -> dict[str, Any]:
    """Return all records; what is forgotten by then leaves no trace."""
    rows = records.occupied()
    places = rows.tolist()
    names = [records.ids[row] or "" for row in places]
    text = "".join(names).encode()
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


def load_records(tree: Mapping[str, Any], records: Records, slots: int) -> Indexes:
    """Fill empty records from a tree; return their rows.

    Parameters
    ----------
    tree
        What :func:`dump_records` returned.
    records
        Those to fill.
    slots
        How many slots there are: no event was entered in another.

    Raises
    ------
    StateError
        The tree is not of records of this many outputs.
    """
    try:
        ids = _cut(tree["ids"].astype(np.uint8).tobytes().decode(), tree["id_lengths"])
        keys = [None if key is None else tuple(key) for key in tree["keys"]]
        codes = tree["key_codes"].tolist()
        fit = _fits(tree, len(ids), records.outputs, slots) and len(set(ids)) == len(ids)
        if not fit or not all(0 <= code < len(keys) for code in codes):
            raise StateError("the records of the join do not fit together; restore a copy")
        rows = records.add(ids)
        for name in ("bits", *Records.NUMBERS, *Records.WHOLE):
            getattr(records, name)[rows] = tree[name]
        records.y_pred[:, rows], records.y_true[:, rows] = tree["y_pred"], tree["y_true"]
        for row, code in zip(rows.tolist(), codes, strict=True):
            records.keys[row] = keys[code]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, StateError):
            raise
        raise StateError(
            f"the records of the join cannot be read ({error}); restore a copy"
        ) from None
    return rows


def _factorised(keys: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    distinct = list(dict.fromkeys(keys))
    place = {key: code for code, key in enumerate(distinct)}
    return distinct, np.array([place[key] for key in keys], dtype=np.int64)


def _cut(text: str, lengths: NDArray[np.int64]) -> list[str]:
    """Return the texts that were joined."""
    ends = np.cumsum(lengths).tolist()
    if (lengths < 1).any() or (ends[-1] if ends else 0) != len(text):
        raise StateError("the ids of the join do not fit together; restore a copy")
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _fits(tree: Mapping[str, Any], size: int, outputs: int, slots: int) -> bool:
    """Tell whether all columns are of one length, and hold what they can."""
    columns = ("bits", "key_codes", *Records.NUMBERS, *Records.WHOLE)
    shapes = all(tree[name].shape == (size,) for name in columns)
    sides = all(tree[name].shape == (outputs, size) for name in ("y_pred", "y_true"))
    bits, slot = tree["bits"], tree["slot"]
    kinds = ((bits >= 1) & (bits <= SCORED)).all()
    return bool(shapes and sides and kinds and ((slot >= -1) & (slot < slots)).all())
