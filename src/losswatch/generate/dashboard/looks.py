"""How each kind of panel looks, as the plugins of Grafana have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losswatch.generate.dashboard.panel import Panel

__all__ = ["custom_of", "options_of"]

Looks = dict[str, object]

_NOW = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_LEGEND = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_OPTIONS: Mapping[str, Looks] = {
    "number": {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": _NOW,
        "textMode": "auto",
        "wideLayout": True,
    },
    "lines": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "bars": {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": _NOW,
        "showUnfilled": True,
        "valueMode": "color",
    },
    "states": {
        "legend": _LEGEND,
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    },
}


def options_of(panel: Panel, unit: str) -> Looks:
    """Return the options of a panel."""
    if panel.kind == "heat":
        return _heat(unit)
    return dict(_OPTIONS[panel.kind])


def custom_of(panel: Panel) -> Looks | None:
    """Return what its fields look like: no line where there is no data, and limits as lines."""
    if panel.kind == "lines":
        style = "dashed" if panel.limits else "off"
        return {
            "drawStyle": "line",
            "fillOpacity": 0,
            "lineWidth": 1,
            "showPoints": "auto",
            "spanNulls": False,
            "thresholdsStyle": {"mode": style},
        }
    return {"fillOpacity": 70, "lineWidth": 0} if panel.kind == "states" else None


def _heat(unit: str) -> Looks:
    return {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Oranges",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
