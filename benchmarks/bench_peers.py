"""What a running MSE costs with ours and with the peers, and whether the number is right."""

from __future__ import annotations

import statistics
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.charts import Bars, Dots
from benchmarks.pairs import Table, show, time_pair
from benchmarks.peers import Tool, all_tools
from benchmarks.streams import SPIKES, Stream, exact_mse, hostile_streams

if TYPE_CHECKING:
    from benchmarks.charts import Role

EVENTS = 100_000

FORGOTTEN = "spikes taken out"

COST_NOTE = """\
One stream of 10⁵ Gaussian errors, from making the metric to reading the MSE at the end. By the
event the tools get Python floats; by the column they get arrays, and whylogs lists. `Cost` is timed
beside each, in the same rounds: its `update` beside what takes events, its `update_many` beside
what takes columns. Not all do the same: `Cost` also keeps what MAE and bias need and refuses what
is not finite; `Monitor` and prometheus-client lock; `Monitor` and `Histogram` fill buckets. A plain
loop and NumPy are faster than we are: that is the price of exact sums."""

RIGHT_NOTE = f"""\
Relative error of the MSE of 10⁵ events. Errors and losses are float64; the truth is the mean of the
losses in fractions. "offset 10⁹" has Gaussian errors on targets of about 10⁹. "spikes, then quiet"
has errors of 10⁸, 10⁹ and 10¹⁰ and then none but errors of 10⁻³. "{FORGOTTEN}" is the MSE of
that stream without its spikes: by `revert`, by subtraction, and for prometheus-client by the
difference of two scrapes, as `rate` does it in Prometheus. 1.0 means that it reads 0. (The sums
that *we* export are float64 too: PromQL that subtracts them across a spike suffers alike.) "–" has
no way to take events out. As long as nothing is taken out, every float64 tool is right enough."""


def measure() -> list[Table]:
    """Time all tools on the plain stream; compare all numbers with the exact ones."""
    tools = all_tools()
    streams = hostile_streams(EVENTS)
    return [_measure_cost(tools, streams[0]), _measure_errors(tools, streams)]


def _measure_cost(tools: list[Tool], stream: Stream) -> Table:
    # `Cost` is timed beside each peer; what it takes itself is the median of all that.
    ours = {tool.column: tool for tool in tools if "Cost" in tool.name}
    nanoseconds: dict[str, list[float]] = {tool.name: [] for tool in tools if tool.installed}
    cells: dict[str, tuple[str, str]] = {}
    for tool in tools:
        cost = ours[tool.column]
        if tool.installed and tool is not cost:
            pair = time_pair(partial(cost.feed, stream, 0), partial(tool.feed, stream, 0))
            cells[tool.name] = (pair.median(1e-9 * EVENTS)[0], pair.ratio)
            nanoseconds[cost.name] += [s * 1e9 / EVENTS for s in pair.ours]
            nanoseconds[tool.name] += [s * 1e9 / EVENTS for s in pair.peer]
    medians = {name: statistics.median(times) for name, times in nanoseconds.items()}
    rows = [
        (tool.name, show(medians[tool.name]), *cells.get(tool.name, ("", "")))
        if tool.installed
        else (tool.name, "not installed", "", "")
        for tool in tools
    ]
    header = ("what", "ns an event", "`Cost` beside it, ns", "ratio, `Cost` by it")
    chart = _draw_cost(tools, medians)
    return Table("What does a running MSE cost?", header, rows, COST_NOTE, [chart])


def _draw_cost(tools: list[Tool], medians: dict[str, float]) -> Bars:
    groups: dict[str, list[tuple[str, float, Role]]] = {"event by event": [], "whole column": []}
    for tool in tools:
        if tool.installed:
            group = groups["whole column" if tool.column else "event by event"]
            group.append((tool.name, medians[tool.name], "ours" if tool.ours else "peer"))
    title = "What does one event cost a running MSE?"
    return Bars("peers-cost.svg", title, "ns an event (log scale; less is better)", groups)


def _measure_errors(tools: list[Tool], streams: list[Stream]) -> Table:
    found = {tool.name: _errors(tool, streams) for tool in tools if tool.installed}
    names = [*(stream.name for stream in streams), FORGOTTEN]
    rows = [
        (tool.name, *(_show(found[tool.name].get(name)) for name in names))
        if tool.installed
        else (tool.name, "not installed", *[""] * (len(names) - 1))
        for tool in tools
    ]
    chart = Dots(
        "peers-error.svg",
        "How wrong is the MSE?",
        "relative error of the MSE (log scale; less is better)",
        found,
        good=2.0**-53,
        good_label="a float64 cannot\nbe closer",
    )
    return Table("Is the MSE right?", ("what", *names), rows, RIGHT_NOTE, [chart])


def _errors(tool: Tool, streams: list[Stream]) -> dict[str, float]:
    errors = {}
    for stream in streams:
        exact = exact_mse(stream.truth, stream.predicted)
        errors[stream.name] = _relative(tool.feed(stream, 0), exact)
    if tool.forgets:
        spiky, first = streams[-1], len(SPIKES)
        exact = exact_mse(spiky.truth[first:], spiky.predicted[first:])
        errors[FORGOTTEN] = _relative(tool.feed(spiky, first), exact)
    return errors


def _relative(mse: float, exact: Fraction) -> float:
    return abs(float(Fraction(mse) / exact - 1))


def _show(error: float | None) -> str:
    return "–" if error is None else f"{error:.1e}"
