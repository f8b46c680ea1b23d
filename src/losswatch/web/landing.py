"""The page at ``/``: where things are, and the cost of this moment."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from losswatch.version import __version__

if TYPE_CHECKING:
    from losswatch.core.cost import Cost
    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.core.snapshot import Snapshot

__all__ = ["landing_page"]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>losswatch</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto;
  padding: 0 1rem; }}
h1 {{ margin-bottom: 0; }}
h1 + p {{ margin-top: .25rem; opacity: .75; }}
table {{ border-collapse: collapse; margin: 1.5rem 0; width: 100%; }}
th, td {{ padding: .4rem .75rem; text-align: right; border-bottom: 1px solid #8884;
  font-variant-numeric: tabular-nums; }}
th:first-child, td:first-child {{ text-align: left; }}
div {{ overflow-x: auto; }}
nav a {{ margin-right: 1.5rem; }}
</style>
</head>
<body>
<h1>losswatch</h1>
<p>The exact running L2 cost of regression models. Version {version}.</p>
{table}
<p>{rejected}</p>
<nav><a href="metrics">/metrics</a><a href="-/healthy">/-/healthy</a><a
 href="-/ready">/-/ready</a></nav>
</body>
</html>
"""

_TABLE = """<div><table>
<thead><tr><th>model</th><th>events</th><th>MSE</th><th>RMSE</th><th>MAE</th><th>bias</th></tr>
</thead>
<tbody>
{rows}
</tbody>
</table></div>"""


def landing_page(snapshot: MonitorsSnapshot) -> str:
    """Return the page as HTML."""
    rows = [row for monitor in snapshot.monitors for row in _rows(monitor)]
    refused = sum(snapshot.all_rejected.values())
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in snapshot.all_rejected.most_common())
    return _PAGE.format(
        version=escape(__version__),
        table=_TABLE.format(rows="\n".join(rows)) if rows else "<p>No model is watched yet.</p>",
        rejected=escape(f"Refused events: {refused:,}" + (f" ({reasons})" if reasons else "")),
    )


def _rows(monitor: Snapshot) -> list[str]:
    unit = f" ({monitor.unit})" if monitor.unit else ""
    rows = [_row(f"{monitor.model}{unit}", monitor.pooled)]
    if len(monitor.outputs) > 1:
        rows += [
            _row(f"{monitor.model} › {output}", monitor.cost(output)) for output in monitor.outputs
        ]
    return rows


def _row(name: str, cost: Cost) -> str:
    numbers = [f"{value:,.6g}" for value in (cost.mse, cost.rmse, cost.mae, cost.bias)]
    cells = [f"{cost.n:,}", *(numbers if cost.n else ["no events yet", "", "", ""])]
    return f"<tr><td>{escape(name)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
