"""Events of a worker to the bytes that are sent."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from losswatch.codec.events import saved_columns
from losswatch.codec.frames import LARGEST_FRAME
from losswatch.codec.tree import encode_tree
from losswatch.core.coded import Coded
from losswatch.core.events import EventColumns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.workers.outbox import Cut, Item, Labels

    Columns = list[list[Any]]

__all__ = ["bodies_of"]

logger = logging.getLogger(__name__)

_ROOM = LARGEST_FRAME - 64


def bodies_of(model: str | None, cut: Cut) -> Iterator[tuple[int, bytes]]:
    """Yield batches, each with the number of its events; mostly one, at some 0.15 µs an event.

    An event that cannot be sent is dropped, and does not take the others with it.
    """
    refused = [[why, n, text.encode(errors="replace").decode()] for why, n, text in cut.refused]
    if cut.size or cut.dropped or refused:
        yield from _bodies(model, cut.columns, {"dropped": cut.dropped, "refused": refused})


def _bodies(
    model: str | None, columns: Columns, told: dict[str, Any]
) -> Iterator[tuple[int, bytes]]:
    """Yield one batch, or one of each half if it cannot be one."""
    size = len(columns[0])
    try:
        body = encode_tree(_tree(model, columns) | told)
        why = "it is too large" if len(body) > _ROOM else ""
    except (TypeError, ValueError, OverflowError) as error:
        why = str(error)
    if not why:
        yield size, body
    elif size > 1:
        half = size // 2
        yield from _bodies(model, [column[:half] for column in columns], told)
        rest = [column[half:] for column in columns]
        yield from _bodies(model, rest, {"dropped": 0, "refused": []})
    else:
        logger.warning("an event is dropped, it cannot be sent: %s", why)
        nothing: Columns = [[] for _ in columns]
        yield from _bodies(model, nothing, told | {"dropped": told["dropped"] + 1})


def _tree(model: str | None, columns: Columns) -> dict[str, Any]:
    lines = ""
    if dict in {*map(type, columns[0]), *map(type, columns[1])}:
        # Those of several outputs as JSON: it keeps their order, and every float.
        items = list(zip(*columns, strict=True))
        lines = "\n".join([_line(model, item) for item in items if _has_outputs(item)])
        rest = [item for item in items if not _has_outputs(item)]
        columns = list(map(list, zip(*rest, strict=True))) or [[] for _ in columns]
    saved = saved_columns(_columns(model, *columns))
    return {"model": model, "columns": saved, "lines": lines}


def _has_outputs(item: Item) -> bool:
    return dict in {type(item[0]), type(item[1])}


def _columns(  # noqa: PLR0913, PLR0917  # the parts of an event
    model: str | None,
    y_true: list[Any],
    y_pred: list[Any],
    w: list[float],
    keys: list[Labels],
    times: list[float],
    ids: list[str | None],
) -> EventColumns:
    size = len(keys)
    joined = () if ids.count(None) == size else ids
    models = Coded.constant(model, size)
    return EventColumns(models, y_true, y_pred, w, range(size), times, _segment(keys), joined)


def _segment(keys: list[Labels]) -> dict[str, Coded]:
    """Return a column for each label; equal keys are mostly the same object."""
    if keys.count(keys[0] if keys else ()) == len(keys):
        distinct, codes = keys[:1], np.broadcast_to(np.intp(0), len(keys))
    else:
        places = np.fromiter(map(id, keys), np.intp, len(keys))  # cheaper than hash()
        _, firsts, codes = np.unique(places, return_index=True, return_inverse=True)
        distinct = [keys[first] for first in firsts.tolist()]
    labels = dict.fromkeys(label for key in distinct for label, _ in key)
    values = [dict(key) for key in distinct]
    return {label: Coded(codes, [each.get(label) for each in values]) for label in labels}


def _line(model: str | None, item: Item) -> str:
    names = ("y_true", "y_pred", "w", "segment", "time", "prediction_id")
    values = (*item[:3], dict(item[3]), *item[4:])
    record = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return json.dumps(record | ({} if model is None else {"model": model}))
