"""All panels of a config, as the text of a dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.asking import Asking
from losswatch.generate.dashboard.health import health_row
from losswatch.generate.dashboard.history import history_row
from losswatch.generate.dashboard.losses import losses_row
from losswatch.generate.dashboard.meter import meter_row
from losswatch.generate.dashboard.segments import segments_row
from losswatch.generate.dashboard.truth import truth_row

if TYPE_CHECKING:
    from losswatch.generate.dashboard.panel import Row
    from losswatch.generate.watched import Watched

__all__ = ["dashboard_rows", "dashboard_text"]


def dashboard_rows(watched: Watched) -> tuple[Row, ...]:
    """Return the rows that have panels, from the first question to the last.

    Examples
    --------
    >>> from losswatch.generate.watched import Watched, WatchedModel
    >>> for row in dashboard_rows(Watched((WatchedModel("eta", ttl=604_800.0),))):
    ...     print(row.title, len(row.panels))
    Is it healthy now? 5
    Since when is it not? 2
    Which events? 3
    Is the truth arriving? 6
    losswatch itself 5
    """
    asking = Asking(watched)
    ask = (health_row, history_row, segments_row, losses_row, truth_row, meter_row)
    return tuple(row for row in (question(asking) for question in ask) if row.panels)


def dashboard_text(watched: Watched) -> str:
    """Return the JSON of a dashboard: the same text for the same config.

    Raises
    ------
    ImportError
        If the SDK of Grafana is not installed.
    """
    from losswatch.generate.dashboard import grafana  # noqa: PLC0415  # an extra

    units = {model.name: model.unit for model in watched.models}
    return grafana.as_json(dashboard_rows(watched), Asking(watched).variables(), units)
