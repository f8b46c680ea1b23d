"""Panels as a dashboard of Grafana: the only file that imports its SDK."""

from __future__ import annotations

import re
import warnings
from itertools import count
from typing import TYPE_CHECKING

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.prometheus import Dataquery, PromQueryFormat

from losswatch.generate.dashboard.looks import custom_of, options_of

with warnings.catch_warnings():
    # It says that there is a newer kind of dashboard, which Grafana 11 cannot load.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.models import dashboard as board

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from losswatch.generate.dashboard.panel import Panel, Query, Row, Variable

__all__ = ["as_json"]

_COLUMNS = 24
_HEIGHTS = {"number": 4}
_TYPES = {
    "number": "stat",
    "lines": "timeseries",
    "bars": "bargauge",
    "heat": "heatmap",
    "states": "state-timeline",
}
_UNITS = {
    "seconds": "s",
    "share": "percentunit",
    "bytes": "bytes",
    "times": "suffix:times",
    "since": "dateTimeFromNow",
}
_SOURCE = common.DataSourceRef("prometheus", "${datasource}")


def as_json(rows: Sequence[Row], variables: Sequence[Variable], units: Mapping[str, str]) -> str:
    """Return the text of a dashboard, ready to be imported or provisioned.

    Parameters
    ----------
    rows
        From top to bottom.
    variables
        From left to right, behind the data source.
    units
        Of the target of each model, empty where it is not known.
    """
    made = board.Dashboard(
        uid="losswatch",
        title="losswatch",
        description="The error of regression models. Written by `losswatch dashboard` from a"
        " config: what is changed here is gone when it is written again.",
        tags=["losswatch"],
        graph_tooltip=board.DashboardCursorSync.CROSSHAIR,
        time=board.DashboardDashboardTime("now-6h", "now"),
        refresh="30s",
        panels=_laid_out(rows, units),
        annotations=board.AnnotationContainer([]),
        templating=board.DashboardDashboardTemplating([_source(), *map(_variable, variables)]),
    )
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(made) + "\n"


