"""The plots of alarms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.alarms.contenders import CONTENDERS
from benchmarks.alarms.errors import make_errors
from benchmarks.alarms.ours import OURS
from benchmarks.charts import Line, Lines, Points

if TYPE_CHECKING:
    from benchmarks.alarms.runs import Found

__all__ = ["evidence_of_a_fault", "trade_off"]

_FLOOR = 0.03
"""Where 0 false alarms in a million stand, on a log scale."""

_FROM, _FAULT, _TO = 6000, 8000, 9000


def trade_off(found: Found) -> Points:
    """Return delay against false alarms, on the stream of heavy tails."""
    points = []
    for contender in CONTENDERS:
        response = found.responses.get((contender.name, 1.2, "t3", 2.0))
        if response is None or contender.role == "other" or response.median == math.inf:
            continue
        rate = max(found.rates[contender.name, 1.2, "t3"].per_million, _FLOOR)
        name = contender.name.replace("*", "").replace("`", "")
        points.append((name, rate, response.median, contender.role))
    return Points(
        "alarms-trade-off.svg",
        "How soon, and how often for nothing? Student t3, MSE x2",
        f"false alarms in a million events (log scale; {_FLOOR:g} stands for none)",
        "median delay, events (log scale)",
        points,
    )


def evidence_of_a_fault() -> Lines:
    """Return the evidence of a budget and of a drift while the MSE doubles."""
    errors = make_errors("t3", 4, 1, _TO)[0]
    errors[_FAULT:] *= math.sqrt(2.0)
    lines = []
    for kind in OURS:
        if kind.block == 10:
            stream = kind.stream(1.2)
            values = np.square(errors) if kind.budget else errors
            x, y = [], []
            for event, value in enumerate(values.tolist(), 1):
                stream.update(value)
                if event >= _FROM and event % 10 == 0:
                    x.append(float(event))
                    y.append(stream.alarm.threshold ** stream.evidence[0])
            lines.append(Line(kind.name.strip("*"), "ours" if kind.budget else "peer", x, y))
    return Lines(
        "alarms-evidence.svg",
        "What does the evidence do in a fault? Student t3, MSE x2",
        "events",
        "evidence (log scale); at 100,000 it is an alarm",
        lines,
        notes={float(_FAULT): "the MSE doubles"},
    )
