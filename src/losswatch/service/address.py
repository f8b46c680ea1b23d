"""Addresses as people write them."""

from __future__ import annotations

import ipaddress

from losswatch.errors import ListenError

__all__ = ["is_of_this_machine", "split_address"]


def split_address(listen: str) -> tuple[str, int]:
    """Return host and port.

    Raises
    ------
    ListenError
        It is no address and port.

    Examples
    --------
    >>> split_address("127.0.0.1:18100"), split_address("[::1]:0")
    (('127.0.0.1', 18100), ('::1', 0))
    """
    host, _, port = listen.rpartition(":")
    if not (host and port.isascii() and port.isdecimal()):
        raise ListenError(f"cannot listen on {listen!r}; must be as in 127.0.0.1:18100")
    return host.strip("[]"), int(port)


def is_of_this_machine(host: str) -> bool:
    """Tell whether a host is reached from this machine alone.

    Examples
    --------
    >>> is_of_this_machine("::1"), is_of_this_machine("0.0.0.0")
    (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
