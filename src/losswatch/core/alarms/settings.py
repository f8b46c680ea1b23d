"""What alarms can be declared, and what they promise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from losswatch.core.alarms.span import Span

__all__ = ["INPUTS", "Alarm", "BudgetAlarm", "Detector", "DetectorAlarm", "DriftAlarm"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_MILLION = Span(1_000_000.0)
_TEN = Span(10.0)
_LEAST_BLOCKS = 100
"""Blocks per false alarm: below, an alarm is a coin."""

INPUTS = ("squared", "abs", "sqrt_abs", "log")
"""What a detector of another library may be fed with: a function of the error."""


class Detector(Protocol):
    """A drift detector as river has them."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last value made it detect a drift."""

    def update(self, x: float) -> object:
        """Take a value."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """What all kinds of alarms have.

    Parameters
    ----------
    name
        The value of the label ``alarm``.
    block
        Losses are averaged over blocks of so many events, or so much time.
    per_segment
        Whether each segment has an alarm of its own.
    output
        Which output is watched; each by itself if it is not given.
    severity
        The value of the label ``severity``.
    """

    name: str
    block: Span = _TEN
    per_segment: bool = False
    output: str | None = None
    severity: str = "warning"

    def __post_init__(self) -> None:
        for text in (self.name, *self.severities):
            if not isinstance(text, str) or not _NAME.fullmatch(text):
                raise ValueError(
                    f"has the name {text!r:.80}; must be letters, digits, _ . or -, beginning with"
                    " a letter"
                )
        if not self.block.timed and self.block.size > 1_000_000:
            raise ValueError(f"has a block of {self.block}; must be at most 1000000 events")

    @property
    def severities(self) -> tuple[str, ...]:
        """Its severities, the lowest first."""
        return (self.severity,)

    @property
    def kind(self) -> str:
        """What it is called in the YAML."""
        return "river"

    @property
    def guarantee(self) -> str:
        """What its rate of false alarms rests on: ``proved``, ``calibrated`` or ``none``."""
        return "none"

    @property
    def promise(self) -> Span | None:
        """At most one false alarm is expected in so many events, or so much time."""
        return None


@dataclass(frozen=True, kw_only=True)
class _Promising(Alarm):
    one_false_alarm_per: Span = _MILLION
    one_false_clear_per: Span | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        spans = {
            "one_false_alarm_per": self.one_false_alarm_per,
            "one_false_clear_per": self.one_false_clear_per,
        }
        for name, span in spans.items():
            if span is None:
                continue
            if span.timed is not self.block.timed:
                raise ValueError(
                    f"has {name}: {span} and block: {self.block}; both must be events, or both time"
                )
            if span.size < _LEAST_BLOCKS * self.block.size:
                raise ValueError(
                    f"has {name}: {span}, which is less than {_LEAST_BLOCKS} blocks of"
                    f" {self.block}; make it longer, or the block shorter"
                )

    @property
    def promise(self) -> Span:
        """At most one false alarm is expected in so many events, or so much time."""
        return self.one_false_alarm_per

    @property
    def threshold(self) -> float:
        """Blocks per false alarm."""
        return self.one_false_alarm_per.size / self.block.size

    @property
    def clear_threshold(self) -> float:
        """Blocks per false clearing."""
        span = self.one_false_clear_per
        return 1000.0 if span is None else span.size / self.block.size


@dataclass(frozen=True, kw_only=True)
class BudgetAlarm(_Promising):
    """The mean loss is above a budget, for sure: proved for losses of any tails.

    While the mean loss of the next block, given all before it, is at most
    ``max_rmse ** 2``, the expected number of false alarms in ``n`` events is at
    most ``n / one_false_alarm_per``, rounded up to whole blocks.

    Parameters
    ----------
    max_rmse
        The budget, or one for each severity, the lowest first.
    one_false_alarm_per, one_false_clear_per
        The promise, in events or time as the block is; and the same for an
        alarm that is cleared while it should not be (1,000 blocks).
    loss_cap
        So many budgets count of a loss at most: then a single event cannot
        raise the alarm, and what only the largest losses show is not seen.

    Raises
    ------
    ValueError
        They do not fit together.

    Examples
    --------
    >>> alarm = BudgetAlarm(name="budget", max_rmse={"ticket": 5.0, "page": 10.0})
    >>> alarm.severities, alarm.threshold
    (('ticket', 'page'), 100000.0)
    """

    max_rmse: float | Mapping[str, float]
    loss_cap: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        limits = list(self._by_severity.values())
        if not limits or not all(_is_number(m) and 1e-150 <= m <= 1e150 for m in limits):
            raise ValueError(
                f"has max_rmse: {self.max_rmse!r:.80}; must be a number above 0, or one for each"
                " severity"
            )
        if sorted(set(limits)) != limits:
            raise ValueError(
                f"has max_rmse: {self.max_rmse!r:.80}; severities must be given from the lowest on"
            )
        if self.loss_cap is not None and not (_is_number(self.loss_cap) and self.loss_cap > 1):
            raise ValueError(f"has loss_cap: {self.loss_cap!r:.60}; must be above 1 budget")

    @property
    def _by_severity(self) -> Mapping[str, float]:
        limits = self.max_rmse
        return limits if isinstance(limits, Mapping) else {self.severity: limits}

    @property
    def severities(self) -> tuple[str, ...]:
        """Its severities, the lowest first."""
        return tuple(self._by_severity)

    @property
    def budgets(self) -> tuple[float, ...]:
        """The largest mean loss of each severity."""
        return tuple(float(limit) * float(limit) for limit in self._by_severity.values())

    @property
    def kind(self) -> str:
        """What it is called in the YAML."""
        return "budget"

    @property
    def guarantee(self) -> str:
        """What its rate of false alarms rests on."""
        return "proved"


@dataclass(frozen=True, kw_only=True)
class DriftAlarm(_Promising):
    """The typical error has grown since a warm-up, where no budget is known.

    The mean of ``sqrt(|error|)`` of a block is ranked among those of the
    warm-up. The rate of false alarms is calibrated by simulation and not
    proved: the warm-up is a sample, for whose error the tolerance makes room.

    Parameters
    ----------
    tolerance
        By so much the MSE may grow: 0.2 is 20 %.
    warmup
        How long is learnt at first, in events or time as the block is.
    """

    tolerance: float = 0.2
    warmup: Span | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (_is_number(self.tolerance) and 0 <= self.tolerance <= 100):
            raise ValueError(f"has tolerance: {self.tolerance!r:.60}; must be from 0% to 10000%")
        warmup = self.warmup
        if warmup is not None and warmup.timed is not self.block.timed:
            raise ValueError(
                f"has warmup: {warmup} and block: {self.block}; both must be events, or both time"
            )
        if not 50 <= self.blocks <= 100_000:
            raise ValueError(
                f"has a warm-up of {self.blocks} blocks of {self.block}; must be 50 to 100000"
                " blocks"
            )

    @property
    def blocks(self) -> int:
        """Blocks of the warm-up."""
        return 500 if self.warmup is None else int(self.warmup.size / self.block.size)

    @property
    def kind(self) -> str:
        """What it is called in the YAML."""
        return "drift"

    @property
    def guarantee(self) -> str:
        """What its rate of false alarms rests on."""
        return "calibrated"


@dataclass(frozen=True, kw_only=True)
class DetectorAlarm(Alarm):
    """A detector of another library, with no stated rate of false alarms.

    It is fed with the means of blocks. After so many events or so much time
    without a detection the alarm is cleared. A restart begins it anew.

    Parameters
    ----------
    make
        Makes a detector.
    input
        What of the error it is fed with.
    clear
        How long it must be quiet.
    """

    make: Callable[[], Detector] = field(repr=False)
    input: str = "sqrt_abs"
    clear: Span | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input not in INPUTS:
            raise ValueError(f"has input: {self.input!r:.60}; must be one of {', '.join(INPUTS)}")
        if self.clear is not None and self.clear.timed is not self.block.timed:
            raise ValueError(
                f"has clear: {self.clear} and block: {self.block}; both must be events, or both"
                " time"
            )

    @property
    def clear_blocks(self) -> float:
        """Quiet blocks that clear the alarm."""
        return 1000.0 if self.clear is None else self.clear.size / self.block.size


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
