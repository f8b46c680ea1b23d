"""Run every benchmark: ``python -m benchmarks [--write]``."""

from __future__ import annotations

import logging
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import bench_import, bench_replay, bench_update, bench_update_many

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

INTRO = """\
# Benchmarks

`make bench` runs them all and writes this page. Ours and the peer run in turn in the same run,
so ratios hold on a noisy machine where single times do not: a ratio is the median of the rounds,
with their range. Errors are relative to the exact value in fractions; 1e-16 is a correctly rounded
float64.

Measured with Python {python}, NumPy {numpy} and river {river} on {machine}.
"""


def main() -> None:
    """Print the tables as they come and write the page."""
    logging.disable(logging.WARNING)
    intro = INTRO.format(
        python=platform.python_version(),
        numpy=version("numpy"),
        river=version("river"),
        machine=f"{platform.system()}, {platform.machine()}",
    )
    sections = [intro.rstrip()]
    for benchmark in (bench_update, bench_update_many, bench_import, bench_replay):
        sections.append(benchmark.measure().markdown())
        print(sections[-1], "\n", flush=True)
    if "--write" in sys.argv:
        PAGE.write_text("\n\n".join(sections) + "\n")


if __name__ == "__main__":
    main()
