"""The store of state that is kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MemoryStore"]


class MemoryStore:
    """Takes everything and keeps nothing; else as :class:`losswatch.store.database.Store`.

    The state of a process without a file is its monitors: with :attr:`keeps`
    false there is no need to make entries and snapshots at all.
    """

    keeps = False
    journal_bytes = 0

    def parts(self) -> dict[str, bytes]:
        """Return no parts."""
        return {}

    def journal(self) -> Iterator[bytes]:
        """Yield no entries."""
        return iter(())

    def positions(self) -> dict[str, dict[str, Any]]:
        """Return no positions."""
        return {}

    def append(self, entry: bytes, positions: Mapping[str, dict[str, Any]]) -> None:
        """Keep nothing."""

    def snapshot(self, parts: Mapping[str, bytes]) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Do nothing."""
