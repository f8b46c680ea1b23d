"""What rules and dashboard must know of a config."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RUNBOOK", "Watched", "WatchedModel"]

RUNBOOK = "deploy/runbook.md"
"""Where the entries of the alerts are, unless something else is said."""

_EXPORTED = {label: f"exported_{label}" for label in ("job", "instance")}
"""Labels that Prometheus gives each target: those of a page it keeps by another name."""


@dataclass(frozen=True, slots=True)
class WatchedModel:
    """One model, and what it declares.

    Parameters
    ----------
    name
        The value of the label ``model``.
    ttl
        How long it waits for a truth, in seconds.
    objective, alarms, promised, outputs
        Whether it has an objective, alarms, alarms with a promise, several outputs.
    unit
        Of the target, if it is known.
    labels
        Those that name its segments.
    sliding
        Its windows of the last time: the label of each, and its seconds.
    windows
        The labels of its other windows.
    """

    name: str
    ttl: float
    objective: bool = False
    alarms: bool = False
    promised: bool = False
    outputs: bool = False
    unit: str = ""
    labels: tuple[str, ...] = ()
    sliding: tuple[tuple[str, float], ...] = ()
    windows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """All of a config that decides which rules and panels there are.

    Parameters
    ----------
    models
        In the order of the config.
    kafka
        Whether a source is Kafka.
    state
        Whether there is a state file, which could fail to be written.
    job
        The scrape job, the value of the label ``job``.
    runbook
        What the links to the runbook begin with.
    """

    models: tuple[WatchedModel, ...]
    kafka: bool = False
    state: bool = False
    job: str = "losswatch"
    runbook: str = RUNBOOK

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the segments of all models, as Prometheus has them."""
        labels = dict.fromkeys(label for model in self.models for label in model.labels)
        return tuple(_EXPORTED.get(label, label) for label in labels)
