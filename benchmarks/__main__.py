"""Run the benchmarks: ``python -m benchmarks [NAME ...] [--write]``.

Every module ``bench_NAME`` of this package takes part: it has a function
``measure`` that returns a table or several. ``--write`` writes what was run
into the page, and leaves the rest of it alone; it needs the group ``bench`` for
the plots, which ``make bench`` installs.
"""

from __future__ import annotations

import argparse
import logging
import platform
import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import benchmarks
from benchmarks.pairs import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

FIRST = (
    "peers",
    "spike",
    "windows",
    "time_window",
    "segments",
    "memory",
    "update",
    "update_many",
    "alarms",
)
"""The order of the page; all others follow by name."""

PACKAGES = ("numpy", "river", "prometheus-client", "scikit-learn", "whylogs", "torchmetrics")

INTRO = """\
# Benchmarks

`make bench` runs them all and writes this page and its plots, `make bench-alarms` the alarms.
Ours and the peer run in turn in the same run, so ratios hold on a noisy machine where single times
do not: a ratio is our time by the peer's, the median of the rounds, with their range; below 1 we
are faster. Errors are relative to the exact value in fractions; up to 1.1e-16 is a correctly
rounded float64.

In short: event by event, `Cost` is faster than the other tools here that keep a running MSE, and
takes twice as long as a plain loop that adds floats; a `Monitor` with windows and segments costs
what a labelled summary of prometheus-client costs, which has no windows. By the column we take 2 to
8 times as long as NumPy. Without outliers all float64 tools here are right to 13 digits. Being
exact pays where events leave again: in windows, in corrections, after a spike.

Measured with {versions} on {machine}.
"""


def main() -> None:
    """Print the tables as they come and maybe write the page."""
    logging.disable(logging.WARNING)
    arguments = _parse_arguments()
    names = arguments.names or _names()
    if arguments.write:
        _write(names)
    else:
        for name in names:
            for _ in _measure(name):
                pass


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(_names())}")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}, its plots")
    arguments = parser.parse_args()
    wrong = set(arguments.names) - set(_names())
    if wrong:
        parser.error(f"no benchmark {', '.join(sorted(wrong))}; there are {', '.join(_names())}")
    return arguments


def _names() -> list[str]:
    """Return what there is to run, in the order of the page."""
    modules = {module.name for module in iter_modules(benchmarks.__path__)}
    names = sorted(name.removeprefix("bench_") for name in modules if name.startswith("bench_"))
    return sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def _measure(name: str) -> Iterator[Table]:
    """Run a benchmark; print and yield its tables."""
    measured = import_module(f"benchmarks.bench_{name}").measure()
    for table in [measured] if isinstance(measured, Table) else measured:
        print(table.markdown(), "\n", flush=True)
        yield table


def _write(names: list[str]) -> None:
    """Run some and write their sections of the page, and their plots."""
    from benchmarks.plots import draw  # first, for it fails at once without the group `bench`

    folder = PAGE.with_suffix("")
    folder.mkdir(exist_ok=True)
    sections = _sections(PAGE.read_text() if PAGE.exists() else "")
    for name in names:
        parts = []
        for table in _measure(name):
            parts.append(table.markdown())
            for chart in table.charts:
                draw(chart, folder / chart.file)
                alt = f"{chart.title} The numbers are in the table."
                parts.append(f"![{alt}]({folder.name}/{chart.file})")
        sections[name] = "\n\n".join(parts)
    known = [name for name in _names() if name in sections]
    intro = _intro() if set(known) == set(names) else sections.get("", _intro())
    text = "\n\n".join(f"{_MARK.format(name)}\n\n{sections[name]}" for name in known)
    PAGE.write_text(f"{intro}\n\n{text}\n")


_MARK = "<!-- bench: {} -->"


def _sections(page: str) -> dict[str, str]:
    """Return what is on the page by benchmark; what comes first is that of no name."""
    parts = re.split(_MARK.format("(.+)") + "\n", page)
    return {name: part.strip() for name, part in zip(["", *parts[1::2]], parts[::2], strict=True)}


def _intro() -> str:
    versions = [f"Python {platform.python_version()}", *filter(None, map(_version, PACKAGES))]
    machine = f"{platform.system()}, {platform.machine()}"
    return INTRO.format(versions=", ".join(versions), machine=machine).rstrip()


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
