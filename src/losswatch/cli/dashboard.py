"""``losswatch dashboard``."""

from __future__ import annotations

import sys
from pathlib import Path

from losswatch.cli.rules import watched_by
from losswatch.config.load import load_config
from losswatch.generate.dashboard.board import dashboard_text
from losswatch.generate.watched import RUNBOOK

__all__ = ["dashboard"]


def dashboard(path: str, job: str, output: str | None) -> int:
    """Write the dashboard of a config, to standard output unless a file is given."""
    watched = watched_by(load_config(Path(path)), job, RUNBOOK)
    try:
        text = dashboard_text(watched)
    except ImportError as error:
        print(
            f"losswatch: a dashboard needs the SDK of Grafana ({error}):"
            " pip install 'losswatch[dashboard]'",
            file=sys.stderr,
        )
        return 1
    if output is None:
        print(text, end="")
    else:
        Path(output).write_text(text, encoding="utf-8")
    return 0
