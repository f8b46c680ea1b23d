"""What is wrong with a connection, logged once and not at every try."""

from __future__ import annotations

import logging
from typing import Protocol

__all__ = ["ClientError", "Troubles"]

logger = logging.getLogger(__name__)

_PASSING = {"_TRANSPORT", "_RESOLVE"}
"""Those of one broker: another may do, and that all are down is an error of its own."""


class ClientError(Protocol):
    """An error of the Kafka client; that of confluent_kafka."""

    def name(self) -> str:
        """Return what it is called."""

    def str(self) -> str:
        """Return what it says."""

    def fatal(self) -> bool:
        """Tell whether the client is of no more use."""


class Troubles:
    """Logs each kind of error once, until all is well again.

    Parameters
    ----------
    name
        The source, for the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: set[str] = set()
        self.fatal = ""  # why the client is of no more use

    def hear(self, error: ClientError) -> None:
        """Learn of an error."""
        if error.fatal():
            self.fatal = error.str()
        if error.name() in _PASSING:
            logger.debug("%s: %s", self._name, error.str())
        elif error.name() not in self._known:
            self._known.add(error.name())
            logger.error("%s: %s (%s); trying again", self._name, error.str(), error.name())

    def over(self) -> None:
        """Learn that all is well."""
        if self._known:
            self._known.clear()
            logger.info("%s: reads again", self._name)
