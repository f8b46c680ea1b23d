"""The sources that a config names, opened; those that stay the same over a reload."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from losswatch.config.model import labels_of
from losswatch.errors import SourceError
from losswatch.service.build import change_socket, make_source
from losswatch.sources.http import HttpSource
from losswatch.sources.workers import SocketSource
from losswatch.web.api import Inlet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from losswatch.config.model import Config, SourceConfig
    from losswatch.sources.base import Position, Source

__all__ = [
    "Opened",
    "change_sockets",
    "close_new",
    "inlets_of",
    "open_sources",
    "reopen_sources",
    "resume",
]

logger = logging.getLogger(__name__)


class Opened(NamedTuple):
    """A source, what the YAML says of it, and what the monitors ask of all sources."""

    config: SourceConfig
    labels: tuple[str, ...]
    timed: bool
    source: Source

    @property
    def is_stdin(self) -> bool:
        """Whether it is standard input, which nobody can read a second time."""
        return self.config.file == "-"

    def is_socket_of(self, config: SourceConfig) -> bool:
        """Whether a config has this socket, which nobody can listen on a second time."""
        mine, theirs = self.config.socket, config.socket
        return mine is not None and theirs is not None and mine.path == theirs.path


def open_sources(
    config: Config,
    folder: Path,
    wake: Callable[[], object],
    before: Sequence[Opened] = (),
) -> list[Opened]:
    """Return the sources of a config; those of before where nothing of them changed.

    Raises
    ------
    SourceError
        One cannot be opened; those that were opened here are closed again.
    """
    labels = tuple(labels_of(config.monitors))
    timed = any(monitor.timed for monitor in config.monitors)
    opened: list[Opened] = []
    try:
        for each in config.sources:
            kept = [old for old in before if old[:3] == (each, labels, timed)]
            kept = kept or [old for old in before if old.is_stdin and each.file == "-"]
            kept = kept or [old for old in before if old.is_socket_of(each)]
            if kept:
                opened.append(_as_before(kept[0], each, (labels, timed)))
                continue
            _refuse_pipe(each, folder)
            source = make_source(each, folder, labels, timed=timed, wake=wake)
            opened.append(Opened(each, labels, timed, source))
    except BaseException:
        close_new(opened, before)
        raise
    return opened


def reopen_sources(
    config: Config,
    folder: Path,
    wake: Callable[[], object],
    before: Sequence[Opened],
    positions: Mapping[str, Position],
) -> list[Opened]:
    """Return the sources of a config that was loaded again; new ones go on at their positions."""
    opened = open_sources(config, folder, wake, before)
    old = [each.source for each in before]
    try:
        resume([each for each in opened if each.source not in old], positions)
    except BaseException:
        close_new(opened, before)
        raise
    return opened


def change_sockets(opened: Iterable[Opened], before: Sequence[Opened]) -> None:
    """Have sockets that stay go on by what the config says of them now."""
    old = [each.source for each in before]
    for each in opened:
        if isinstance(each.source, SocketSource) and each.source in old and each not in before:
            change_socket(each.source, each.config, each.labels, timed=each.timed)


def resume(opened: Iterable[Opened], positions: Mapping[str, Position]) -> None:
    """Have sources go on where the state says."""
    for _, _, _, source in opened:
        if source.name in positions:
            source.resume(positions[source.name])


def inlets_of(opened: Iterable[Opened]) -> Iterator[Inlet]:
    """Yield where events are sent to."""
    for config, _, _, source in opened:
        if config.http is not None and isinstance(source, HttpSource):
            yield Inlet(config.http.path, source, config.http.max_body_bytes)


def _as_before(kept: Opened, config: SourceConfig, reading: tuple[tuple[str, ...], bool]) -> Opened:
    if config.socket is not None:
        return Opened(config, *reading, kept.source)  # it changes with the monitors
    if (kept.config, kept.labels, kept.timed) != (config, *reading):
        logger.warning("standard input is read as before until a restart")
    return kept


def close_new(opened: Iterable[Opened], before: Sequence[Opened]) -> None:
    """Close sources that were not there before."""
    old = [each.source for each in before]
    for each in opened:
        if each.source not in old:
            each.source.close()


def _refuse_pipe(config: SourceConfig, folder: Path) -> None:
    """Refuse a file that would block the other sources: a pipe or a directory."""
    if config.file is None or config.file == "-":
        return
    path = folder / config.file
    if path.exists() and not path.is_file():
        raise SourceError(f"{path}: is no regular file; a pipe can be standard input: file: '-'")
