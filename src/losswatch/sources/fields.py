"""Where the fields of an event stand in the user's own records."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FIELDS", "Fields"]

FIELDS = ("y_true", "y_pred", "w", "model", "time", "prediction_id")
"""The fields of an event, its two sides first."""

_OPTIONAL = frozenset(FIELDS[2:])
_SEGMENT = "segment."
_LABEL_TYPE = (str | int | None, None)

_TYPES: dict[str, tuple[Any, ...]] = {
    "y_true": (float,),
    "y_pred": (float,),
    "w": (float | None, None),
    "model": (str | None, None),
    "time": (float | datetime | None, None),
    "prediction_id": (str | int | None, None),
}
_PARTIAL_TYPES = _TYPES | dict.fromkeys(("y_true", "y_pred"), (float | None, None))

Tree = dict[str, "Tree | str"]


class Fields:
    """The place of each field: a key, or nested keys as in ``payload.actual``.

    An optional field that is not named has no place if another takes it, and
    is not read: not in ``places`` then, which are names as they stand, nor in
    ``paths``, which are those of nested keys.

    Parameters
    ----------
    places
        Field to place; a field not named stands under its own name. No two
        at the same place, none inside another: the config sees to that.
    labels
        Those of segments: each is one more field, as in ``segment.city``.
    timed
        Whether the time is read; it takes as long as the rest of an event.

    Examples
    --------
    >>> fields = Fields({"y_true": "payload.actual"})
    >>> fields.paths["y_true"], fields.paths["y_pred"]
    (('payload', 'actual'), ('y_pred',))
    """

    def __init__(
        self,
        places: Mapping[str, str] | None = None,
        labels: Iterable[str] = (),
        *,
        timed: bool = True,
    ) -> None:
        self.segment = {label: f"{_SEGMENT}{label}" for label in labels}  # label to field
        names = [name for name in FIELDS if timed or name != "time"] + [*self.segment.values()]
        given = {name: place for name, place in (places or {}).items() if name in names}
        self.named = frozenset(given)  # by the user: they must be there
        self.places = {name: name for name in names} | given
        self.paths = {name: tuple(place.split(".")) for name, place in self.places.items()}
        for name in _OPTIONAL & set(names) - self.named:  # where another field stands in its place
            if name in given.values():
                del self.places[name]
            if name in {place.split(".")[0] for place in given.values()}:
                del self.paths[name]

    def struct(self, *, whole: bool = False) -> tuple[type[msgspec.Struct], dict[str, str]]:
        """Return a type that decodes just these fields, and the attribute of each.

        The attributes are dotted where the places are, for
        :func:`operator.attrgetter`; a field without a place has none.

        Parameters
        ----------
        whole
            Only records that have both sides; then their id is not read.
        """
        tree: Tree = {}
        for name, path in self.paths.items():
            if whole and name == "prediction_id":
                continue
            branch = tree
            for key in path[:-1]:
                branch = branch.setdefault(key, {})  # type: ignore[assignment]
            branch[path[-1]] = name
        attributes: dict[str, str] = {}
        return _struct(tree, "", attributes, _TYPES if whole else _PARTIAL_TYPES), attributes


def _struct(
    tree: Tree, prefix: str, attributes: dict[str, str], types: dict[str, tuple[Any, ...]]
) -> type[msgspec.Struct]:
    """Return the type of one level; keys become ``f0``, ``f1`` ... as attributes."""
    members: list[tuple[Any, ...]] = []
    keys = {}
    for index, (key, node) in enumerate(tree.items()):
        attribute = f"f{index}"
        keys[attribute] = key
        if isinstance(node, str):
            attributes[node] = prefix + attribute
            members.append((attribute, *types.get(node, _LABEL_TYPE)))
        else:
            inner = _struct(node, f"{prefix}{attribute}.", attributes, types)
            optional = all(
                field.default is not msgspec.NODEFAULT
                or field.default_factory is not msgspec.NODEFAULT
                for field in msgspec.structs.fields(inner)
            )
            default = (msgspec.field(default_factory=inner),) if optional else ()
            members.append((attribute, inner, *default))
    # Those without a default come first, as they must: y_true and y_pred lead FIELDS.
    return msgspec.defstruct("Record", members, rename=keys, gc=False)
