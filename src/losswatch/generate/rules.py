"""All rules of a config, as the text of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.document import document
from losswatch.generate.errors import error_groups
from losswatch.generate.events import event_groups
from losswatch.generate.meter import meter_group
from losswatch.generate.rates import rate_groups

if TYPE_CHECKING:
    from losswatch.generate.watched import Watched

__all__ = ["rules_text"]

_HEAD = """\
Rules of Prometheus (2.42 or newer) for losswatch, written by `losswatch rules` from a config. What
is changed here is gone when they are written again.

Severities: page wakes somebody, ticket is for working hours, warning is to be seen."""


def rules_text(watched: Watched) -> str:
    """Return the YAML of a rules file: the same text for the same config.

    Examples
    --------
    >>> from losswatch.generate.watched import Watched, WatchedModel
    >>> text = rules_text(Watched((WatchedModel("eta", ttl=604_800.0),)))
    >>> "alert: LosswatchTruthStopped" in text, "LosswatchErrorBudgetBurn" in text
    (True, False)
    """
    objective = any(model.objective for model in watched.models)
    groups = [
        *rate_groups(watched.job, objective=objective),
        *error_groups(watched),
        *event_groups(watched),
        meter_group(watched),
    ]
    return document(_HEAD, groups, watched.runbook)