def _source() -> board.VariableModel:
    return board.VariableModel(
        board.VariableType.DATASOURCE,
        "datasource",
        label="Prometheus",
        query="prometheus",
        refresh=board.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def _variable(variable: Variable) -> board.VariableModel:
    """Return a choice of one where a value is given, else of several, at first of all."""
    query = f"label_values({variable.series}, {variable.label})"
    one = bool(variable.value)
    return board.VariableModel(
        board.VariableType.QUERY,
        variable.name,
        label=variable.title,
        datasource=_SOURCE,
        query=query,
        definition=query,
        multi=not one,
        include_all=not one,
        all_value=None if one else ".*",
        current=board.VariableOption(text=variable.value, value=variable.value)
        if one
        else board.VariableOption(text=["All"], value=["$__all"]),
        refresh=board.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=board.VariableSort.ALPHABETICAL_ASC,
    )


def _laid_out(rows: Sequence[Row], units: Mapping[str, str]) -> list[board.Panel | board.RowPanel]:
    """Return the panels in lines of 24 columns, each row below its title."""
    numbers, y = count(1), 0
    made: list[board.Panel | board.RowPanel] = []
    for row in rows:
        place = board.GridPos(h=1, w=_COLUMNS, x=0, y=y)
        made.append(board.RowPanel(title=row.title, grid_pos=place, id_val=next(numbers)))
        y += 1
        for line in _lines(row.panels):
            height, x = max(_HEIGHTS.get(panel.kind, 8) for panel in line), 0
            for panel in line:
                last = panel is line[-1]
                width = _COLUMNS - x if last else panel.width
                place = board.GridPos(h=height, w=width, x=x, y=y)
                made.append(_panel(panel, next(numbers), place, units))
                x += width
            y += height
    return made


def _lines(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Yield the panels that stand side by side."""
    line: list[Panel] = []
    for panel in panels:
        if line and sum(p.width for p in line) + panel.width > _COLUMNS:
            yield line
            line = []
        line.append(panel)
    if line:
        yield line


def _panel(
    panel: Panel, number: int, place: board.GridPos, units: Mapping[str, str]
) -> board.Panel:
    unit = _unit(panel, set(units.values()))
    config = board.FieldConfig(
        unit=unit,
        no_value=panel.nothing or None,
        thresholds=_thresholds(panel),
        color=board.FieldColor(_colour(panel)),
        mappings=_mappings(panel),
        min_val=0 if panel.kind == "bars" else None,
        custom=custom_of(panel),
    )
    mixed = panel.measure == "error" and len(set(units.values())) > 1
    return board.Panel(
        _TYPES[panel.kind],
        number,
        targets=[_target(panel, query, n) for n, query in enumerate(panel.queries)],
        title=panel.title,
        description=panel.about,
        datasource=_SOURCE,
        grid_pos=place,
        options=options_of(panel, unit),
        field_config=board.FieldConfigSource(config, _overrides(units) if mixed else []),
    )


def _target(panel: Panel, query: Query, number: int) -> Dataquery:
    now = panel.kind in {"number", "bars"}
    heat = panel.kind == "heat"
    return Dataquery(
        datasource=_SOURCE,
        expr=query.expr,
        legend_format=query.name or "__auto",
        instant=now,
        range_val=not now,
        exemplar=heat,
        format_val=PromQueryFormat.HEATMAP if heat else PromQueryFormat.TIME_SERIES,
        ref_id=_letters(number),
    )


def _letters(number: int) -> str:
    """Return the name of a query as Grafana gives it: A to Z, then AA and so on."""
    before, last = divmod(number, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


def _unit(panel: Panel, known: set[str]) -> str:
    """Return a unit of Grafana's; that of the target only if all models have the same."""
    unit = next(iter(known)) if len(known) == 1 else ""
    if panel.measure == "error" and unit:
        return f"suffix:{unit}"
    if panel.measure == "loss" and unit:
        return f"suffix:{unit}²" if unit.isalnum() else f"suffix:({unit})²"
    return _UNITS.get(panel.measure, "short")


def _overrides(units: Mapping[str, str]) -> list[board.DashboardFieldConfigSourceOverrides]:
    """Return the unit of each model's series: their names begin with it."""
    return [
        board.DashboardFieldConfigSourceOverrides(
            matcher=board.MatcherConfig("byRegexp", f"/^{_pattern(name)}( |$)/"),
            properties=[board.DynamicConfigValue("unit", f"suffix:{unit}")],
        )
        for name, unit in units.items()
        if unit
    ]


def _pattern(name: str) -> str:
    """Return a regular expression of JavaScript that matches just this name."""
    return re.sub(r"([.*+?()|\[\]{}^$\\/])", r"\\\1", name)


def _thresholds(panel: Panel) -> board.ThresholdsConfig:
    base = "green" if panel.limits or panel.kind == "states" else "blue"
    steps = [board.Threshold(None, base)]
    steps += [board.Threshold(value, colour) for value, colour in panel.limits]
    return board.ThresholdsConfig(board.ThresholdsMode.ABSOLUTE, steps)


def _colour(panel: Panel) -> board.FieldColorModeId:
    if panel.kind == "lines":
        return board.FieldColorModeId.PALETTE_CLASSIC
    return board.FieldColorModeId.THRESHOLDS


def _mappings(panel: Panel) -> list[board.ValueMapping] | None:
    """Return words for 0 and 1; 1 is bad where the panel has limits."""
    if panel.kind != "states":
        return None
    words = (("off", "green"), ("on", "red")) if panel.limits else (("no", "red"), ("yes", "green"))
    return [
        board.ValueMap(
            {
                str(value): board.ValueMappingResult(text, colour, index=value)
                for value, (text, colour) in enumerate(words)
            }
        )
    ]
