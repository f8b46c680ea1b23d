"""How losswatch itself is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.panel import Panel, Query, Row

if TYPE_CHECKING:
    from losswatch.generate.dashboard.asking import Asking

__all__ = ["meter_row"]


def meter_row(asking: Asking) -> Row:
    """Return the row about the exporter."""
    panels = [_states(asking), _scrapes(asking), _load(asking), _memory(asking)]
    panels += [_windows(asking)]
    if asking.labels:
        panels.append(_segments(asking))
    return Row("losswatch itself", tuple(panels))


def _states(asking: Asking) -> Panel:
    states = {
        "scraped": "up",
        "cost": "losswatch_collector_success",
        "config": "losswatch_config_last_reload_successful",
        **({"state": "losswatch_state_writable"} if asking.watched.state else {}),
    }
    return Panel(
        "Works",
        "Whether each process can be scraped, its cost be collected, its config be loaded and its"
        " state be written. 0: the log says why.",
        tuple(
            Query(f"{series}{asking.job}", f"{{{{instance}}}} {title}")
            for title, series in states.items()
        ),
        kind="states",
        width=12,
    )


def _scrapes(asking: Asking) -> Panel:
    return Panel(
        "Time of a scrape",
        "How long collecting the cost took, and the scrape as a whole.",
        (
            Query(f"losswatch_scrape_duration_seconds{asking.job}", "{{instance}} cost"),
            Query(f"scrape_duration_seconds{asking.job}", "{{instance}} scrape"),
        ),
        measure="seconds",
        width=6,
    )


def _load(asking: Asking) -> Panel:
    return Panel(
        "Cores",
        "Processor time a second. At 1 a process does all it can: a lag will grow.",
        (
            Query(
                f"rate(process_cpu_seconds_total{asking.job}[$__rate_interval])",
                "{{instance}}",
            ),
        ),
        measure="cores",
        width=6,
    )


def _memory(asking: Asking) -> Panel:
    return Panel(
        "Memory",
        "Resident. It grows with segments, windows and what waits in the join.",
        (Query(f"process_resident_memory_bytes{asking.job}", "{{instance}}"),),
        measure="bytes",
        width=6,
    )


def _windows(asking: Asking) -> Panel:
    return Panel(
        "Too late for a window, 1h",
        "Events that came when the window had left their time behind: they count in the longer"
        " windows and the lifetime.",
        (
            Query(
                f"sum by (model, window) (increase(losswatch_late_events_total{asking.model}[1h]))",
                "{{model}} {{window}}",
            ),
        ),
        width=6,
    )


def _segments(asking: Asking) -> Panel:
    return Panel(
        "Segments",
        "Segments that have a cost of their own, and the events of an hour of those beyond the"
        " limit: they count together as segment=other.",
        (
            Query(f"max by (model) (losswatch_segments{asking.model})", "{{model}}"),
            Query(
                f"sum by (model) (increase(losswatch_segments_overflowed_total{asking.model}[1h]))",
                "{{model}} beyond the limit",
            ),
        ),
        width=6,
    )
