"""What the values of options may be, and what is said if they are not."""

from __future__ import annotations

import argparse

__all__ = ["address", "field", "label", "rate", "text", "url"]


def address(text: str) -> str:
    """Return an address and port as they are."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535 or " " in host:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address:port, for example 127.0.0.1:18100"
        )
    return text


def field(text: str) -> tuple[str, str]:
    """Return a field and its place."""
    name, equals, place = text.partition("=")
    if not (name and equals and place):
        raise argparse.ArgumentTypeError(f"{text!r} is no FIELD=PLACE, for example y_true=actual")
    return name, place


def label(text: str) -> tuple[str, str]:
    """Return a label of a segment and its value."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is no LABEL=VALUE, for example city=oslo")
    return name, value


def rate(text: str) -> float:
    """Return a number of events a second."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1e-3 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0.001 to 1000000")
    return value


def text(value: str) -> str:
    """Return text as it is, if there is some and it can be printed."""
    if not value or not value.isprintable():
        raise argparse.ArgumentTypeError(f"{value!r} is no text of at least one character")
    return value


def url(given: str) -> str:
    """Return an address of the web as it is."""
    if not given.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{given!r} is no URL of http:// or https://")
    return given
