"""The error that is acceptable, and the alarms, as they stand in the YAML."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from losswatch.config.detectors import detector_maker
from losswatch.config.schema import VARIABLE
from losswatch.config.section import Name, Section, wrong
from losswatch.config.spans import SpanText  # noqa: TC001  # pydantic reads it
from losswatch.core.alarms.settings import Alarm, BudgetAlarm, DetectorAlarm, DriftAlarm
from losswatch.core.alarms.span import Span

__all__ = ["AlarmConfig", "ObjectiveConfig", "make_alarm"]

_PERCENT = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,6})?) ?%")

_DEFAULTS: dict[bool, tuple[int | str, str]] = {True: ("30s", "30d"), False: (10, "1000000 events")}
"""Block and promise, in time or in events."""

_OF_KIND = {
    "max_rmse": "budget",
    "loss_cap": "budget",
    "tolerance": "drift",
    "warmup": "drift",
    "detector": "river",
    "input": "river",
    "settings": "river",
    "clear": "river",
}
"""The keys that one kind alone has."""


def _share(value: object) -> object:
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found:
        return float(found[1]) / 100.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("is {value}; must be a share such as 20%", value=f"{value!r:.60}")
    return float(value)


def _positive(value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise wrong("is {value}; must be a number above 0", value=f"{value!r:.60}")
    return value


_SHARE_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": rf"^[0-9.]+ ?%$|{VARIABLE}"},
    ]
}
_Share = Annotated[float, BeforeValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]
_Rmse = Annotated[float, AfterValidator(_positive)]


class ObjectiveConfig(Section):
    """The error that is acceptable."""

    max_rmse: _Rmse = Field(
        description="The largest acceptable RMSE, in the target's unit; of each output, if there"
        " are several. Alarms and rules compare with its square."
    )


class AlarmConfig(Section):
    """One alarm of a monitor."""

    kind: Literal["budget", "drift", "river"] = Field(
        description="budget: the MSE is above a budget; drift: the typical error grew since a"
        " warm-up; river: a detector of river, which states no rate of false alarms."
    )
    name: Name | None = Field(
        default=None, description="The value of the label `alarm`. Default: its kind."
    )
    one_false_alarm_per: SpanText | None = Field(
        default=None,
        description="The promise: at most one false alarm is expected in so many events, or so"
        " much time. Default: 30d, or 1000000 events where block is in events.",
    )
    block: SpanText | None = Field(
        default=None,
        description="Losses are averaged over blocks of so many events, or so much time, as the"
        " promise is. Default: 30s, or 10 events.",
    )
    one_false_clear_per: SpanText | None = Field(
        default=None,
        description="An alarm that is on is cleared too early at most once in so long. Default:"
        " 1000 blocks.",
    )
    max_rmse: _Rmse | dict[str, _Rmse] | None = Field(
        default=None,
        description="Of a budget alarm: the largest acceptable RMSE, or one for each severity, the"
        " lowest first. Default: that of the objective.",
    )
    loss_cap: float | None = Field(
        default=None,
        gt=1,
        description="Of a budget alarm: so many budgets count of a loss at most.",
    )
    tolerance: _Share = Field(
        default=0.2,
        description="Of a drift alarm: by so much may the MSE grow, for example 20%.",
    )
    warmup: SpanText | None = Field(
        default=None,
        description="Of a drift alarm: how long the typical error is learnt at first. Default: 500"
        " blocks.",
    )
    detector: str | None = Field(
        default=None,
        description="Of kind river: the class of the detector, for example river.drift.ADWIN.",
    )
    settings: dict[str, bool | int | float | str | None] = Field(
        default={}, description="Of kind river: what the detector is made with."
    )
    input: Literal["squared", "abs", "sqrt_abs", "log"] = Field(
        default="sqrt_abs",
        description="Of kind river: what of the error the detector is fed with, as means of"
        " blocks.",
    )
    clear: SpanText | None = Field(
        default=None,
        description="Of kind river: after so long without a detection the alarm is cleared."
        " Default: 1000 blocks.",
    )
    severity: Name = Field(default="warning", description="The value of the label `severity`.")
    per_segment: bool = Field(
        default=False,
        description="Whether each segment has an alarm of its own; the promise holds for all of"
        " them together.",
    )
    output: Name | None = Field(
        default=None,
        description="Which output is watched. Default: each by itself, and the promise holds for"
        " all of them together.",
    )


def make_alarm(config: AlarmConfig, objective: ObjectiveConfig | None) -> Alarm:
    """Return the alarm that is meant.

    Raises
    ------
    ValueError
        Its keys do not fit together: with what was found and the remedy.
    """
    for key, kind in _OF_KIND.items():
        if config.kind != kind and _is_given(config, key):
            raise ValueError(f"has {key}, which an alarm of kind {config.kind} has not; remove it")
    if config.kind == "river":
        return _detector_alarm(config)
    common = _common(config)
    promise = Span.of(config.one_false_alarm_per or _defaults(config)[1])
    clear = config.one_false_clear_per
    common |= {
        "one_false_alarm_per": promise,
        "one_false_clear_per": None if clear is None else Span.of(clear),
    }
    if config.kind == "drift":
        warmup = None if config.warmup is None else Span.of(config.warmup)
        return DriftAlarm(**common, tolerance=config.tolerance, warmup=warmup)
    limit = config.max_rmse
    if limit is None and objective is not None:
        limit = objective.max_rmse
    if limit is None:
        raise ValueError("has no budget; give it max_rmse, or the monitor objective: {max_rmse}")
    if isinstance(limit, dict) and _is_given(config, "severity"):
        raise ValueError("has severity and a max_rmse for each severity; remove severity")
    return BudgetAlarm(**common, max_rmse=limit, loss_cap=config.loss_cap)


def _detector_alarm(config: AlarmConfig) -> Alarm:
    for key in ("one_false_alarm_per", "one_false_clear_per"):
        if getattr(config, key) is not None:
            raise ValueError(f"has {key}, but a detector of river keeps no such promise; remove it")
    if config.detector is None:
        raise ValueError("names no detector; give it one, as in detector: river.drift.ADWIN")
    return DetectorAlarm(
        **_common(config),
        make=detector_maker(config.detector, config.settings),
        input=config.input,
        clear=None if config.clear is None else Span.of(config.clear),
    )


def _is_given(config: AlarmConfig, key: str) -> bool:
    """Tell whether a key says something: the state spells out all of them."""
    return bool(getattr(config, key) != AlarmConfig.model_fields[key].default)


def _common(config: AlarmConfig) -> dict[str, Any]:
    return {
        "name": config.name or config.kind,
        "block": Span.of(config.block or _defaults(config)[0]),
        "per_segment": config.per_segment,
        "output": config.output,
        "severity": config.severity,
    }


def _defaults(config: AlarmConfig) -> tuple[int | str, str]:
    """Return block and promise, in the unit of the one that is given."""
    given = config.block or config.one_false_alarm_per
    if given is None:
        return _DEFAULTS[config.kind != "river"]
    return _DEFAULTS[Span.of(given).timed]
