"""Lines of JSON read the quick way: typed records of just the fields needed, and columns."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from losswatch.core.events import EventColumns
from losswatch.core.labels import label_value
from losswatch.sources.ids import id_column, id_value
from losswatch.sources.times import time_column
from losswatch.sources.values import is_absent, segment_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from losswatch.sources.fields import Fields

__all__ = ["Records"]


class Records:
    """Reads lines as records of one type.

    Parameters
    ----------
    fields
        Where the fields stand.
    model
        The model of records that name none.
    whole
        Whether each record has both sides, and then no id: that is faster.
    """

    def __init__(self, fields: Fields, model: str | None, *, whole: bool) -> None:
        struct, attributes = fields.struct(whole=whole)
        self.read = msgspec.json.Decoder(struct).decode
        self._y_true, self._y_pred, self._w, self._model, self._time, self._id = (
            _getter(attributes.get(name))
            for name in ("y_true", "y_pred", "w", "model", "time", "prediction_id")
        )
        self._has_ids = "prediction_id" in attributes
        self._segment = {name: _getter(attributes[field]) for name, field in fields.segment.items()}
        self._default_model = model

    def columns(self, records: list[Any], lines: Sequence[int]) -> EventColumns:
        """Return the events of records.

        Raises
        ------
        RejectedEvent
            A time, a label or an id cannot be used; see :meth:`sides`.
        """
        default = self._default_model
        model, w = list(map(self._model, records)), list(map(self._w, records))
        n = len(records)
        return EventColumns(
            model=[default] * n if is_absent(model) else _named(model, default),
            y_true=list(map(self._y_true, records)),
            y_pred=list(map(self._y_pred, records)),
            w=[1.0] * n if is_absent(w) else [1.0 if x is None else x for x in w],
            line=lines,
            time=time_column(list(map(self._time, records))),
            segment={
                name: segment_column(name, list(map(label_of, records)))
                for name, label_of in self._segment.items()
            },
            prediction_id=id_column(list(map(self._id, records))) if self._has_ids else (),
        )

    def sides(self, record: Any) -> tuple[float | None, float | None, str | None]:  # noqa: ANN401  # a type made at run time
        """Return both sides of a record and its id, if :meth:`columns` takes it.

        Raises
        ------
        RejectedEvent
            It does not.
        """
        for name, label_of in self._segment.items():
            label_value(name, label_of(record))
        time_column([self._time(record)])
        return self._y_true(record), self._y_pred(record), id_value(self._id(record))


def _getter(attribute: str | None) -> Callable[[Any], Any]:
    """Return what reads an attribute, or nothing where a field has no place."""
    return (lambda _: None) if attribute is None else attrgetter(attribute)


def _named(models: list[str | None], default: str | None) -> list[str | None]:
    """Return the models; those that are not named or empty are the default."""
    if {None, ""}.isdisjoint(models):
        return models
    return [model or default for model in models]
