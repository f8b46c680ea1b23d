"""The page at ``/``: where things are, and the cost of this moment."""

from __future__ import annotations

import datetime as dt
import math
from html import escape
from typing import TYPE_CHECKING

from losswatch.core.ledger import LIFETIME
from losswatch.core.window import parse_duration
from losswatch.core.worst import worst_segments
from losswatch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from losswatch.core.alarms.span import Span
    from losswatch.core.alarms.watch import WatchReading
    from losswatch.core.cells.reading import Reading
    from losswatch.core.join.tally import JoinSnapshot
    from losswatch.core.monitors import MonitorsSnapshot
    from losswatch.core.snapshot import Snapshot

__all__ = ["landing_page"]

_WHOLE: Mapping[str, str] = {}

_MOST_SEGMENTS = 10
"""Segments of a model that are shown."""

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
h2 {{ font-size: 1.15rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }}
h2 small {{ font-weight: normal; opacity: .75; }}
table {{ border-collapse: collapse; margin: .25rem 0 1rem; width: 100%; }}
caption {{ text-align: left; opacity: .75; padding: .4rem .75rem .4rem 0; }}
th, td {{ padding: .4rem 0 .4rem .75rem; text-align: right; border-bottom: 1px solid #8884;
  font-variant-numeric: tabular-nums; white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; padding-left: 0; }}
td:first-child {{ white-space: normal; overflow-wrap: anywhere; min-width: 3rem; }}
div {{ overflow-x: auto; }}
nav a {{ margin-right: 1.5rem; display: inline-block; }}
@media (max-width: 36rem) {{
  table {{ font-size: 12px; }}
  th, td {{ padding-left: .4rem; }}
}}
</style>
</head>
<body>
<h1>losswatch</h1>
<p>The exact running L2 cost of regression models. Version {version}.</p>
{models}
<p>{rejected}</p>
<nav><a href="metrics">/metrics</a><a href="api/v1/cost">/api/v1/cost</a><a
 href="api/v1/alarms">/api/v1/alarms</a><a
 href="api/v1/openapi.json">/api/v1/openapi.json</a><a href="-/healthy">/-/healthy</a><a
 href="-/ready">/-/ready</a></nav>
</body>
</html>
"""

_TABLE = """<div><table>{caption}
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table></div>"""


def landing_page(snapshot: MonitorsSnapshot) -> str:
    """Return the page as HTML."""
    parts = [part for monitor in snapshot.monitors for part in _parts(monitor)]
    refused = sum(snapshot.all_rejected.values())
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in snapshot.all_rejected.most_common())
    return _PAGE.format(
        version=escape(__version__),
        models="\n".join(parts) or "<p>No model is watched yet.</p>",
        rejected=escape(f"Refused events: {refused:,}" + (f" ({reasons})" if reasons else "")),
    )


def _parts(monitor: Snapshot) -> list[str]:
    """Return all about one model: its windows, those of its outputs, its segments."""
    unit = f" <small>({escape(monitor.unit)})</small>" if monitor.unit else ""
    parts = [f"<h2>{escape(monitor.model)}{unit}</h2>", _windows(monitor.readings)]
    if not monitor.readings[LIFETIME].n[0]:
        parts.append("<p>no events yet</p>")
    if monitor.alarms.watches:
        parts.append(_alarms(monitor))
    if monitor.join.is_used:
        parts.append(f"<p>{escape(_joined(monitor.join))}</p>")
    if len(monitor.outputs) > 1:
        for output, ledger in monitor.outputs.items():
            parts.append(_windows(ledger.readings, f"output {output}"))
    if monitor.overflowed is not None:
        parts.append(_segments(monitor, _shortest(monitor.readings)))
    return parts


def _alarms(monitor: Snapshot) -> str:
    """Return the alarms: those that are on, and those of the whole model."""
    rows = [
        (
            " ".join([watch.alarm.name, watch.output, _name(segment)]).strip(),
            *_state(watch, row),
            _promised(watch.alarm.promise),
        )
        for watch in monitor.alarms.watches
        for row, segment in enumerate(monitor.segments[1:] if watch.alarm.per_segment else [_WHOLE])
        if watch.active[row].any() or not watch.alarm.per_segment
    ]
    return _table(("alarm", "state", "evidence", "one false alarm per"), rows, "Alarms")


def _state(watch: WatchReading, row: int) -> tuple[object, object]:
    on = [s for s, is_on in zip(watch.alarm.severities, watch.active[row], strict=True) if is_on]
    since = dt.datetime.fromtimestamp(float(watch.since[row]), dt.UTC)
    if on:
        return f"ON: {on[-1]}, since {since:%Y-%m-%d %H:%M:%S} UTC", "–"
    if watch.waiting[row]:
        return f"learning, {int(watch.waiting[row]):,} blocks to go", "–"
    return "off", "–" if watch.alarm.promise is None else f"{watch.evidence[row].max():.0%}"


def _promised(promise: Span | None) -> str:
    if promise is None:
        return "no promise"
    if promise.timed:
        return f"{promise.size / 86_400:,.3g} days"
    return f"{promise.size:,.0f} events"


def _joined(join: JoinSnapshot) -> str:
    """Say how many predictions have their truth, and what waits."""
    scored = f"{join.coverage:.1%} of the predictions are scored; " if join.ever_predicted else ""
    truths = f" and {join.pending_truths:,} truths wait for their prediction"
    return f"{scored}{join.pending_predictions:,} wait for their truth{truths}"


def _windows(readings: Mapping[str, Reading], caption: str = "") -> str:
    """Return the total over each window."""
    cells = {window: reading.cell(0) for window, reading in readings.items()}  # not all rows
    rows = [(window, c.n, c.mse, c.rmse, c.mae, c.bias) for window, c in cells.items()]
    return _table(("window", "events", "MSE", "RMSE", "MAE", "bias"), rows, caption)


def _segments(monitor: Snapshot, window: str) -> str:
    """Return the segments that cost the most over a window."""
    reading = monitor.readings[window]
    n, rmse, loss = reading.n, reading.rmse, reading.loss
    worst = [row for row in worst_segments(monitor, window)[:_MOST_SEGMENTS] if n[row]]
    caption = f"Segments with the largest Σ loss, {window}"
    if not worst:
        return f"<p>{escape(caption)}: none has events</p>"
    rows = [
        (_name(monitor.segments[row]), n[row], rmse[row], _share(loss[row], loss[0]))
        for row in worst
    ]
    return _table(("segment", "events", "RMSE", "share"), rows, caption)


def _shortest(readings: Mapping[str, Reading]) -> str:
    """Return the shortest window that is a duration and has events, or else the lifetime."""
    seconds = {}
    for window, reading in readings.items():
        try:
            if reading.n[0]:
                seconds[window] = parse_duration(window)
        except ValueError:
            continue
    return min(seconds, key=seconds.__getitem__, default=LIFETIME)


def _name(segment: Mapping[str, str]) -> str:
    return " ".join(f"{label}={value}" for label, value in segment.items())


def _share(loss: float, total: float) -> str:
    return f"{loss / total:.1%}" if 0.0 < total < math.inf else "–"


def _table(head: Iterable[str], rows: Iterable[tuple[object, ...]], caption: str = "") -> str:
    return _TABLE.format(
        caption=f"<caption>{escape(caption)}</caption>" if caption else "",
        head="".join(f"<th>{name}</th>" for name in head),
        rows="\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows),
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"<td>{'–' if math.isnan(value) else f'{value:,.5g}'}</td>"
    text = value if isinstance(value, str) else f"{value:,}"
    return f"<td>{escape(text)}</td>"
