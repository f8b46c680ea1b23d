"""Who is let in, and how much of the server one may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from losswatch.web.passwords import Passwords
    from losswatch.web.rate import Rate
    from losswatch.web.tls import Certificates

__all__ = ["Doors"]


@dataclass(frozen=True, slots=True)
class Doors:
    """What a server asks of its clients; another one may be put in while it runs.

    Parameters
    ----------
    connections
        So many at a time. More than the requests that may wait, so that a
        scrape finds one.
    seconds
        A client that does not get on for so long is cut.
    certificates
        Speak TLS with them.
    passwords
        Ask for a user and his password.
    rate
        Answer no more requests than that.
    headers
        Of every answer.
    """

    connections: int = 512
    seconds: float = 10.0
    certificates: Certificates | None = None
    passwords: Passwords | None = None
    rate: Rate | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
