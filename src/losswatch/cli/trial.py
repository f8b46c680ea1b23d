"""What the alarms of a config would have done on past data."""

from __future__ import annotations

import math
from argparse import Namespace
from typing import TYPE_CHECKING

from rich.console import Console

from losswatch.cli.alarms import print_alarms
from losswatch.cli.plan import plan_of
from losswatch.core.alarms.correlation import advised_block
from losswatch.service.replay import Replay, files_of
from losswatch.service.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from losswatch.config.model import Config
    from losswatch.core.monitors import Monitors

__all__ = ["try_on"]


def try_on(path: str, config: Config, data: Sequence[str]) -> int:
    """Score files with a config and say what it would have told; exit 1 without events."""
    files = files_of(data)
    options = Namespace(config=path, by=[], window=[], field=[], model=None)
    plan = plan_of(options, files)
    run = Replay(plan.settings, plan.monitors, plan.labels, timed=plan.timed)
    run.run(files, lambda _file, _done: None)
    snapshot = run.monitors.snapshot()
    print(f"{path}: {snapshot.events:,} events in {run.lines:,} lines")
    for line in _advice(config, run.monitors):
        print(f"{path}: {line}")
    print_alarms(Console(width=200, highlight=False, markup=False), run.alarms)
    if any(monitor.alarms for monitor in config.monitors):
        print(f"{path}: {sum(change.raised for change in run.alarms)} alarms in this data")
    return 0 if snapshot.events else 1


def _advice(config: Config, monitors: Monitors) -> Iterator[str]:
    """Yield how long errors remember each other, and which blocks are too short for that."""
    for declared in config.monitors:
        monitor = monitors.get(declared.model)
        if monitor is None:
            continue
        model = printable(declared.model)
        for output, memory in monitor.snapshot().alarms.correlation.items():
            name = f"{model} {output}".rstrip()
            if math.isnan(memory):
                yield f"{name}: too few events to measure autocorrelation; 5,000 are needed"
            else:
                yield (
                    f"{name}: errors remember each other for {memory:.3g} events; blocks should"
                    f" have at least {advised_block(memory)} events; a fault in the data looks the"
                    " same"
                )
        for alarm, block, advice in monitor.block_advice():
            if block < advice:
                yield f"{model}: alarm {alarm} has blocks of {block:.3g} events: too short"
