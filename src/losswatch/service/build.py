"""Make the parts that a config names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from losswatch.core.histogram import DEFAULT_BUCKETS
from losswatch.core.monitor import Monitor
from losswatch.core.segments import Segments
from losswatch.core.window import parse_duration
from losswatch.sources.batches import BatchDecoder
from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields
from losswatch.sources.file import FileSource
from losswatch.sources.follow import FollowSource
from losswatch.sources.http import HttpSource, Kind
from losswatch.sources.ndjson import NdjsonDecoder
from losswatch.sources.stdin import StdinSource
from losswatch.sources.workers import SocketSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from losswatch.config.model import KafkaConfig, MonitorConfig, SocketConfig, SourceConfig
    from losswatch.sources.base import Decoder, Source

M = TypeVar("M", bound=Monitor)

KINDS: tuple[Kind, ...] = ("any", "prediction", "truth")

__all__ = ["change_socket", "decoder_for", "make_monitor", "make_source", "segments_of"]


def make_monitor(
    config: MonitorConfig,
    clock: Callable[[], float] | None = None,
    kind: type[M] = Monitor,  # type: ignore[assignment]  # the default of a type variable
) -> M:
    """Return the monitor of one model; without a clock the latest event is now."""
    return kind(
        config.model,
        outputs=tuple(config.outputs),
        buckets=DEFAULT_BUCKETS if config.buckets is None else tuple(config.buckets),
        unit=config.unit or "",
        windows=config.windows,
        segments=segments_of(config),
        join=config.join.settings,
        alarms=config.made_alarms,
        max_rmse=None if config.objective is None else config.objective.max_rmse,
        model_version=config.model_version or "",
        exemplars=config.exemplars,
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
    config: SourceConfig,
    folder: Path,
    labels: Sequence[str] = (),
    *,
    timed: bool = True,
    wake: Callable[[], object] = lambda: None,
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
    wake
        Called by a source that has something, if it can tell.

    Raises
    ------
    SourceError
        The source cannot be used.
    """
    fields = Fields(config.fields, labels, timed=timed)
    if config.kafka is not None:
        return _kafka_source(config, config.kafka, folder, fields)
    if config.http is not None:
        decoders = {
            kind: NdjsonDecoder(fields, config.model, config.max_line_bytes, kind, config.http.path)
            for kind in KINDS
        }
        return HttpSource(config.title, decoders, config.http.queue, wake)
    if config.socket is not None:
        return _socket_source(config, config.socket, folder, fields, wake)
    return _file_source(config, folder, fields)


def _file_source(config: SourceConfig, folder: Path, fields: Fields) -> Source:
    decoder = decoder_for(config, fields)
    if config.file is None or config.file == "-":
        return StdinSource(decoder, config.max_line_bytes)
    if config.lines == "parquet":
        from losswatch.sources.parquet import ParquetSource  # noqa: PLC0415  # an extra

        return ParquetSource(folder / config.file, fields, config.model)
    kind = FollowSource if config.follow else FileSource
    return kind(folder / config.file, decoder, config.max_line_bytes)


def _kafka_source(config: SourceConfig, kafka: KafkaConfig, folder: Path, fields: Fields) -> Source:
    from losswatch.sources.kafka import KafkaSource  # noqa: PLC0415  # an extra

    return KafkaSource(
        kafka.brokers,
        kafka.topics,
        kafka.group,
        partial(NdjsonDecoder, fields, config.model, config.max_line_bytes),
        start=kafka.start,
        dead_letters=_letters_of(kafka, folder),
        settings=kafka.settings,
    )


def _socket_source(
    config: SourceConfig,
    settings: SocketConfig,
    folder: Path,
    fields: Fields,
    wake: Callable[[], object],
) -> Source:
    from losswatch.sources.listener import Listener  # noqa: PLC0415  # Windows has no such sockets

    listener = Listener(folder / settings.path, int(settings.mode, 8))
    decoder = BatchDecoder(fields, config.model)
    return SocketSource(config.title, listener, decoder, settings.queue, wake)


def change_socket(
    source: SocketSource, config: SourceConfig, labels: Sequence[str] = (), *, timed: bool = True
) -> None:
    """Have a socket that stays go on by another config."""
    assert config.socket is not None
    decoder = BatchDecoder(Fields(config.fields, labels, timed=timed), config.model)
    source.change(decoder, config.socket.queue, int(config.socket.mode, 8))


def _letters_of(kafka: KafkaConfig, folder: Path) -> Path | str | None:
    """Return the path or the topic of dead letters."""
    letters = kafka.dead_letters
    if letters is None:
        return None
    return folder / letters.file if letters.file else letters.topic


def decoder_for(config: SourceConfig, fields: Fields) -> Callable[[], Decoder]:
    """Return what makes a decoder for each file of a source."""
    if config.lines == "csv":
        return partial(CsvDecoder, fields, config.model, config.max_line_bytes, config.delimiter)
    return partial(NdjsonDecoder, fields, config.model, config.max_line_bytes)
