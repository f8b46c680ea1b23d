"""How often alarms are false and how soon they come: ours, river's, and rules on a rolling RMSE.

``LOSSWATCH_BENCH_EVENTS`` sets the events of a cell: 1e7 if not given, with
which it takes some 16 minutes of one core, shared by all; with 1e6 some 5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.alarms.costs import costs
from benchmarks.alarms.goals import goals
from benchmarks.alarms.models import model_faults
from benchmarks.alarms.pictures import evidence_of_a_fault, trade_off
from benchmarks.alarms.report import delays, false_alarms, oneness
from benchmarks.alarms.runs import run_all

if TYPE_CHECKING:
    from benchmarks.alarms.runs import Found
    from benchmarks.pairs import Table

__all__ = ["measure"]


def measure() -> list[Table]:
    """Run all and return what was reached first."""
    return tables(run_all())


def tables(found: Found) -> list[Table]:
    """Return the tables of what was found on streams, and of models and costs."""
    return [
        goals(found),
        replace(false_alarms(found, 1.2), charts=[trade_off(found)]),
        replace(delays(found, 1.2), charts=[evidence_of_a_fault()]),
        oneness(found),
        false_alarms(found, 1.0),
        delays(found, 1.0),
        model_faults(),
        costs(),
    ]
