"""What a state file holds, and how monitors come out of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from losswatch.config.load import parse_monitor
from losswatch.core.monitors import Monitors
from losswatch.errors import ConfigError, StateError
from losswatch.service.build import make_monitor
from losswatch.store.codec import decode_tree, encode_tree
from losswatch.store.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from losswatch.core.monitor import Monitor
    from losswatch.store.database import Store

__all__ = ["SavedState", "declarations", "parts_of", "read_state", "saved_monitor"]

MONITOR = "monitor/"
"""What the part of a model begins with that holds what it saw."""

DECLARED = "declared/"
"""What the part of a model begins with that holds what the YAML says of it."""

WATCHED = "watched"
"""The part that names the models of the YAML: the state may have others, of before."""


class SavedState(NamedTuple):
    """What was read: monitors as they were declared, and those texts."""

    monitors: Monitors
    declared: dict[str, str]
    commits: int  # those that came after the last snapshot


def parts_of(monitors: Monitors) -> dict[str, bytes]:
    """Return what monitors have seen, by the names of the parts."""
    return {MONITOR + monitor.model: encode_tree(monitor.dump()) for monitor in monitors}


def declarations(declared: Mapping[str, str]) -> dict[str, bytes]:
    """Return what the YAML says of each model, by the names of the parts."""
    texts = {DECLARED + model: text.encode() for model, text in declared.items()}
    return texts | {WATCHED: json.dumps(sorted(declared)).encode()}


def read_state(store: Store, clock: Callable[[], float] | None = None) -> SavedState:
    """Return monitors that have seen all that a state has.

    They are those of the YAML that the state was written with, which may have
    changed: what the journal has was counted, or refused, by those.

    Raises
    ------
    StateError
        The state is damaged.
    """
    parts = store.parts()
    try:
        return _read(parts, store, clock)
    except StateError as error:
        where = f"{store.path}: "
        raise StateError(where + str(error).removeprefix(where)) from None


def saved_monitor(
    store: Store, model: str, clock: Callable[[], float] | None = None
) -> Monitor | None:
    """Return what a state has of a model that was not watched lately, if anything.

    Raises
    ------
    StateError
        It is damaged.
    """
    parts = store.parts()
    declared, seen = parts.get(DECLARED + model), parts.get(MONITOR + model)
    if declared is None or seen is None:
        return None
    monitor = _made(model, declared.decode(), clock)
    _load(monitor, seen)
    return monitor


def _read(parts: dict[str, bytes], store: Store, clock: Callable[[], float] | None) -> SavedState:
    declared = {
        name.removeprefix(DECLARED): data.decode()
        for name, data in parts.items()
        if name.startswith(DECLARED)
    }
    monitors = {model: _made(model, text, clock) for model, text in declared.items()}
    for model, monitor in monitors.items():
        if MONITOR + model in parts:
            _load(monitor, parts.pop(MONITOR + model))
    names = json.loads(parts[WATCHED]) if WATCHED in parts else list(monitors)
    commits = _count_journal(store, Monitors(monitors[name] for name in names))
    return SavedState(Monitors(monitors.values()), declared, commits)


def _made(model: str, text: str, clock: Callable[[], float] | None) -> Monitor:
    try:
        return make_monitor(parse_monitor(json.loads(text)), clock)
    except ConfigError as error:
        problems = "; ".join(f"{each.path}: {each.message}" for each in error.problems)
        raise StateError(
            f"the state declares {model!r} in a way that this release does not know ({problems});"
            " upgrade losswatch"
        ) from None


def _load(monitor: Monitor, data: bytes) -> None:
    tree = decode_tree(data)
    if not isinstance(tree, dict):
        raise StateError(f"the state of {monitor.model!r} is no table; restore a copy")
    monitor.load(tree)


def _count_journal(store: Store, monitors: Monitors) -> int:
    commits = 0
    for entry in map(Entry.from_bytes, store.journal()):
        monitors.take(entry.columns, entry.events, at=entry.at)
        for told in entry.acknowledged:
            monitors.acknowledge(*told)
        commits += 1
    return commits
