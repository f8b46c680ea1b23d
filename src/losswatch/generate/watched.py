"""What the rules must know of a config."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RUNBOOK", "Watched", "WatchedModel"]

RUNBOOK = "deploy/runbook.md"
"""Where the entries of the alerts are, unless something else is said."""


@dataclass(frozen=True, slots=True)
class WatchedModel:
    """One model: its name, how long (in seconds) it waits for a truth, and what it declares."""

    name: str
    ttl: float
    objective: bool = False
    alarms: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """All of a config that decides which rules there are.

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
