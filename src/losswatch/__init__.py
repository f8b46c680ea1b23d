"""The error meter for regression models in production.

Importing this package loads nothing else; each name loads what it needs when
it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from losswatch.version import __version__

if TYPE_CHECKING:
    from losswatch.core.alarms.settings import BudgetAlarm, DetectorAlarm, DriftAlarm
    from losswatch.core.alarms.span import Span
    from losswatch.core.cost import Cost
    from losswatch.core.exact import ExactSum
    from losswatch.core.join.settings import Join
    from losswatch.core.outputs import MultiOutputCost
    from losswatch.core.rolling import RollingCost
    from losswatch.core.segments import Segments
    from losswatch.core.time_rolling import TimeRollingCost
    from losswatch.errors import LosswatchError, Reason, RejectedEvent, StateError, StoreError
    from losswatch.service.monitor import Monitor
    from losswatch.service.serve import serve
    from losswatch.workers.connection import connect

__all__ = [
    "BudgetAlarm",
    "Cost",
    "DetectorAlarm",
    "DriftAlarm",
    "ExactSum",
    "Join",
    "LosswatchError",
    "Monitor",
    "MultiOutputCost",
    "Reason",
    "RejectedEvent",
    "RollingCost",
    "Segments",
    "Span",
    "StateError",
    "StoreError",
    "TimeRollingCost",
    "__version__",
    "connect",
    "serve",
]

_HOMES = {
    "BudgetAlarm": "core.alarms.settings",
    "Cost": "core.cost",
    "DetectorAlarm": "core.alarms.settings",
    "DriftAlarm": "core.alarms.settings",
    "ExactSum": "core.exact",
    "Join": "core.join.settings",
    "LosswatchError": "errors",
    "Monitor": "service.monitor",
    "MultiOutputCost": "core.outputs",
    "Reason": "errors",
    "RejectedEvent": "errors",
    "RollingCost": "core.rolling",
    "Segments": "core.segments",
    "Span": "core.alarms.span",
    "StateError": "errors",
    "StoreError": "errors",
    "TimeRollingCost": "core.time_rolling",
    "connect": "workers.connection",
    "serve": "service.serve",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'losswatch' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"losswatch.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
