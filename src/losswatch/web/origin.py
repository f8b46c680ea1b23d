"""Where a request came from, as browsers say: a page of another site may change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_of_another_site"]

_OURS = {b"none", b"same-origin"}
"""What browsers say of requests that no other site has made."""


def is_of_another_site(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether a browser says so; over plain HTTP it tells the origin alone.

    Programs say nothing of the kind, so nobody but a browser is refused.

    Parameters
    ----------
    headers
        Of the request, names in lower case.

    Examples
    --------
    >>> is_of_another_site([(b"host", b"10.0.0.1:18100"), (b"origin", b"http://example.org")])
    True
    """
    told = dict(headers)
    if (site := told.get(b"sec-fetch-site")) is not None:
        return site not in _OURS
    origin = told.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != told.get(b"host")
