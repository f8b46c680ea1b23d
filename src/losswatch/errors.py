"""Every error that losswatch raises, and every reason to refuse an event.

.. code-block:: text

    LosswatchError
    ├── RejectedEvent   (ValueError)  one event cannot be scored
    ├── StateError      (ValueError)  what should be saved state is not, or does not fit
    ├── StoreError      (OSError)     state cannot be written: a full disk, mostly
    ├── ConfigError     (ValueError)  the YAML is wrong; holds every problem
    ├── SourceError     (OSError)     a source cannot be opened or read
    ├── ListenError     (OSError)     an address cannot be listened on
    ├── LinkError       (OSError)     of a worker: no owner answers; see losswatch.workers.link
    └── OutOfTimeError                a page was not written within the time that there was
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ConfigError",
    "ListenError",
    "LosswatchError",
    "OutOfTimeError",
    "Problem",
    "Reason",
    "RejectedEvent",
    "SourceError",
    "StateError",
    "StoreError",
]


class Reason(StrEnum):
    """Why an event was refused: the values of the label ``reason``."""

    EMPTY_LINE = "empty_line"
    LINE_TOO_LONG = "line_too_long"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    INVALID_CSV = "invalid_csv"
    WRONG_HEADER = "wrong_header"
    TOO_DEEP = "too_deep"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    OVERFLOW = "overflow"
    NEGATIVE_WEIGHT = "negative_weight"
    OUTPUTS_DIFFER = "outputs_differ"
    UNKNOWN_MODEL = "unknown_model"
    INVALID_TIME = "invalid_time"
    FUTURE_TIME = "future_time"
    INVALID_SEGMENT = "invalid_segment"
    INVALID_ID = "invalid_id"
    CONFLICTING_PREDICTION = "conflicting_prediction"
    OUTDATED_TRUTH = "outdated_truth"


class LosswatchError(Exception):
    """Base of every error that losswatch raises on purpose."""


class RejectedEvent(LosswatchError, ValueError):
    """One event was refused; whatever was there before is unchanged.

    Attributes
    ----------
    reason
        One of :class:`Reason`.
    detail
        What was found and what is allowed, in one sentence.
    index
        Position of the event in the batch that it came with, or ``None``.
    """

    def __init__(self, reason: Reason, detail: str, index: int | None = None) -> None:
        where = "" if index is None else f"event {index}: "
        super().__init__(f"{where}{detail} ({reason})")
        self.reason = reason
        self.detail = detail
        self.index = index

    def at(self, index: int) -> RejectedEvent:
        """Return the same refusal, placed at a position in a batch."""
        return RejectedEvent(self.reason, self.detail, index)


class StateError(LosswatchError, ValueError):
    """Saved state is damaged, cut short, of a version not known here, or of other settings."""


class StoreError(LosswatchError, OSError):
    """State cannot be written, mostly because the disk is full; nothing is lost by trying again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a config: where, what was found, what to do."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        what = f"{self.path}: " if self.path else ""
        return f"{where}{what}{self.message}"


class ConfigError(LosswatchError, ValueError):
    """The config cannot be used; :attr:`problems` lists everything wrong."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{name}: {problem}" for problem in self.problems))


class SourceError(LosswatchError, OSError):
    """A source cannot be opened or read."""


class ListenError(LosswatchError, OSError):
    """An address cannot be listened on, mostly because it is in use."""


class OutOfTimeError(LosswatchError):
    """A page was not written within the time that there was; it may be asked for again."""
