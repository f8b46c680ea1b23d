"""A dashboard as Grafana uses it: variables are filled in, then each query is run."""

from __future__ import annotations

import json
import math
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from servers import Prometheus, fetch

from losswatch.cli.rules import watched_by
from losswatch.config.load import parse_config
from losswatch.generate.dashboard.board import dashboard_text
from losswatch.prometheus import METRICS

ALL = "$__all"
BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "6h"}
_VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+)(?::\w+)?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::[^}]+)?\}")
"""What Grafana takes for a variable."""

_SUFFIXES = {"counter": ["_total"], "histogram": ["_sum", "_count", "_bucket"]}
KNOWN = {
    f"losswatch_{name}{suffix}"
    for name, (kind, _) in METRICS.items()
    for suffix in _SUFFIXES.get(kind, [""])
}


def text_of(config: str, job: str = "losswatch") -> str:
    """Return the dashboard that the command writes for a config."""
    return dashboard_text(watched_by(parse_config(config), job, ""))


@dataclass
class Board:
    """A dashboard, and what is chosen above it: values by variable, all of them by default."""

    model: dict[str, Any]
    chosen: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        return {variable["name"]: variable for variable in self.model["templating"]["list"]}

    @property
    def panels(self) -> list[dict[str, Any]]:
        """Its panels without the titles of rows."""
        return [panel for panel in self.model["panels"] if panel["type"] != "row"]

    @property
    def titles(self) -> dict[str, list[str]]:
        """The titles of panels, by that of their row."""
        found: dict[str, list[str]] = {}
        row = ""
        for panel in self.model["panels"]:
            if panel["type"] == "row":
                row = panel["title"]
            found.setdefault(row, [])
            if panel["type"] != "row":
                found[row].append(panel["title"])
        return found

    def queries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each query with the title of its panel."""
        for panel in self.panels:
            for target in panel["targets"]:
                yield panel["title"], target

    def filled(self, text: str) -> str:
        """Return a query as it is sent to Prometheus."""
        return _VARIABLE.sub(lambda found: self._value(next(filter(None, found.groups()))), text)

    def _value(self, name: str) -> str:
        if name in BUILT_IN:
            return BUILT_IN[name]
        variable = self.variables[name]
        if not variable["multi"]:
            value = self.chosen.get(name, [variable["current"]["value"]])[0]
            return value.replace("\\", "\\\\").replace("'", "\\\\'")
        values = self.chosen.get(name, [ALL])
        if values == [ALL]:
            return str(variable["allValue"])
        escaped = [_escaped(value) for value in values]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    def choices(self, server: Prometheus, name: str) -> list[str]:
        """Return what can be chosen of a variable: the values of a label."""
        query = self.filled(self.variables[name]["query"])
        series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
        parameters = urllib.parse.urlencode({"match[]": series})
        return list(_data(f"{server.url}/api/v1/label/{label}/values?{parameters}"))

    def numbers(self, server: Prometheus, target: Mapping[str, Any]) -> list[float]:
        """Return all values of a query; of one over time, those of the last seconds."""
        expr = self.filled(target["expr"])
        now = time.time()
        if target["instant"]:
            found = _result(server, "query", query=expr, time=now)
            return [float(series["value"][1]) for series in found]
        found = _result(server, "query_range", query=expr, start=now - 5, end=now, step=1)
        return [float(value) for series in found for _, value in series["values"]]

    def exemplars(self, server: Prometheus, target: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the labels of all exemplars that are shown beside a query."""
        asked = {"query": self.filled(target["expr"]), "start": 0, "end": time.time() + 60}
        found = _data(f"{server.url}/api/v1/query_exemplars?{urllib.parse.urlencode(asked)}")
        return [exemplar["labels"] for series in found for exemplar in series["exemplars"]]


def empty(board: Board, server: Prometheus, *titles: str) -> list[str]:
    """Return the queries that show nothing, of all panels or of some: no series, or only NaN."""
    return [
        f"{title}: {board.filled(target['expr'])}"
        for title, target in board.queries()
        if (not titles or title in titles) and all(map(math.isnan, board.numbers(server, target)))
    ]


def _escaped(value: str) -> str:
    return re.sub(r"([$^*{}\[\]'+?.()|])", r"\\\\\1", value.replace("\\", "\\\\\\\\"))


def _result(server: Prometheus, path: str, **parameters: object) -> list[dict[str, Any]]:
    found = _data(f"{server.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
    return list(found["result"])


def _data(url: str) -> Any:
    answer = json.loads(fetch(url)[2])
    assert answer["status"] == "success", (urllib.parse.unquote_plus(url), answer)
    return answer["data"]
