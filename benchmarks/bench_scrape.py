"""What a scrape of many label sets takes: our page against the one of prometheus-client."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
from prometheus_client import CollectorRegistry, Gauge, Summary
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from benchmarks.pairs import Table, show, time_pair
from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.core.segments import Segments
from losswatch.prometheus import METRICS, PREFIX, Exposition, LossCollector
from losswatch.prometheus.label_texts import LabelTexts
from losswatch.prometheus.page import Page
from losswatch.prometheus.sample import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from losswatch.prometheus.sample import Block

__all__ = ["measure"]

SETS = 100_000
SEGMENTS = 10_000
WINDOWS = ("5m", "1h", "24h")
ROUNDS = 5
FORMATS = {"text": "", "OpenMetrics": "application/openmetrics-text; version=1.0.0"}


class Given:
    """A registry of the client that holds these samples already, as it wants them."""

    def __init__(self, blocks: list[Block]) -> None:
        families: dict[str, Metric] = {}
        for block in blocks:
            kind, about = METRICS[block.family]
            family = families.setdefault(block.family, Metric(PREFIX + block.family, about, kind))
            for sample in block.samples():
                family.add_sample(family.name + sample.suffix, sample.labels, sample.value)
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        yield from self._families.values()


def measure() -> list[Table]:
    """Time pages of the same samples, and of a whole monitor; measure memory apart."""
    return [_bare(), _memory(), _monitor()]


def _bare() -> Table:
    blocks = _blocks()
    given: Any = Given(blocks)
    texts, rows = LabelTexts(), []
    for name, accept in FORMATS.items():
        encode = choose_encoder(accept)[0]

        def ours(openmetrics: bool = bool(accept)) -> bytes:  # noqa: FBT001
            page = Page(texts, openmetrics=openmetrics)
            page.add(blocks)
            return b"".join(page.parts())

        def peer(encode: Callable[[Any], bytes] = encode) -> bytes:
            return encode(given)

        pairs = {
            name: time_pair(ours, peer, ROUNDS),
            f"{name}, zipped": time_pair(
                lambda ours=ours: gzip.compress(ours(), 1),  # type: ignore[misc]
                lambda peer=peer: gzip.compress(peer()),  # type: ignore[misc]
                2,
            ),
        }
        rows += [(what, *pair.median(1e-3), pair.ratio) for what, pair in pairs.items()]
    return Table(
        f"A page of {SETS:,} label sets, three samples each",
        ("format", "ours, ms", "client, ms", "ratio"),
        rows,
        note="Numbers of one metric are a column for us; the client has its samples ready. Label"
        " sets were on a page before. Zipped at level 1 by us, at its level 9 by the client.",
    )


def _memory() -> Table:
    found = _apart("memory")
    rows = [(what, show(found[what])) for what in found]
    return Table(
        "Memory of a page, bytes for each of these label sets",
        ("what", "bytes"),
        rows,
        note="A page is 190 bytes for each label set. The client's children are a `Summary` and a"
        " `Gauge`, which keep the same three numbers.",
    )


def _monitor() -> Table:
    monitors = Monitors([_fed()])
    exposition = Exposition(monitors.snapshot)
    registry = CollectorRegistry()
    registry.register(LossCollector(monitors.snapshot))
    rows = []
    for name, accept in FORMATS.items():
        encode = choose_encoder(accept)[0]
        pair = time_pair(
            lambda accept=accept: exposition.render(accept),  # type: ignore[misc]
            lambda encode=encode: encode(registry),  # type: ignore[misc]
            ROUNDS,
        )
        rows.append((f"all, {name}", *pair.median(1e-3), pair.ratio))
    asked = ["losswatch_rmse"]
    encode = choose_encoder("")[0]
    some: Any = registry.restricted_registry(asked)
    pair = time_pair(lambda: exposition.render("", asked), lambda: encode(some), ROUNDS)
    rows.append(("`name[]=losswatch_rmse`", *pair.median(1e-3), pair.ratio))
    page = exposition.render("")[0]
    lines = page.count(b"\n")
    copied = time_pair(monitors.snapshot, monitors.snapshot, ROUNDS).median(1e-3)[0]
    return Table(
        f"A scrape of a monitor of {SEGMENTS:,} segments and three windows",
        ("what", "ours, ms", "through the client, ms", "ratio"),
        rows,
        note=f"{lines:,} lines, {len(page) / 1e6:.0f} MB: all gauges of each window and"
        f" segment, read exactly, and their histograms. Of it updates wait for {copied} ms, while"
        " sums are copied.",
    )


def _blocks() -> list[Block]:
    """Return a count, a sum and a mean of each label set."""
    rng = np.random.default_rng(1)
    segments = tuple({"city": f"city{number}", "tier": "gold"} for number in range(SETS))
    counts, sums = rng.integers(0, 10_000, SETS), rng.exponential(1000.0, SETS)
    means = np.sqrt(rng.exponential(4.0, SETS))
    labels = ({"model": "eta"},)
    return [
        Rows("weight", labels, segments, lambda: counts, "_total"),
        Rows("weighted_loss", labels, segments, lambda: sums, "_total"),
        Rows("rmse", labels, segments, lambda: means),
    ]


def _fed() -> Monitor:
    """Return a monitor with events in all segments and windows."""
    rng = np.random.default_rng(1)
    names = [f"city{number}" for number in range(SEGMENTS)]
    monitor = Monitor("eta", windows=WINDOWS, segments=Segments(("city",), limit=SEGMENTS))
    now = 1.7e9
    for gap in [600.0] * 30 + [10.0] * 30:
        y_true = rng.normal(10.0, 3.0, SEGMENTS)
        y_pred = y_true + rng.normal(0.0, 1.0, SEGMENTS)
        time = np.sort(now + gap * rng.random(SEGMENTS))
        monitor.update_many(y_true, y_pred, segment={"city": names}, time=time)
        now += gap
    return monitor


def _apart(what: str) -> dict[str, Any]:
    """Run a function of this module in a fresh process and return what it found."""
    command = [sys.executable, "-c", f"from benchmarks.bench_scrape import {what}; {what}()"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def memory() -> None:
    """Print what is kept between scrapes, and what a page takes at most."""
    blocks, texts = _blocks(), LabelTexts()
    encode = choose_encoder("")[0]

    def page() -> bytes:
        page = Page(texts, openmetrics=False)
        page.add(blocks)
        return b"".join(page.parts())

    found = dict(
        zip(("ours: kept", "ours: more while a page is written"), _traced(page), strict=True)
    )
    made: list[Any] = []
    found["client: children kept"] = _traced(lambda: made.append(_children(blocks)))[0]
    given: Any = Given(blocks)
    found["client: more while a page is written"] = _traced(lambda: encode(given))[1]
    print(json.dumps(found))


def _traced(run: Callable[[], object]) -> tuple[float, float]:
    """Return the bytes that are left of a run for each label set, and those at its peak."""
    tracemalloc.start()
    run()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    run()
    peak = tracemalloc.get_traced_memory()[1] - left
    tracemalloc.stop()
    return left / SETS, peak / SETS


def _children(blocks: list[Block]) -> object:
    """Return a summary and a gauge with the same label sets."""
    registry = CollectorRegistry()
    losses = Summary("loss", "", ["city", "model", "tier"], registry=registry)
    means = Gauge("rmse", "", ["city", "model", "tier"], registry=registry)
    for sample in blocks[0].samples():
        losses.labels(**sample.labels).observe(1.0)
        means.labels(**sample.labels).set(1.0)
    return registry
