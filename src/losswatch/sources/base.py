"""What every source promises, and what it hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from losswatch.core.events import Event, EventColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losswatch.errors import Reason

__all__ = ["Batch", "Decoder", "Refusal", "Source"]


class Refusal(NamedTuple):
    """A line that holds no event: which, why, what was found, and of which model if known."""

    line: int
    reason: Reason
    detail: str
    model: str | None = None


@dataclass(slots=True)
class Batch:
    """What some lines held. Their order does not matter: the cost is exact."""

    columns: EventColumns = field(default_factory=EventColumns)
    events: list[Event] = field(default_factory=list)  # those with several outputs
    refused: list[Refusal] = field(default_factory=list)
    lines: int = 0


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

    Delivery: each line is handed over once while the process lives. Positions
    are not kept: after a restart a file is read again from its beginning.
    """

    name: str

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

    def close(self) -> None:
        """Let go of files and sockets. Safe to call twice."""
