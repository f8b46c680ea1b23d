"""Alerts on the error: the alarms of losswatch, and burn rates of the objective."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from losswatch.generate.rates import COUNT, MEAN, OBJECTIVE
from losswatch.generate.rule import Alert, Group, Severity
from losswatch.generate.text import selector

if TYPE_CHECKING:
    from losswatch.generate.watched import Watched

__all__ = ["BURNS", "error_groups"]


class Burn(NamedTuple):
    """Two windows, both above so many times the objective.

    It must hold for longer than an event is in the short window: so one event
    alone, however bad, fires nothing.
    """

    long: str
    seconds: int
    short: str
    wait: str
    factor: str
    severity: Severity
    gone: str


BURNS = (
    Burn(
        "1h",
        3600,
        "5m",
        "6m",
        "14.4",
        "page",
        "At 14.4 times the budget of 30 days is gone in 50 hours.",
    ),
    Burn(
        "6h",
        21_600,
        "30m",
        "35m",
        "6",
        "page",
        "At 6 times the budget of 30 days is gone in 5 days.",
    ),
    Burn(
        "1d",
        86_400,
        "2h",
        "2h10m",
        "3",
        "ticket",
        "At 3 times the budget of 30 days is gone in 10 days.",
    ),
    Burn("3d", 259_200, "6h", "6h30m", "1", "ticket", "So the budget of 30 days does not last."),
)
_LEAST = 50
"""Events of the long window; with fewer, one outlier alone would decide."""

_NAMED = "{{ $labels.model }}{{ with $labels.output }}, output {{ . }}{{ end }}"
_OF = _NAMED.replace("{{ end }}", ",{{ end }}")
_PROMISE = (
    '{{{{- with printf "max(losswatch_alarm_promised_{unit}_per_false_alarm'
    '{{job=%q,model=%q,alarm=%q}})" $labels.job $labels.model $labels.alarm | query }}}}'
    " Promise: at most one false alarm is expected in {{{{ . | first | value{shown} }}}}{after}."
    "{{{{ end }}}}"
)


def error_groups(watched: Watched) -> list[Group]:
    """Return the groups, empty where the config declares nothing of the kind."""
    alarms = any(model.alarms for model in watched.models)
    objective = any(model.objective for model in watched.models)
    burns = (*(_burn(watched.job, burn) for burn in BURNS), _coarse(watched.job))
    about = "Alarms are decided by losswatch, event by event; here they are only passed on."
    return [
        Group("losswatch.alarms", about, (_alarm(watched),) if alarms else ()),
        Group("losswatch.burn", _BURN_ABOUT, burns if objective else ()),
    ]


_BURN_ABOUT = """\
The MSE against the objective, as an error budget of 30 days is burnt: losses are additive, so the
MSE is to max_rmse squared what an error ratio is to its objective. The long window tells that it
matters, the short one that it still goes on."""


def _alarm(watched: Watched) -> Alert:
    labels = ("output", *watched.labels, *(("segment",) if watched.labels else ()))
    parts = [
        f"{{{{ with $labels.{label} }}}}, {label} {{{{ . }}}}{{{{ end }}}}" for label in labels
    ]
    named = "{{ $labels.model }}" + "".join(parts)
    comma = f"{{{{ if or {' '.join(f'$labels.{label}' for label in labels)} }}}},{{{{ end }}}}"
    events = _PROMISE.format(unit="events", shown=' | printf "%.0f"', after=" events")
    seconds = _PROMISE.format(unit="seconds", shown=" | humanizeDuration", after="")
    return Alert(
        "LosswatchAlarm",
        f"losswatch_alarm_active{selector(watched.job)} == 1",
        summary=f"Alarm {{{{ $labels.alarm }}}} of {named} is on",
        description=f"The alarm {{{{ $labels.alarm }}}} of {named}{comma} is on: the error has"
        " grown beyond what the config allows. It stays on until there is evidence that it is low"
        " again."
        f" {events} {seconds}",
        why="The alarm is latched, so there is nothing to wait for; keep_firing_for bridges scrapes"
        " that failed (Prometheus 2.42 or newer). The severity is that of the YAML.",
        keep="5m",
    )


def _burn(job: str, burn: Burn) -> Alert:
    labels, long, short = selector(job), burn.long, burn.short
    times = f"{burn.factor} times" if burn.factor != "1" else "once"
    means = [
        f"{MEAN}{window}{labels}\n  / {OBJECTIVE}{labels} > {burn.factor}"
        for window in (long, short)
    ]
    gate = f"{COUNT}{long}{labels} * {burn.seconds} >= {_LEAST}"
    return Alert(
        "LosswatchErrorBudgetBurn",
        "\nand\n".join([*means, gate]),
        summary=f'MSE of {_NAMED} is {{{{ $value | printf "%.1f" }}}} times its objective',
        description=f"Over {long} and over {short} the MSE of {_OF} was more than {times} the"
        f' square of objective.max_rmse: over {long} {{{{ $value | printf "%.1f" }}}} times that.'
        f" {burn.gone}",
        why=f"More than {times} the objective over {long} and over {short}. `for` is longer than an"
        " event is in the short window: one outlier alone, however large, fires nothing. Knob: the"
        f" {_LEAST} events, below which the mean says little.",
        severity=burn.severity,
        wait=burn.wait,
        labels={"window": long},
    )


def _coarse(job: str) -> Alert:
    labels = selector(job)
    largest = f"max by (job, model, output) (losswatch_l2_loss_sum{labels})"
    return Alert(
        "LosswatchLossTooCoarse",
        f"{largest} / 2^52\n> {OBJECTIVE}{labels}",
        summary=f"One huge loss hides the others of {_NAMED} from Prometheus",
        description=f"The sum of losses of {_OF} has become so large that Prometheus sees it grow"
        ' in steps of up to {{ $value | printf "%.2g" }} only, which is more than an event may'
        " cost. Burn rates and every RMSE that Prometheus computes are wrong until losswatch is"
        " restarted, mostly 0. Its own alarms and gauges are exact.",
        why="A counter is a float64 of 53 bits, so a sum of 2^52 budgets of an event has steps of"
        " half a budget or more: with 50 events in a window that is 1%, and it only gets worse.",
        severity="ticket",
    )
