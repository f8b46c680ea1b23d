"""Make the parts that a config names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from losswatch.config.model import format_of
from losswatch.core.histogram import DEFAULT_BUCKETS
from losswatch.core.monitor import Monitor
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.file import FileSource
from losswatch.sources.follow import FollowSource
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.sources.stdin import StdinSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from losswatch.config.model import MonitorConfig, SourceConfig
    from losswatch.sources.base import Decoder, Source

__all__ = ["decoder_for", "make_monitor", "make_source"]


def make_monitor(config: MonitorConfig) -> Monitor:
    """Return the monitor of one model."""
    buckets = DEFAULT_BUCKETS if config.buckets is None else tuple(config.buckets)
    outputs = tuple(config.outputs)
    return Monitor(config.model, outputs=outputs, buckets=buckets, unit=config.unit or "")


def make_source(config: SourceConfig, folder: Path) -> Source:
    """Return a source, its path taken from ``folder``.

    Raises
    ------
    SourceError
        The file cannot be opened.
    """
    decoder = decoder_for(config)
    if config.file == "-":
        return StdinSource(decoder, config.max_line_bytes)
    kind = FollowSource if config.follow else FileSource
    return kind(folder / config.file, decoder, config.max_line_bytes)


def decoder_for(config: SourceConfig) -> Callable[[], Decoder]:
    """Return what makes a decoder for each file of a source."""
    fields = Fields({str(name): place for name, place in config.fields.items()})
    if (config.format or format_of(config.file)) == "csv":
        return partial(CsvDecoder, fields, config.model, config.max_line_bytes, config.delimiter)
    return partial(NdjsonDecoder, fields, config.model, config.max_line_bytes)
