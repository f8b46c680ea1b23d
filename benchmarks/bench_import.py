"""What ``import losswatch`` costs."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.pairs import Table, time_pair

PEER = "pass"


def measure() -> Table:
    """Start Python with and without the import, in fresh processes."""
    rows = []
    for statement in ("import losswatch", "from losswatch import Cost", "import river.metrics"):
        pair = time_pair(partial(_run, statement), partial(_run, PEER))
        added = sorted(a - b for a, b in zip(pair.ours, pair.peer, strict=True))
        rows.append((f"`{statement}`", f"{added[len(added) // 2] * 1e3:.0f}"))
    return Table("What an import adds to starting Python", ("what", "ms"), rows)


def _run(statement: str) -> None:
    subprocess.run([sys.executable, "-c", statement], check=True)
