"""What late truths cost: a million predictions that wait, joined, kept, restored and expired."""

from __future__ import annotations

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmarks.pairs import Pair, Table, show
from losswatch.config.load import parse_monitor
from losswatch.core.events import EventColumns
from losswatch.core.monitors import Monitors
from losswatch.service.build import make_monitor
from losswatch.service.keeper import Keeper
from losswatch.service.round import Round
from losswatch.sources.base import Batch, Source
from losswatch.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MANY = 1_000_000
BATCH = 1_000
JOINED = 200
DAY = 86_400.0
DECLARED = {"eta": '{"model": "eta", "windows": []}'}
START = 1.7e9
ROUNDS = 20

COST_NOTE = f"""\
{MANY:,} predictions with the text of a UUID as their id, and then {JOINED * BATCH:,} truths while
the others wait, in batches of {BATCH:,} and the same batches in turn for all. The dict is the least
that a join can be: `(y_pred, w)` by id, and a sum of squares; it knows no duplicates, no times and
no end, and is lost with its process. With the state each batch is synced before it counts."""

MEMORY_NOTE = f"""\
{MANY:,} predictions that wait, in a process that does nothing else. A restore verifies the file
and takes it over. When all have waited too long they expire bit by bit, with the batches that come
next, so that no batch waits for the million."""


def measure() -> list[Table]:
    """Measure each in a process of its own."""
    return [_cost_table(_apart("cost")), _memory_table(_apart("memory"))]


def _cost_table(found: dict[str, Any]) -> Table:
    rows = []
    for what, times in found.items():
        theirs = times["dict"]
        for name, ours in times.items():
            rate = f"{BATCH / statistics.median(ours):,.0f}"
            rows.append((what, name, rate, "" if name == "dict" else Pair(ours, theirs).ratio))
    header = ("what", "by", "a second", "time ratio to the dict")
    return Table("What does a late truth cost?", header, rows, COST_NOTE)


def _memory_table(found: dict[str, float]) -> Table:
    rows = [
        ("memory for all, MB", show(found["megabytes"])),
        ("largest memory of the process while a snapshot is taken, MB", show(found["largest"])),
        ("file of the state after a snapshot, MB", show(found["file"])),
        ("snapshot, s (the service takes nothing meanwhile)", show(found["snapshot"])),
        ("restore, s", show(found["restore"])),
        ("a batch of predictions before they expire: median, ms", show(found["before"])),
        ("a batch while they expire: median, ms", show(found["median"])),
        ("a batch while they expire: longest, ms", show(found["longest"])),
        ("batches until all were gone", f"{found['batches']:.0f}"),
    ]
    return Table(
        f"{MANY:,} predictions that wait: memory, snapshot, expiry",
        ("what", ""),
        rows,
        MEMORY_NOTE,
    )


