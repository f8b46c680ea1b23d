"""``losswatch merge``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from losswatch.cli.summary import print_costs
from losswatch.core.costs import as_json as costs_of
from losswatch.service.merge import Merge

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["merge"]


def merge(states: Sequence[str], output: str | None, *, as_json: bool) -> int:
    """Add up state files; print the cost of all, and write it as a state if that is asked."""
    sum_of_all = Merge()
    for state in states:
        sum_of_all.add(Path(state))
    snapshot = sum_of_all.monitors.snapshot()
    if output is not None:
        sum_of_all.write(Path(output))
    if as_json:
        print(json.dumps({"costs": costs_of(snapshot)}, indent=2))
    else:
        print_costs(snapshot)
    return 0
