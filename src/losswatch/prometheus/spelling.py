"""How numbers and texts are written on the page: as ``prometheus_client`` writes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["escape", "escape_help", "spell", "spell_column"]

_EXPONENT_FROM = 1e6
_EXPONENT_TO = 1e16
"""Between these Go writes an exponent and ``repr`` does not; from here on both do."""


def spell(value: float) -> str:
    """Return a number as Go writes it; it parses to the same float64.

    Examples
    --------
    >>> spell(25), spell(0.1), spell(1_700_000_000.5), spell(1e22), spell(math.inf)
    ('25.0', '0.1', '1.7000000005e+09', '1e+22', '+Inf')
    """
    value = float(value)
    if _EXPONENT_FROM <= value < _EXPONENT_TO:
        whole, _, rest = repr(value).partition(".")
        digits = (whole + rest).rstrip("0")
        point = "." if len(digits) > 1 else ""
        return f"{digits[0]}{point}{digits[1:]}e+{len(whole) - 1:02d}"
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"


def spell_column(values: NDArray[np.float64] | NDArray[np.int64]) -> list[str]:
    """Return many numbers as :func:`spell` does: 0.1 µs for a count, 0.4 µs for a float."""
    if values.dtype.kind != "f":
        return list(map(_Counts().__getitem__, values.tolist()))
    texts = list(map(repr, values.tolist()))
    plain = (values < _EXPONENT_FROM) & (values > -np.inf)
    for place in np.flatnonzero(~plain).tolist():
        texts[place] = spell(values[place])
    return texts


class _Counts(dict[int, str]):
    """Whole numbers as they are written: in a column many are the same."""

    def __missing__(self, count: int) -> str:
        text = self[count] = spell(count)
        return text


def escape(text: str) -> str:
    r"""Return the value of a label as it is written between quotes.

    Examples
    --------
    >>> print(escape('a "b"\\c'))
    a \"b\"\\c
    """
    return escape_help(text).replace('"', r"\"")


def escape_help(text: str) -> str:
    """Return a text that goes to the end of its line."""
    return text.replace("\\", r"\\").replace("\n", r"\n")
