"""The body of a request, cut into the texts of its events."""

from __future__ import annotations

import json

import msgspec

__all__ = ["UnreadableBodyError", "split_body"]

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"

_raw_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_raw_value = msgspec.json.Decoder(msgspec.Raw).decode
# Numbers stay text: only their ends are looked for, and the largest ones take long to read.
_scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


class UnreadableBodyError(ValueError):
    """A body holds something else than events; the message says what."""


def split_body(body: bytes) -> list[bytes]:
    r"""Return the text of each event; nobody has looked into them yet.

    One pass over the bytes, at about 1 GB/s. A body that begins with ``[`` is a
    JSON array and each of its elements is a text. One that is a single JSON
    value, over as many lines as it likes, is one text. Of any other, each line
    is one.

    Raises
    ------
    UnreadableBodyError
        It begins as an array and is none.

    Examples
    --------
    >>> split_body(b'{"y_true": 1}\n{"y_true": 2}\n')
    [b'{"y_true": 1}', b'{"y_true": 2}']
    >>> split_body(b'[{"y_true": 1}, NaN]')
    [b'{"y_true": 1}', b'NaN']
    >>> split_body(b" \n")
    []
    """
    text = body.removeprefix(_BOM)
    start = text[:64].lstrip(_SPACE) or text.lstrip(_SPACE)
    if not start:
        return []
    if start.startswith(b"["):
        return _elements(text)
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [text] if len(lines) > 1 and _is_value(text) else lines


def _is_value(text: bytes) -> bool:
    """Tell whether all is one value; of several, just the first is read."""
    try:
        _raw_value(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _elements(text: bytes) -> list[bytes]:
    try:
        return list(map(bytes, _raw_array(text)))
    except (msgspec.DecodeError, RecursionError):
        return _elements_with_care(text)


def _elements_with_care(text: bytes) -> list[bytes]:
    """Return the elements as Python writes them: with ``NaN`` and ``Infinity``."""
    try:
        return _scan_elements(text.decode())
    except UnicodeDecodeError as error:
        raise UnreadableBodyError(f"byte {error.start + 1} of the body is no UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableBodyError(f"the JSON array cannot be read: {error.msg}: {where}") from None
    except RecursionError:
        raise UnreadableBodyError("the JSON array is nested too deep") from None


def _scan_elements(text: str) -> list[bytes]:
    elements: list[bytes] = []
    place = _skip(text, text.index("[") + 1)
    closed = text[place : place + 1] == "]"
    while not closed:
        _, end = _scan(text, place)
        elements.append(text[place:end].encode())
        place = _skip(text, end)
        closed = text[place : place + 1] == "]"
        if not closed:
            if text[place : place + 1] != ",":
                raise json.JSONDecodeError("a comma or ] must be here", text, place)
            place = _skip(text, place + 1)
    if (end := _skip(text, place + 1)) < len(text):
        raise json.JSONDecodeError("something follows the array", text, end)
    return elements


def _skip(text: str, place: int) -> int:
    """Return the place of the next character that is no space."""
    while text[place : place + 1] in {" ", "\t", "\r", "\n"}:
        place += 1
    return place
