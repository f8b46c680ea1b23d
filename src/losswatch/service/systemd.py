"""What systemd is told of the service."""

from __future__ import annotations

import logging
import os
import socket

__all__ = ["tell_systemd"]

logger = logging.getLogger(__name__)


def tell_systemd(state: str) -> None:
    """Tell systemd something if it asks for it, as for a unit of ``Type=notify``.

    Parameters
    ----------
    state
        As sd_notify(3) has it, such as ``READY=1``.
    """
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notice:
            notice.sendto(state.encode(), address)
    except OSError as error:
        logger.warning("systemd is not told %s at %s: %s", state, path, error.strerror or error)
