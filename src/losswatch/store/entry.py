"""One entry of the journal: what one commit brought."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from losswatch.core.events import Event, EventColumns
from losswatch.errors import StateError
from losswatch.store.codec import decode_tree, encode_tree
from losswatch.store.columns import (
    labels_of,
    lines_of,
    numbers_of,
    saved_labels,
    saved_lines,
    saved_numbers,
    saved_texts,
    texts_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losswatch.store.tree import Tree

__all__ = ["Acknowledged", "Entry"]

_VERSION = 1
_NUMBERS = ("y_true", "y_pred", "w", "time")


class Acknowledged(NamedTuple):
    """An alarm that was turned off."""

    model: str
    alarm: str
    segment: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Events that were committed together, and when they came; or alarms that were acknowledged.

    Its bytes bring back columns and events that mean the same to a monitor:
    numbers as arrays, with NaN where there was none. About 0.3 µs an event.

    Parameters
    ----------
    columns
        Events of one output each.
    events
        Events of several outputs.
    at
        When they came, in seconds since 1970.
    acknowledged
        Alarms that were turned off then, after the events.

    Examples
    --------
    >>> columns = EventColumns(["eta"], [10.0], [None], [1.0], [1], prediction_id=["a1"])
    >>> Entry.from_bytes(bytes(Entry(columns, [], at=5.0))).columns.y_pred
    array([nan])
    """

    columns: EventColumns
    events: Sequence[Event]
    at: float
    acknowledged: Sequence[Acknowledged] = ()

    def __bytes__(self) -> bytes:
        return encode_tree(
            {
                "version": _VERSION,
                "at": float(self.at),
                "columns": _saved_columns(self.columns),
                # As JSON: it keeps the order of outputs, and every float.
                "events": json.dumps([_saved_event(event) for event in self.events]),
                **({"acknowledged": json.dumps(self.acknowledged)} if self.acknowledged else {}),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry:
        """Return the entry that these bytes are of.

        Raises
        ------
        StateError
            They are damaged, or of a version not known here.
        """
        tree = decode_tree(data)
        try:
            _check_version(tree["version"])
            columns = _columns_of(tree["columns"])
            events = [Event(*record) for record in json.loads(tree["events"])]
            told = json.loads(tree.get("acknowledged", "[]"))
            return cls(columns, events, tree["at"], [Acknowledged(*each) for each in told])
        except StateError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise StateError(f"the saved state holds no entry of the journal ({error!r})") from None


def _check_version(version: object) -> None:
    if version != _VERSION:
        raise StateError(
            f"the entry of the journal has version {version!r}; this release reads version"
            f" {_VERSION}: upgrade losswatch"
        )


def _saved_columns(columns: EventColumns) -> Tree:
    return {
        "model": saved_labels(columns.model),
        "line": saved_lines(columns.line),
        "prediction_id": saved_texts(columns.prediction_id),
        # A list: the order of labels is that of the config.
        "segment": [[label, saved_labels(column)] for label, column in columns.segment.items()],
        **{name: saved_numbers(getattr(columns, name)) for name in _NUMBERS},
    }


def _columns_of(saved: Tree) -> EventColumns:
    line = lines_of(saved["line"])
    columns = EventColumns(
        model=labels_of(saved["model"], len(line)),
        line=line,
        prediction_id=texts_of(saved["prediction_id"]) or (),
        segment={label: labels_of(column, len(line)) for label, column in saved["segment"]},
        **{name: _or_nothing(numbers_of(saved[name])) for name in _NUMBERS},
    )
    optional = (columns.time, columns.prediction_id, *columns.segment.values())
    needed = (columns.model, columns.y_true, columns.y_pred, columns.w)
    sizes = {*map(len, needed), *(len(column) for column in optional if len(column))}
    if sizes - {len(line)}:
        raise StateError("the columns of a saved entry differ in length; restore a copy")
    return columns


def _or_nothing(column: Any) -> Any:  # noqa: ANN401  # as the column is
    """Return what an empty column is made of, ``()``."""
    return column if len(column) else ()


def _saved_event(event: Event) -> tuple[object, ...]:
    segment = None if event.segment is None else dict(event.segment)
    return (*event[:6], segment, event.prediction_id)
