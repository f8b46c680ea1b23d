"""Recording rules: what came in the windows that the burn rates look at."""

from __future__ import annotations

from losswatch.generate.rule import Group, Recording
from losswatch.generate.text import selector

__all__ = ["COUNT", "MEAN", "OBJECTIVE", "rate_groups"]

COUNT = "model_output:losswatch_l2_loss_count:rate"
"""Events a second; the window follows."""

MEAN = "model_output:losswatch_l2_loss:mean"
"""The MSE; the window follows."""

OBJECTIVE = "model_output:losswatch_objective_mse:max"

_SUM = "model_output:losswatch_l2_loss_sum:rate"
_SHORT = ("5m", "30m", "1h", "2h")
_LONG = ("6h", "1d", "3d")

_ABOUT = """\
Sums and counts are recorded apart, over all processes and segments, and divided afterwards: a mean
of means is wrong as soon as the counts differ. Where no events were there is no mean, not 0."""
_ABOUT_LONG = "The same over long windows, which cost more to read and change more slowly."


def rate_groups(job: str, *, objective: bool) -> list[Group]:
    """Return the groups; with the objective as one series a model, if there is one."""
    short = _rules(_SHORT, job)
    if objective:
        highest = f"max by (job, model, output) (losswatch_objective_mse{selector(job)})"
        short = (*short, Recording(OBJECTIVE, highest))
    return [
        Group("losswatch.rates", _ABOUT, short),
        Group("losswatch.rates.long", _ABOUT_LONG, _rules(_LONG, job), interval="2m"),
    ]


def _rules(windows: tuple[str, ...], job: str) -> tuple[Recording, ...]:
    labels = selector(job)
    sums = [Recording(f"{_SUM}{w}", _pooled("sum", labels, w)) for w in windows]
    counts = [Recording(f"{COUNT}{w}", _pooled("count", labels, w)) for w in windows]
    means = [
        Recording(f"{MEAN}{w}", f"{_SUM}{w}{labels}\n/ ({COUNT}{w}{labels} > 0)") for w in windows
    ]
    return (*sums, *counts, *means)


def _pooled(part: str, labels: str, window: str) -> str:
    return f"sum by (job, model, output) (rate(losswatch_l2_loss_{part}{labels}[{window}]))"
