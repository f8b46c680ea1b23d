"""The tables of what was found on streams."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING

from benchmarks.alarms.contenders import CONTENDERS, FACTORS
from benchmarks.alarms.errors import FAULT, RECOVERY, STREAMS
from benchmarks.alarms.ours import RENEW
from benchmarks.alarms.runs import ORACLES, QUIET
from benchmarks.pairs import Table

if TYPE_CHECKING:
    from benchmarks.alarms.contenders import Contender
    from benchmarks.alarms.faults import Response
    from benchmarks.alarms.runs import Found, Rate

__all__ = ["delays", "false_alarms", "oneness"]

_MARGIN = {1.0: "a budget that is the true MSE itself", 1.2: "a budget 20 % above the true MSE"}

_FALSE_NOTE = {
    1.2: """\
Alarms in a million events, each acknowledged at once, and their 95 % intervals; the budget is 1.2
times the MSE of the stream, and a drift tolerates 20 % and learns anew every {renew:,} events.
Ours ask for one false alarm in a million events. Streams have an MSE of 1: Gaussian, Student t3
(its loss has no variance), log-normal, autoregressions, "season" (the MSE swings by half over 2,880
events: above the budget it is no false alarm), "corrupt" (one label in 20,000 has 2,000 times the
loss: the MSE is 1.1), and residuals of river's models on data in its wheel, drawn again in pieces
of 20.
{events}""",
    1.0: """\
The hardest case that the promise covers: no room at all between what is normal and the budget. A
drift tolerates nothing, so its warm-up is all that it has. "season" is above this budget half of
the time, and "corrupt" on average: alarms there are right. AR .9 is above it whenever the
last error was large: the promise is about the mean given the past. What knows no budget is in the
table above.""",
}

_DELAY_NOTE = f"""\
Events from the beginning of a fault, in which the MSE grows by a factor, to the first alarm: the
median and the 95th percentile of up to 100 faults of {FAULT:,} events; "∞" is later than that, and
missed are faults without an alarm. "noise": more than {QUIET:.0f} false alarms in a million events,
so that alarms mean little however soon they come. At x1.1 the MSE is still within the budget:
nothing should be told."""

_ONE_NOTE = f"""\
MSE x2, budget 20 % above: alarms for each fault that was noticed, from its beginning to
{RECOVERY:,} events after its end, and the median of events from its end until the alarm was off.
Detectors of river have nothing to be turned off; they detect the recovery as well."""


def false_alarms(found: Found, margin: float) -> Table:
    """Return how often each is wrong on each stream."""
    rows = []
    for contender in _shown(margin):
        rates = [found.rates.get((contender.name, margin, stream)) for stream in STREAMS]
        rows.append((contender.name, contender.promise, *map(_rate, rates)))
    note = _FALSE_NOTE[margin].format(events=_sizes(found, margin), renew=RENEW)
    header = ("what", "promised", *STREAMS)
    return Table(f"How often is an alarm false, with {_MARGIN[margin]}?", header, rows, note)


def delays(found: Found, margin: float) -> Table:
    """Return how soon each sees a fault, unless it is noise."""
    rows: list[tuple[str, ...]] = []
    for contender in _shown(margin):
        cells = {factor: _delay_cells(found, contender, margin, factor) for factor in FACTORS}
        if {cell for row in cells.values() for cell in row} <= {"noise", "missed", ""}:
            rows.append((contender.name, "all", *cells[2.0]))
            continue
        of = [factor for factor in FACTORS if any(cells[factor])]
        rows += [(contender.name, f"x{factor:g}", *cells[factor]) for factor in of]
    header = ("what", "MSE", *STREAMS)
    note = _DELAY_NOTE if margin > 1.0 else ""
    return Table(f"How soon does an alarm come, with {_MARGIN[margin]}?", header, rows, note)


def oneness(found: Found) -> Table:
    """Return how many alarms a fault is, and when they are over."""
    rows = []
    for contender in CONTENDERS:
        if not contender.lanes or contender.role == "other" or "per event" in contender.name:
            continue
        responses = [
            found.responses.get((contender.name, 1.2, stream, 2.0))
            if found.is_quiet(contender.name, 1.2, stream)
            else None
            for stream in STREAMS
        ]
        if any(responses):
            rows.append((contender.name, *map(_one, responses)))
    return Table("Is one fault one alarm?", ("what", *STREAMS), rows, _ONE_NOTE)


def _shown(margin: float) -> list[Contender]:
    """Return those of a table: what knows no budget is in that of the larger one alone."""
    return [*(c for c in CONTENDERS if c.budgeted or margin > 1.0), *ORACLES]


def _sizes(found: Found, margin: float) -> str:
    """Tell how many events cells have."""
    sizes: dict[int, list[str]] = {}
    for contender in CONTENDERS:
        rate = found.rates[contender.name, margin, "gauss"]
        name = contender.name.split(" on ")[0].strip("*")
        names = sizes.setdefault(rate.events, [])
        if name not in names:
            names.append(name)
    most = max(sizes)
    fewer = "; ".join(
        f"{events:,} for {', '.join(names)}" for events, names in sizes.items() if events != most
    )
    return fill(f"A cell has {most:,} events ({fewer}).", 100)


def _delay_cells(
    found: Found, contender: Contender, margin: float, factor: float
) -> tuple[str, ...]:
    cells = []
    for stream in STREAMS:
        if (contender.name, margin, stream) not in found.rates:
            cells.append("")
        elif not found.is_quiet(contender.name, margin, stream):
            cells.append("noise")
        else:
            cells.append(_response(found.responses.get((contender.name, margin, stream, factor))))
    return tuple(cells)


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return ""
    low, high = rate.interval
    if not rate.alarms:
        return f"0 (to {_short(high)})"
    return f"{_short(rate.per_million)} ({_short(low)} to {_short(high)})"


def _response(response: Response | None) -> str:
    if response is None:
        return ""
    if response.missed == 1.0:
        return "missed"
    text = f"{_events(response.median)} / {_events(response.p95)}"
    return f"{text}, {100 * response.missed:.0f} % missed" if response.missed else text


def _one(response: Response | None) -> str:
    if response is None or math.isnan(response.alarms):
        return ""
    text = f"{response.alarms:.2f}"
    return text if math.isnan(response.clear) else f"{text}; {_events(response.clear)}"


def _events(number: float) -> str:
    return f"{number:,.0f}" if number < math.inf else "∞"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{float(f'{number:.2g}'):g}"
