"""``losswatch replay``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from losswatch.cli.alarms import print_alarms
from losswatch.cli.plan import plan_of
from losswatch.cli.summary import as_line, print_costs
from losswatch.core.costs import as_json
from losswatch.service.replay import Replay, files_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from losswatch.core.monitors import MonitorsSnapshot

__all__ = ["replay"]


def replay(options: argparse.Namespace) -> int:
    """Score files; exit 1 if not one event could be scored."""
    files = files_of(options.files)
    plan = plan_of(options, files)
    run = Replay(plan.settings, plan.monitors, plan.labels, timed=plan.timed)
    try:
        _run_with_progress(run, files)
    except KeyboardInterrupt:
        seen = as_line(run.monitors.snapshot())
        print(f"losswatch: interrupted after {run.lines:,} lines: {seen}", file=sys.stderr)
        return 1
    snapshot = run.monitors.snapshot()
    if options.json:
        refused = snapshot.all_rejected
        report = {
            "costs": as_json(snapshot),
            "lines": run.lines,
            "rejected": {str(reason): count for reason, count in sorted(refused.items())},
            "alarms": [asdict(change) for change in run.alarms],
        }
        print(json.dumps(report, indent=2))
    else:
        _print_table(run, snapshot)
    return 0 if snapshot.events else 1


def _run_with_progress(run: Replay, files: Sequence[str]) -> None:
    """Show how far each file is, if standard error is a terminal."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        tasks = {
            file: progress.add_task(file, total=None if file == "-" else Path(file).stat().st_size)
            for file in files
        }
        run.run(files, lambda file, done: progress.update(tasks[file], completed=done))


def _print_table(run: Replay, snapshot: MonitorsSnapshot) -> None:
    console = print_costs(snapshot)
    print_alarms(console, run.alarms)
    rate = run.lines / run.seconds if run.seconds else 0.0
    console.print(f"{run.lines:,} lines in {run.seconds:.2f} s, {rate:,.0f} a second", style="dim")
    if refused := snapshot.all_rejected:
        counts = ", ".join(f"{reason} {count:,}" for reason, count in refused.most_common())
        console.print(f"{refused.total():,} refused: {counts}", style="yellow")
