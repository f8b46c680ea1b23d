"""Events of a worker to the bytes that are sent."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from losswatch.codec.events import saved_columns
from losswatch.codec.frames import LARGEST_FRAME
from losswatch.codec.tree import encode_tree
from losswatch.core.events import EventColumns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from losswatch.workers.outbox import Cut, Item

__all__ = ["bodies_of"]

logger = logging.getLogger(__name__)

_ROOM = LARGEST_FRAME - 64


def bodies_of(model: str | None, cut: Cut) -> Iterator[tuple[int, bytes]]:
    """Yield batches, each with the number of its events; mostly one, at some 0.5 µs an event.

    An event that cannot be sent is dropped, and does not take the others with it.
    """
    refused = [[why, n, text.encode(errors="replace").decode()] for why, n, text in cut.refused]
    if cut.items or cut.dropped or refused:
        yield from _bodies(model, cut.items, {"dropped": cut.dropped, "refused": refused})


def _bodies(
    model: str | None, items: Sequence[Item], told: dict[str, Any]
) -> Iterator[tuple[int, bytes]]:
    """Yield one batch, or one of each half if it cannot be one."""
    try:
        body = encode_tree(_tree(model, items) | told)
        why = "it is too large" if len(body) > _ROOM else ""
    except (TypeError, ValueError, OverflowError) as error:
        why = str(error)
    if not why:
        yield len(items), body
    elif len(items) > 1:
        half = len(items) // 2
        yield from _bodies(model, items[:half], told)
        yield from _bodies(model, items[half:], {"dropped": 0, "refused": []})
    else:
        logger.warning("an event is dropped, it cannot be sent: %s", why)
        yield from _bodies(model, (), told | {"dropped": told["dropped"] + 1})


def _tree(model: str | None, items: Sequence[Item]) -> dict[str, Any]:
    lines = [item for item in items if item[0].__class__ is dict or item[1].__class__ is dict]
    if lines:  # of several outputs: JSON keeps their order, and every float
        items = [i for i in items if i[0].__class__ is not dict and i[1].__class__ is not dict]
    return {
        "model": model,
        "columns": saved_columns(_columns(model, items)),
        "lines": "\n".join([_line(model, item) for item in lines]),
    }


def _columns(model: str | None, items: Sequence[Item]) -> EventColumns:
    if not items:
        return EventColumns()
    y_true, y_pred, w, keys, times, ids = zip(*items, strict=True)
    distinct = dict.fromkeys(keys)
    segment = {}
    for label in dict.fromkeys(label for key in distinct for label, _ in key):
        values = {key: dict(key).get(label) for key in distinct}
        segment[label] = list(map(values.__getitem__, keys))
    joined = () if ids.count(None) == len(ids) else ids
    models = [model] * len(items)
    return EventColumns(models, y_true, y_pred, w, range(len(items)), times, segment, joined)


def _line(model: str | None, item: Item) -> str:
    names = ("y_true", "y_pred", "w", "segment", "time", "prediction_id")
    values = (*item[:3], dict(item[3]), *item[4:])
    record = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return json.dumps(record | ({} if model is None else {"model": model}))
