"""``losswatch rules``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from losswatch.config.load import load_config
from losswatch.core.window import Last
from losswatch.generate.rules import rules_text
from losswatch.generate.watched import Watched, WatchedModel

if TYPE_CHECKING:
    from losswatch.config.model import Config, MonitorConfig

__all__ = ["rules", "watched_by"]


def rules(path: str, job: str, runbook: str, output: str | None) -> int:
    """Write the rules of a config, to standard output unless a file is given."""
    text = rules_text(watched_by(load_config(Path(path)), job, runbook))
    if output is None:
        print(text, end="")
    else:
        Path(output).write_text(text, encoding="utf-8")
    return 0


def watched_by(config: Config, job: str, runbook: str) -> Watched:
    """Return what rules and dashboard must know of a config."""
    return Watched(
        tuple(map(_model, config.monitors)),
        kafka=any(source.kafka for source in config.sources),
        state=config.state != ":memory:",
        job=job,
        runbook=runbook,
    )


def _model(monitor: MonitorConfig) -> WatchedModel:
    return WatchedModel(
        monitor.model,
        ttl=monitor.join.settings.ttl,
        objective=monitor.objective is not None,
        alarms=bool(monitor.alarms),
        promised=any(alarm.kind != "river" for alarm in monitor.alarms),
        outputs=len(monitor.outputs) > 1,
        unit=monitor.unit or "",
        labels=tuple(monitor.labels),
        sliding=tuple((w.label, w.seconds) for w in monitor.windows if isinstance(w, Last)),
        windows=tuple(w.label for w in monitor.windows if not isinstance(w, Last)),
    )
