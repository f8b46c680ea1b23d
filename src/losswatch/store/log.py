"""Find damage in SQLite's log that SQLite takes for its end.

SQLite reads its write-ahead log up to the first frame that is not right, as
after a loss of power, when the last transaction is half written. But what was
acknowledged is never half written: frames of a *later* transaction behind a
bad one tell of damage, and all from there on would be gone without a word.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losswatch.errors import StateError
from losswatch.store.layout import PAGE_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Words = NDArray[np.uint32]

__all__ = ["check_log"]

_HEADER = struct.Struct(">IIIIIIII")
_MAGIC = 0x377F0682  # its last bit tells the order of the bytes that are summed up
_COMMIT, _SALT, _SUM = 1, slice(2, 4), slice(4, 6)  # words of the header of a frame
_FRAME_HEADER = 24
_HEADER_SALT = slice(4, 6)


class _Log(NamedTuple):
    header: Words | None  # if it is right
    frames: Words  # the headers, a row each
    follows: NDArray[np.bool_]  # whether the checksum goes on from that of the frame before


def check_log(path: Path) -> None:
    """Check that a log ends only where a loss of power may have ended it.

    Not seen is damage in the last transaction: it may be one that was never
    acknowledged.

    Raises
    ------
    StateError
        Whole transactions stand behind what is damaged.
    """
    log = _read(path.read_bytes() if path.exists() else b"")
    if not len(log.frames):
        return
    commits = log.frames[:, _COMMIT] != 0
    if log.header is None:
        bad, lost = 0, bool((commits & log.follows).any())  # it is on the disk before any frame
    else:
        # Behind the end may be frames of an older log: of other salt.
        good = log.follows & (log.frames[:, _SALT] == log.header[_HEADER_SALT]).all(axis=1)
        bad = len(good) if good.all() else int(good.argmin())
        # A commit, and the next frame goes on from it: a later transaction.
        lost = bool((commits[bad:-1] & good[bad + 1 :]).any())
    if lost:
        raise StateError(
            f"{path.name} is damaged in frame {bad + 1} of {len(commits)}, and what was written"
            " after it cannot be read; restore a copy of both files"
        )


def _read(data: bytes) -> _Log:
    header, order, page = None, ">", PAGE_SIZE
    if len(data) >= _HEADER.size:
        words = _HEADER.unpack_from(data)
        order = ">" if words[0] & 1 else "<"
        first = np.frombuffer(data, dtype=order + "u4", count=6).astype(np.uint32)
        sums = _sums(first[None, :], np.zeros((1, 2), np.uint32))[0]
        if words[0] >> 1 == _MAGIC >> 1 and sums.tolist() == list(words[6:]):
            header, page = np.array(words, dtype=np.uint32), words[2]
    size = _FRAME_HEADER + page
    count = max(len(data) - _HEADER.size, 0) // size
    raw = np.frombuffer(data, np.uint8, count * size, min(_HEADER.size, len(data)))
    rows = raw.reshape(count, size)
    frames = rows[:, :_FRAME_HEADER].view(">u4").astype(np.uint32)
    summed = np.hstack([rows[:, :8], rows[:, _FRAME_HEADER:]]).view(order + "u4").astype(np.uint32)
    return _Log(header, frames, _follows(frames, summed, header))


def _follows(frames: Words, summed: Words, header: Words | None) -> NDArray[np.bool_]:
    start = np.zeros(2, np.uint32) if header is None else header[6:]
    before = np.vstack([start, frames[:-1, _SUM]])[: len(frames)]
    found: NDArray[np.bool_] = (_sums(summed, before) == frames[:, _SUM]).all(axis=1)
    return found


def _sums(words: Words, before: Words) -> Words:
    """Return SQLite's checksums of rows of words, each going on from another one.

    SQLite adds ``s0 += x0 + s1; s1 += x1 + s0`` for each pair. That is linear,
    and the factors of a word are two neighbours in Fibonacci's series: so all
    rows are summed up at once.
    """
    n = words.shape[1]
    fibonacci = np.zeros(n + 2, np.uint32)
    fibonacci[1] = 1
    for place in range(2, n + 2):
        fibonacci[place] = (int(fibonacci[place - 1]) + int(fibonacci[place - 2])) & 0xFFFFFFFF
    low, high = fibonacci[n - 1 :: -1], fibonacci[n:0:-1]
    end = np.array([[fibonacci[n - 1], fibonacci[n]], [fibonacci[n], fibonacci[n + 1]]])
    sums: Words = np.stack([words @ low, words @ high], axis=1) + before @ end
    return sums
