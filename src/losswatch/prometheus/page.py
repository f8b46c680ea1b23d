"""The page at ``/metrics``: samples in, text or OpenMetrics out."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np

from losswatch.prometheus.metrics import METRICS, PREFIX
from losswatch.prometheus.sample import Histograms, Rows, Sample, finite
from losswatch.prometheus.spelling import escape, escape_help, spell, spell_column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from losswatch.core.exemplars import Exemplar
    from losswatch.prometheus.label_texts import LabelTexts
    from losswatch.prometheus.sample import Block

__all__ = ["EXEMPLAR_LABEL", "Page"]

EXEMPLAR_LABEL = "prediction_id"


class Page:
    """Writes samples by family, in the order of :data:`METRICS`. Not thread-safe.

    The same as ``prometheus_client`` writes of the same samples, in 0.5 µs each
    instead of 7. Numbers that were not asked for are not computed.

    Parameters
    ----------
    texts
        Label sets that were written before.
    openmetrics
        The format: OpenMetrics 1.0, else Prometheus's text. The end of the page
        is not written.
    names
        If not empty, only samples of these names, and no family without any.
    check
        Called before each block; may raise to give up.
    """

    def __init__(
        self,
        texts: LabelTexts,
        *,
        openmetrics: bool,
        names: Collection[str] = (),
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self._texts = texts
        self._openmetrics = openmetrics
        self._names = frozenset(names)
        self._check = check
        self._parts: dict[str, list[bytes]] = {name: [] for name in METRICS}

    def add(self, blocks: Iterable[Block]) -> None:
        """Write samples, whose numbers are read here."""
        for block in blocks:
            self._check()
            text = "".join(self._written(block))
            if text:
                self._parts[block.family].append(text.encode())

    def drop(self) -> None:
        """Forget all that was written."""
        for parts in self._parts.values():
            parts.clear()

    def parts(self) -> list[bytes]:
        """Return what was written, in parts: joined with what follows it is copied once."""
        shown = [name for name, parts in self._parts.items() if parts or not self._names]
        lines = [part for name in shown for part in (self._head(name), *self._parts[name])]
        if lines:  # each line began with its line feed
            lines[0] = lines[0][1:]
            lines.append(b"\n")
        return lines

    def _head(self, family: str) -> bytes:
        kind, about = METRICS[family]
        name = PREFIX + family
        if self._openmetrics:
            about = escape(about)
        else:
            name += "_total" if kind == "counter" else ""
            about = escape_help(about)
        return f"\n# HELP {name} {about}\n# TYPE {name} {kind}".encode()

    def _written(self, block: Block) -> Iterable[str]:
        match block:
            case Sample():
                return self._sample(block)
            case Rows():
                return self._rows(block)
            case Histograms():
                return self._histograms(block)

    def _line(self, family: str, suffix: str) -> str | None:
        """Return how the lines of samples begin, ``None`` if they were not asked for."""
        name = f"{PREFIX}{family}{suffix}"
        return f"\n{name}" if not self._names or name in self._names else None

    def _sample(self, sample: Sample) -> Iterable[str]:
        start = self._line(sample.family, sample.suffix)
        if start is None:
            return ()
        text = f"{start}{self._texts.one(sample.labels)}{spell(sample.value)}"
        return text, self._exemplar(sample.exemplar)

    def _rows(self, rows: Rows) -> Iterable[str]:
        start = self._line(rows.family, rows.suffix)
        if start is None or not rows.segments:
            return ()
        columns = [self._texts.rows(labels, rows.segments) for labels in rows.labels]
        texts = columns[0] if len(columns) == 1 else chain.from_iterable(zip(*columns, strict=True))
        values = rows.values().ravel()
        there = np.isnan(values)
        np.logical_not(there, out=there)
        if not there.all():
            texts = [text for text, is_there in zip(texts, there.tolist(), strict=True) if is_there]
            values = values[there]
        return chain.from_iterable(zip(repeat(start), texts, spell_column(values)))

    def _histograms(self, block: Histograms) -> Iterable[str]:
        """Write the samples of each segment together, as OpenMetrics wants it."""
        buckets, count, total = (
            self._line(block.family, suffix) for suffix in ("_bucket", "_count", "_sum")
        )
        parts = []
        if buckets is not None and block.segments:
            parts.append(self._buckets(block, buckets))
        if count is not None:
            parts.append(self._column(block, count, spell_column(block.counts[:, -1])))
        if total is not None:
            parts.append(self._column(block, total, spell_column(finite(block.sums()))))
        return chain.from_iterable(zip(*parts, strict=True))

    def _column(self, block: Histograms, start: str, values: list[str]) -> list[str]:
        texts = self._texts.rows(block.labels, block.segments)
        return [f"{start}{text}{value}" for text, value in zip(texts, values, strict=True)]

    def _buckets(self, block: Histograms, start: str) -> list[str]:
        """Return the buckets of each segment as one text."""
        ends = self._texts.ends(block.labels, block.segments)
        counts, size = spell_column(block.counts.ravel()), len(block.bounds)
        illustrated = block.exemplars() if self._openmetrics else {}
        texts = []
        for row, (before, behind) in enumerate(ends):
            head, some = start + before, counts[row * size : (row + 1) * size]
            if row in illustrated:
                exemplars = illustrated[row]
                some = [
                    text + self._exemplar(exemplars.get(bucket)) for bucket, text in enumerate(some)
                ]
            texts.append(
                "".join(
                    [
                        f"{head}{bound}{behind}{count}"
                        for bound, count in zip(block.bounds, some, strict=True)
                    ]
                )
            )
        return texts

    def _exemplar(self, exemplar: Exemplar | None) -> str:
        """Return what OpenMetrics has behind a number."""
        if exemplar is None or not self._openmetrics:
            return ""
        name, loss, time = exemplar
        when = "" if time is None else f" {time!r}"
        return f' # {{{EXEMPLAR_LABEL}="{escape(name)}"}} {spell(loss)}{when}'