def _apart(what: str) -> Any:
    """Run a function of this module in a fresh process and return what it found."""
    command = [sys.executable, "-c", f"from benchmarks.bench_join import {what}; {what}()"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def cost() -> None:
    """Print the seconds of a batch of each, round by round."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(Store(folder / "losswatch.db"))
        plain = _Dict()
        takers: dict[str, Callable[[EventColumns], object]] = {
            "losswatch": _taker(None),
            "losswatch, state on disk": _taker(store),
            "dict": plain.take,
        }
        found = {
            "predictions": _timed(takers, _predictions(MANY // BATCH)),
            "truths": _timed(takers, _truths(JOINED)),
        }
        assert plain.n == JOINED * BATCH
    print(json.dumps(found))


def memory() -> None:
    """Print what a million predictions that wait take."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "losswatch.db"
        before = _megabytes()
        keeper = _keeper(None)
        for columns in _predictions(MANY // BATCH):
            keeper.monitors.take(columns, at=START)
        found["megabytes"] = _megabytes() - before
        _snapshot(keeper.monitors, path, found)
        found["restore"] = _seconds(lambda: _restore(path))
    found |= _expire(keeper.monitors)
    print(json.dumps(found))


def _snapshot(monitors: Monitors, path: Path, found: dict[str, float]) -> None:
    with Store(path) as store:
        keeper = _keeper(store)
        keeper.monitors = monitors
        found["snapshot"] = _seconds(keeper.snapshot)
    found["file"] = path.stat().st_size / 1e6
    found["largest"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _restore(path: Path) -> None:
    with Store(path) as store:
        keeper = _keeper(store)
        keeper.restore()
    (snapshot,) = keeper.monitors.snapshot().monitors
    assert snapshot.join.pending_predictions == MANY


def _expire(monitors: Monitors) -> dict[str, float]:
    """Go on with new predictions when all that wait are over."""
    (monitor,) = monitors
    batches = list(_predictions(MANY // BATCH, seed=2))

    def take(at: float) -> float:
        return _seconds(lambda: monitors.take(batches.pop(), at=at))

    before = [take(START) for _ in range(100)]
    during: list[float] = []
    while len(monitor._desk.joiner.records) > BATCH * len(during):  # noqa: SLF001  # late ones too
        during.append(take(START + 8 * DAY))
    return {
        "before": 1e3 * statistics.median(before),
        "median": 1e3 * statistics.median(during),
        "longest": 1e3 * max(during),
        "batches": len(during),
    }


class _Dict:
    """The least that joins."""

    def __init__(self) -> None:
        self.n = 0
        self.total = 0.0
        self._waiting: dict[str, tuple[float, float]] = {}

    def take(self, columns: EventColumns) -> None:
        """Take predictions, or truths of which all predictions are known."""
        rows = zip(columns.prediction_id, columns.y_true, columns.y_pred, columns.w, strict=True)
        waiting = cast("dict[str | None, tuple[float, float]]", self._waiting)
        for name, y_true, y_pred, weight in rows:
            if y_true is None:
                waiting[name] = (cast("float", y_pred), cast("float", weight))
            else:
                predicted, w = waiting.pop(name)
                error = y_true - predicted
                self.total += w * error * error
                self.n += 1


def _timed(
    takers: dict[str, Callable[[EventColumns], object]], batches: Iterator[EventColumns]
) -> dict[str, list[float]]:
    """Give batches to all in turn; return the seconds of a batch of each, by the round."""
    seconds: dict[str, list[float]] = {name: [] for name in takers}
    for columns in batches:
        for name, take in takers.items():
            start = time.perf_counter()
            take(columns)
            seconds[name].append(time.perf_counter() - start)
    return {name: _means(times) for name, times in seconds.items()}


def _means(seconds: list[float]) -> list[float]:
    size = len(seconds) // ROUNDS
    return [statistics.fmean(seconds[at : at + size]) for at in range(0, size * ROUNDS, size)]


def _taker(store: Store | None) -> Callable[[EventColumns], object]:
    """Return what takes a batch as the service does it."""
    keeper = _keeper(store)
    nobody = cast("Source", None)  # is asked for its name where it has a position
    return lambda columns: keeper.take(Round([(nobody, Batch(columns, lines=len(columns)))]))


def _keeper(store: Store | None) -> Keeper:
    config = parse_monitor({"model": "eta"})
    monitors = Monitors([make_monitor(config, _now)])
    return Keeper(monitors, store, _now, {"eta": config.model_dump_json()})


def _predictions(count: int, seed: int = 1) -> Iterator[EventColumns]:
    y_pred = [float(number % 7) for number in range(BATCH)]
    for names in _names(count, seed):
        yield _columns([None] * BATCH, y_pred, names)


def _truths(count: int) -> Iterator[EventColumns]:
    y_true = [float(number % 5) for number in range(BATCH)]
    for names in _names(count, 1):
        yield _columns(y_true, [None] * BATCH, names)


def _names(count: int, seed: int) -> Iterator[list[str]]:
    """Yield ids as those of UUIDs; the same for the same seed, and no object twice."""
    draw = random.Random(seed).getrandbits
    for _ in range(count):
        texts = [f"{draw(128):032x}" for _ in range(BATCH)]
        yield [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts]


def _columns(
    y_true: Sequence[float | None], y_pred: Sequence[float | None], ids: list[str]
) -> EventColumns:
    ones = [1.0] * BATCH
    return EventColumns(["eta"] * BATCH, y_true, y_pred, ones, range(BATCH), prediction_id=ids)


def _now() -> float:
    return START


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _megabytes() -> float:
    """Return the memory of this process that is in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6
