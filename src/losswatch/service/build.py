"""Make the parts that a config names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from losswatch.config.model import format_of
from losswatch.core.histogram import DEFAULT_BUCKETS
from losswatch.core.monitor import Monitor
from losswatch.core.segments import Segments
from losswatch.core.window import parse_duration
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.file import FileSource
from losswatch.sources.follow import FollowSource
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.sources.stdin import StdinSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from losswatch.config.model import MonitorConfig, SourceConfig
    from losswatch.sources.base import Decoder, Source

__all__ = ["decoder_for", "make_monitor", "make_source", "segments_of"]


def make_monitor(config: MonitorConfig, clock: Callable[[], float] | None = None) -> Monitor:
    """Return the monitor of one model; without a clock the latest event is now."""
    return Monitor(
        config.model,
        outputs=tuple(config.outputs),
        buckets=DEFAULT_BUCKETS if config.buckets is None else tuple(config.buckets),
        unit=config.unit or "",
        windows=config.windows,
        segments=segments_of(config),
        clock=clock,
    )


def segments_of(config: MonitorConfig) -> Segments | None:
    """Return how the events of a model are split, ``None`` if they are not."""
    segments = config.segments
    if segments is None:
        return None
    return Segments(
        tuple(segments.labels),
        limit=segments.limit,
        idle=parse_duration(segments.idle),
        declared=tuple(segments.declared),
    )


def make_source(
    config: SourceConfig, folder: Path, labels: Sequence[str] = (), *, timed: bool = True
) -> Source:
    """Return a source, its path taken from ``folder``.

    Parameters
    ----------
    config
        What is read, and how.
    folder
        Where its path begins.
    labels
        Those of segments that are read.
    timed
        Whether the times of events are read.

    Raises
    ------
    SourceError
        The file cannot be opened.
    """
    decoder = decoder_for(config, labels, timed=timed)
    if config.file == "-":
        return StdinSource(decoder, config.max_line_bytes)
    kind = FollowSource if config.follow else FileSource
    return kind(folder / config.file, decoder, config.max_line_bytes)


def decoder_for(
    config: SourceConfig, labels: Sequence[str] = (), *, timed: bool = True
) -> Callable[[], Decoder]:
    """Return what makes a decoder for each file of a source."""
    fields = Fields(config.fields, labels, timed=timed)
    if (config.format or format_of(config.file)) == "csv":
        return partial(CsvDecoder, fields, config.model, config.max_line_bytes, config.delimiter)
    return partial(NdjsonDecoder, fields, config.model, config.max_line_bytes)
