"""All that is measured on streams, on as many processes as there are cores."""

from __future__ import annotations

import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import product

from benchmarks.alarms.contenders import CONTENDERS, FACTORS, Contender, oracle
from benchmarks.alarms.errors import STREAMS, make_errors
from benchmarks.alarms.faults import Response, faulty_errors, measure_response

__all__ = ["MARGINS", "ORACLES", "QUIET", "Found", "Rate", "events_of_a_cell", "run_all"]

MARGINS = (1.0, 1.2)
"""The budget in true MSEs; for drifts the tolerance is what is above 1."""

QUIET = 10.0
"""False alarms per million up to which a delay is more than noise."""

ORACLES = tuple(oracle(factor) for factor in FACTORS)


@dataclass(frozen=True)
class Rate:
    """So many alarms in so many events while nothing was wrong."""

    alarms: int
    events: int

    @property
    def per_million(self) -> float:
        """Alarms in a million events."""
        return 1e6 * self.alarms / self.events

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval for a Poisson count, by Byar's approximation."""
        low, high = (_byar(self.alarms + more, side) for more, side in ((0, -1.96), (1, 1.96)))
        return 1e6 * low / self.events, 1e6 * high / self.events


@dataclass
class Found:
    """What was found, by contender, margin and stream; of faults also by factor."""

    rates: dict[tuple[str, float, str], Rate] = field(default_factory=dict)
    responses: dict[tuple[str, float, str, float], Response | None] = field(default_factory=dict)

    def is_quiet(self, contender: str, margin: float, stream: str) -> bool:
        """Tell whether its delay is more than noise."""
        return self.rates[contender, margin, stream].per_million <= QUIET


def events_of_a_cell() -> int:
    """Return how many events a cell of the fastest contenders has."""
    return int(float(os.environ.get("LOSSWATCH_BENCH_EVENTS", "1e7")))


def run_all() -> Found:
    """Run all contenders on all streams and margins."""
    found, events = Found(), events_of_a_cell()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(_run, stream, margin, events)
            for stream, margin in product(STREAMS, MARGINS)
        ]
        for job in jobs:
            found.rates |= job.result().rates
            found.responses |= job.result().responses
    _copy_margins(found)
    return found


def _run(stream: str, margin: float, events: int) -> Found:
    """Run what depends on the margin, and with the last one what does not."""
    contenders = [c for c in CONTENDERS if c.budgeted or margin == MARGINS[-1]]
    if stream == "gauss" and margin == MARGINS[-1]:
        contenders += ORACLES
    found = Found()
    errors = make_errors(stream, 1, 1, events)
    for contender in contenders:
        some = errors[:, : max(int(contender.share * events), 1000)]
        rate = Rate(contender.count(some, margin), some.shape[1])
        found.rates[contender.name, margin, stream] = rate
    del errors
    for factor in FACTORS:
        faulty = faulty_errors(stream, factor, 100)
        for contender in contenders:
            if _is_worth(contender, factor, found, (contender.name, margin, stream)):
                response = measure_response(contender, faulty, margin)
                found.responses[contender.name, margin, stream, factor] = response
    return found


def _is_worth(
    contender: Contender, factor: float, found: Found, cell: tuple[str, float, str]
) -> bool:
    """Tell whether to try a fault: of what is noise just the one that a plot shows."""
    if contender in ORACLES:
        return contender is ORACLES[FACTORS.index(factor)]
    return contender.lanes > 0 and (found.is_quiet(*cell) or factor == 2.0)


def _copy_margins(found: Found) -> None:
    """Put what does not depend on the margin beside each."""
    last = MARGINS[-1]
    for margin in MARGINS[:-1]:
        for contender in (*CONTENDERS, *ORACLES):
            if not contender.budgeted:
                name = contender.name
                found.rates |= {
                    (name, margin, stream): rate
                    for (other, known, stream), rate in [*found.rates.items()]
                    if (other, known) == (name, last)
                }
                found.responses |= {
                    (name, margin, stream, factor): response
                    for (other, known, stream, factor), response in [*found.responses.items()]
                    if (other, known) == (name, last)
                }


def _byar(count: int, side: float) -> float:
    if not count:
        return 0.0
    return count * (1.0 - 1.0 / (9 * count) + side / (3.0 * math.sqrt(count))) ** 3
