"""Alerts on losswatch itself: a meter that stands still shows no error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.rule import Alert, Group
from losswatch.generate.text import quoted, selector

if TYPE_CHECKING:
    from losswatch.generate.watched import Watched

__all__ = ["meter_group"]

_ABOUT = "losswatch itself. A series that is not there fires no alert: these tell it."


def meter_group(watched: Watched) -> Group:
    """Return the group."""
    labels = selector(watched.job)
    state = (_not_writable(labels),) if watched.state else ()
    return Group(
        "losswatch.meter",
        _ABOUT,
        (
            _down(labels),
            _absent(labels),
            _collector_failed(labels),
            *state,
            _reload_failed(labels),
            _model_absent(watched),
        ),
    )


def _down(labels: str) -> Alert:
    return Alert(
        "LosswatchTargetDown",
        f"up{labels} == 0",
        summary="losswatch at {{ $labels.instance }} cannot be scraped",
        description="Prometheus has not been able to scrape {{ $labels.instance }} for 5 minutes."
        " What it watches has no error in Prometheus meanwhile: all other alerts on it are silent.",
        why="The target is known and does not answer. `for` leaves time for a restart.",
        severity="page",
        wait="5m",
    )


def _absent(labels: str) -> Alert:
    return Alert(
        "LosswatchAbsent",
        f"absent(up{labels})",
        summary="No losswatch is scraped by the job {{ $labels.job }}",
        description="Prometheus has no target of the job {{ $labels.job }}: nothing is watched, and"
        " all other alerts on losswatch are silent.",
        why="A job without targets has no `up` that could be 0. If this fires though losswatch is"
        " scraped, the job has another name: write the rules with --job NAME.",
        severity="page",
        wait="5m",
    )


def _collector_failed(labels: str) -> Alert:
    return Alert(
        "LosswatchCollectorFailed",
        f"losswatch_collector_success{labels} == 0",
        summary="losswatch at {{ $labels.instance }} answers without the cost",
        description="For 5 minutes the pages of {{ $labels.instance }} have come without any cost,"
        " because collecting it failed; the log says why. All alerts on its models are silent.",
        why="The scrape works and `up` is 1, but the numbers are not there.",
        severity="page",
        wait="5m",
    )


def _not_writable(labels: str) -> Alert:
    return Alert(
        "LosswatchStateNotWritable",
        f"losswatch_state_writable{labels} == 0",
        summary="losswatch at {{ $labels.instance }} cannot write its state",
        description="The last commit of {{ $labels.instance }} to its state failed. Until one works"
        " nothing is counted and nothing acknowledged: senders must repeat, sources wait.",
        why="Nothing is lost yet, and nothing is counted. `for` leaves out a single slow disk.",
        severity="page",
        wait="2m",
    )


def _reload_failed(labels: str) -> Alert:
    return Alert(
        "LosswatchReloadFailed",
        f"losswatch_config_last_reload_successful{labels} == 0",
        summary="losswatch at {{ $labels.instance }} could not load its config",
        description="The last attempt of {{ $labels.instance }} to load its config failed. It goes"
        " on with the one before; after a restart it would not come up.",
        why="It stays 0 until a config was loaded, so there is nothing to wait for.",
        severity="ticket",
    )


def _model_absent(watched: Watched) -> Alert:
    job = watched.job
    collected = f"max by (job) (losswatch_collector_success{selector(job)})"
    each = [
        f"absent(losswatch_lifetime_events{selector(job, more=f'model={quoted(model.name)}')})"
        for model in watched.models
    ]
    some = "\n  or ".join(each)
    return Alert(
        "LosswatchModelAbsent",
        f"(\n  {some}\n)\nand on (job)\n{collected} == 1",
        summary="No losswatch watches {{ $labels.model }}",
        description="losswatch is scraped, but {{ $labels.model }} is not among its models, though"
        " it was in the config that these rules were written from: its alerts are silent.",
        why="A declared model has its series from the start, before any event.",
        severity="ticket",
        wait="10m",
    )
