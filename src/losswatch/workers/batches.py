"""Events of a worker to the bytes that are sent."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from losswatch.codec.events import saved_columns
from losswatch.codec.frames import LARGEST_FRAME
from losswatch.codec.tree import encode_tree
from losswatch.core.coded import Coded
from losswatch.core.events import EventColumns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from losswatch.workers.outbox import Cut, Item, Labels

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
    lines: list[Item] = []
    columns = list(zip(*items, strict=True))
    if items and dict in {*map(type, columns[0]), *map(type, columns[1])}:
        # Those of several outputs as JSON: it keeps their order, and every float.
        lines = [item for item in items if dict in {type(item[0]), type(item[1])}]
        items = [item for item in items if dict not in {type(item[0]), type(item[1])}]
        columns = list(zip(*items, strict=True))
    return {
        "model": model,
        "columns": saved_columns(_columns(model, *columns) if items else EventColumns()),
        "lines": "\n".join([_line(model, item) for item in lines]),
    }


def _columns(  # noqa: PLR0913, PLR0917  # the parts of an event
    model: str | None,
    y_true: Sequence[float | None],
    y_pred: Sequence[float | None],
    w: Sequence[float],
    keys: Sequence[Labels],
    times: Sequence[float],
    ids: Sequence[str | None],
) -> EventColumns:
    size = len(keys)
    places = list(map(id, keys))  # equal ones are mostly the same, and id() is cheaper than hash()
    distinct = dict(zip(places, keys, strict=True))
    codes = Coded.of(places) if len(distinct) > 1 else Coded.constant(None, size)  # type: ignore[arg-type]  # numbers do, too
    segment = {
        label: Coded(codes.codes, [dict(key).get(label) for key in distinct.values()])
        for label in dict.fromkeys(label for key in distinct.values() for label, _ in key)
    }
    joined = () if ids.count(None) == size else ids
    models = Coded.constant(model, size)
    return EventColumns(models, y_true, y_pred, w, range(size), times, segment, joined)


def _line(model: str | None, item: Item) -> str:
    names = ("y_true", "y_pred", "w", "segment", "time", "prediction_id")
    values = (*item[:3], dict(item[3]), *item[4:])
    record = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return json.dumps(record | ({} if model is None else {"model": model}))
