"""The keys of a monitor."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from losswatch.config.alarms import AlarmConfig, ObjectiveConfig, make_alarm
from losswatch.config.join import JoinConfig
from losswatch.config.section import Located, Name, Section, twice, wrong, wrong_at
from losswatch.config.segments import SegmentsConfig  # noqa: TC001  # pydantic reads it
from losswatch.config.windows import Windows  # noqa: TC001  # pydantic reads it
from losswatch.core.alarms.settings import Alarm, DriftAlarm
from losswatch.core.window import check_windows, needs_time, parse_window

__all__ = ["MonitorConfig"]

_MOST_LEARNT = 20_000_000
"""Blocks that drift alarms learn of all segments, 32 bytes each."""

_WINDOWS = ("5m", "1h", "24h")


class MonitorConfig(Section):
    """One model to watch."""

    model: Name = Field(description="The model's name: the value of the label `model`.")
    unit: Name | None = Field(
        default=None,
        description="Unit of the target, shown to people beside the numbers, for example minutes.",
    )
    outputs: list[Name] = Field(
        default=[],
        description="For a model with several outputs: their names. Then y_true and y_pred are"
        " objects with just these keys.",
    )
    buckets: list[float] | None = Field(
        default=None,
        min_length=1,
        description="Upper bounds of the buckets of losswatch_l2_loss, from 0 on and increasing, in"
        " the unit squared. Default: the powers of ten from 1e-6 to 1e9.",
    )
    exemplars: bool = Field(
        default=False,
        description="Whether buckets of losswatch_l2_loss name the prediction_id of a costly event"
        " in OpenMetrics.",
    )

    windows: Windows = Field(
        default=[parse_window(text) for text in _WINDOWS],
        json_schema_extra={"default": [*_WINDOWS]},  # as they are written
        description="The windows that have a cost beside the lifetime: 5m, {last: 5m, exact: true},"
        " {last: 5m, panes: 300}, {events: 1000}, {half_life: 1h}, {half_life: 1000 events} or"
        " {tumbling: 1h}.",
    )
    segments: SegmentsConfig | None = Field(
        default=None, description="Which label sets get a cost of their own."
    )
    join: JoinConfig = Field(
        default=JoinConfig(),
        description="How predictions and truths that come apart are joined by prediction_id.",
    )

    objective: ObjectiveConfig | None = Field(
        default=None, description="The error that is acceptable, for alarms and rules."
    )
    alarms: list[AlarmConfig] = Field(
        default=[], max_length=16, description="What is to be told when the error grows."
    )
    model_version: Name | None = Field(
        default=None,
        description="Version of the model. With another one than before alarms start anew, and so"
        " does what they learnt.",
    )

    @field_validator("buckets")
    @classmethod
    def _increasing(cls, bounds: list[float] | None) -> list[float] | None:
        if bounds and not (
            all(map(math.isfinite, bounds))
            and bounds[0] >= 0
            and all(a < b for a, b in pairwise(bounds))
        ):
            raise wrong(
                "is {bounds}; must be finite, increasing, and not below 0", bounds=f"{bounds!r:.60}"
            )
        return bounds

    @field_validator("outputs")
    @classmethod
    def _distinct(cls, outputs: list[str]) -> list[str]:
        if found := twice(outputs):
            raise wrong("has {twice} twice; keep one", twice=found)
        return outputs

    @field_validator("segments")
    @classmethod
    def _small_enough(
        cls, segments: SegmentsConfig | None, info: ValidationInfo
    ) -> SegmentsConfig | None:
        try:
            check_windows(info.data.get("windows", ()), segments.limit if segments else 1)
        except ValueError as error:
            raise wrong("{error}", error=str(error)) from None
        return segments

    @field_validator("alarms")
    @classmethod
    def _whole(cls, alarms: list[AlarmConfig], info: ValidationInfo) -> list[AlarmConfig]:
        problems: list[Located] = []
        if "objective" not in info.data:  # it is wrong, and told so
            return alarms
        for index, alarm in enumerate(alarms):
            try:
                made = make_alarm(alarm, info.data.get("objective"))
                _check_place(made, info.data)
            except ValueError as error:
                problems.append(((index,), str(error)))
        if problems:
            raise wrong_at(problems)
        if found := twice([alarm.name or alarm.kind for alarm in alarms]):
            raise wrong("has the alarm {twice} twice; give one of them another name", twice=found)
        return alarms

    @property
    def made_alarms(self) -> tuple[Alarm, ...]:
        """The same alarms for a monitor."""
        return tuple(make_alarm(alarm, self.objective) for alarm in self.alarms)

    @property
    def timed(self) -> bool:
        """Whether a window asks when events were."""
        return needs_time(self.windows)

    @property
    def labels(self) -> list[str]:
        """The labels of its segments, none if it has none."""
        return self.segments.labels if self.segments else []


def _check_place(alarm: Alarm, monitor: dict[str, Any]) -> None:
    """Refuse an alarm on what the monitor does not have."""
    if alarm.per_segment and monitor.get("segments") is None:
        raise ValueError("is per_segment, but the monitor has no segments; give it some")
    segments = monitor.get("segments")
    if alarm.per_segment and isinstance(alarm, DriftAlarm) and segments is not None:
        kept = alarm.blocks * segments.limit
        if kept > _MOST_LEARNT:
            raise ValueError(
                f"learns {alarm.blocks:,} blocks of each of {segments.limit:,} segments: at most"
                f" {_MOST_LEARNT:,} can be kept; lower one of them"
            )
    outputs = monitor.get("outputs", ())
    if alarm.output is not None and alarm.output not in outputs:
        known = ", ".join(outputs) or "none"
        raise ValueError(f"watches the output {alarm.output}; the model has {known}")
