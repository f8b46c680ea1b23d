"""What every source promises, and what it hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from losswatch.core.events import Event, EventColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.errors import Reason

__all__ = ["Batch", "Decoder", "Lagging", "Outcome", "Position", "Refusal", "Source"]

Position = dict[str, Any]
"""Where a source stands: what JSON can hold."""


class Refusal(NamedTuple):
    """A line that holds no event: which, why, what was found, and of which model if known."""

    line: int
    reason: Reason
    detail: str
    model: str | None = None


@dataclass(slots=True)
class Batch:
    """What some lines held. Their order does not matter: the cost is exact.

    ``position`` is where the source stands after them, as JSON has it; ``None``
    if it keeps none.
    """

    columns: EventColumns = field(default_factory=EventColumns)
    events: list[Event] = field(default_factory=list)  # those with several outputs
    refused: list[Refusal] = field(default_factory=list)
    lines: int = 0
    position: Position | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a batch once it was counted and is safe."""

    refused: list[Refusal] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)  # their lines


class Decoder(Protocol):
    """Turns lines into events. One belongs to one file: it may remember a header."""

    def decode(self, lines: Sequence[bytes], first: int) -> Batch:
        """Decode lines, of which the first has the number ``first``.

        Never raises for what a line holds: a bad one becomes a
        :class:`Refusal` and the others count.
        """

    def decode_cut(self, line: bytes, number: int) -> Batch:
        """Decode the last line of a file that was taken away before its line feed came.

        It is refused unless the format tells that it is whole.
        """


class Source(Protocol):
    """Somewhere that events come from.

    Delivery: each line is handed over once, also over restarts if the position
    of the last batch that was committed is given to :meth:`resume`. What was
    handed over is settled, by :meth:`committed` or :meth:`failed`, before the
    next batch is asked for.
    """

    name: str  # also names its position in the state

    def resume(self, position: Position) -> None:
        """Go on where a batch ended. Called once, before any batch was asked for.

        Raises
        ------
        SourceError
            The position is not one of this source.
        """

    def next_batch(self) -> Batch | None:
        """Return what is there now, without blocking.

        Returns
        -------
        A batch without lines: nothing yet, ask again later. ``None``: the end,
        nothing will ever come again.

        Raises
        ------
        SourceError
            The source cannot be read any more.
        """

    def committed(self, outcome: Outcome) -> None:
        """Learn that the last batch was counted, and is in the state for good."""

    def failed(self, reason: str) -> bool:
        """Learn that the last batch could not be made safe; nothing of it was counted.

        Returns
        -------
        Whether it is to be tried again. The caller keeps the batch until then;
        the source does not hand it over a second time.
        """

    def close(self) -> None:
        """Let go of files and sockets. Safe to call twice."""


@runtime_checkable
class Lagging(Protocol):
    """A source that knows how much it has not read yet."""

    def lag(self) -> dict[tuple[str, int], int]:
        """Return how many messages of each topic and partition are to be read; from any thread."""

    def lost(self) -> dict[tuple[str, int], int]:
        """Return how many were gone before they could be read; from any thread."""
