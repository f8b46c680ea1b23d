"""What is bet on a block: factors whose mean is at most 1 while nothing is wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import MutableSequence

    from losswatch.core.cells.products import Floats
    from losswatch.core.cells.scored import Indexes

__all__ = ["Bets", "LinearBets", "RankBets", "clearing_bets", "excess_bets", "rank_bets"]

_KAPPAS = tuple(1.0 / growth for growth in (1.1, 1.25, 1.5, 2.0, 4.0, 8.0))
"""A bet on the exponent ``1 / r`` is nearly the best one for errors whose MSE grew by ``r``."""

_DECAY = 0.75

CAP = 20.0
"""Losses count so many budgets at most when an alarm is to be cleared."""


class Bets(Protocol):
    """Several bets on the score of a block, each a factor of at least 0."""

    size: int
    parts: tuple[float, ...]
    """The part of a unit that is staked on each bet; they add up to 1."""
    idle: float
    """The most evidence, with shares of 1, of a stream that could not be better."""

    def step(self, row: MutableSequence[float], score: float, share: float) -> float:
        """Take one block into a row of evidence, one number for each bet; return their sum."""

    def of_many(self, scores: Floats) -> Floats:
        """Return the factors of blocks, a row for each bet: the same bits as in :meth:`step`."""


class LinearBets:
    """Factors ``1 + stake * score``, for a score whose mean is at most 0.

    Parameters
    ----------
    stakes
        Such that no factor is below 0.
    decay
        Each bet gets this much of the part of the one before it.
    """

    def __init__(self, stakes: tuple[float, ...], decay: float = 1.0) -> None:
        self.size = len(stakes)
        self.parts = _parts(len(stakes), decay)
        self.idle = sum(
            part * (1.0 - stake) / stake for part, stake in zip(self.parts, stakes, strict=True)
        )
        self._bets = tuple(zip(range(self.size), stakes, self.parts, strict=True))
        self._column = np.array(stakes)[:, np.newaxis]

    def step(self, row: MutableSequence[float], score: float, share: float) -> float:
        """Take one block into a row of evidence; see :class:`Bets`."""
        total = 0.0
        for k, stake, part in self._bets:
            row[k] = one = (row[k] + share) * (1.0 + stake * score)
            total += part * one
        return total

    def of_many(self, scores: Floats) -> Floats:
        """Return the factors of blocks; see :class:`Bets`."""
        factors: Floats = 1.0 + self._column * scores
        return factors


class RankBets:
    """Factors ``k * p ** (k - 1)`` of the rank of a block among ``n`` others.

    For each ``k`` the factors of the ``n + 1`` possible ranks add up to at
    most ``n + 1``: the mean of a factor is at most 1 if every rank is equally
    likely.

    Parameters
    ----------
    n
        How many others there are.
    """

    def __init__(self, n: int) -> None:
        self.size = len(_KAPPAS)
        self.parts = _parts(len(_KAPPAS), 1.0)
        self.idle = sum(k / (1.0 - k) for k in _KAPPAS) / len(_KAPPAS)
        p = [(rank + 1) / (n + 1) for rank in range(n + 1)]
        self._rows = [[k * each ** (k - 1.0) for k in _KAPPAS] for each in p]
        self._table = np.array(self._rows).T

    def step(self, row: MutableSequence[float], score: float, share: float) -> float:
        """Take one block, given by how many others are as extreme; see :class:`Bets`."""
        total = 0.0
        for k, factor in enumerate(self._rows[int(score)]):
            row[k] = one = (row[k] + share) * factor
            total += self.parts[k] * one
        return total

    def of_many(self, scores: Floats) -> Floats:
        """Return the factors of blocks; see :class:`Bets`."""
        ranks: Indexes = scores.astype(np.intp)
        factors: Floats = self._table[:, ranks]
        return factors


@lru_cache(maxsize=8)
def excess_bets(*, single: bool) -> LinearBets:
    """Return bets that the mean loss is above the budget: stakes from 0.9 down to 2 ** -9.

    Of single events the losses scatter more: the two largest stakes are left
    out. Large stakes get the larger parts: they win on the faults that count,
    and what small ones win, on a small excess, takes long in any case.
    """
    halves = tuple(2.0**-k for k in range(1, 10))
    return LinearBets(halves if single else (0.9, 0.7, *halves), _DECAY)


@lru_cache(maxsize=8)
def clearing_bets() -> LinearBets:
    """Return bets that the mean of capped losses is below the budget."""
    return LinearBets(tuple(-share / (CAP - 1.0) for share in (1.0, 0.5, 0.25, 0.1)))


@lru_cache(maxsize=32)
def rank_bets(n: int) -> RankBets:
    """Return bets on the rank among ``n``; one table for all that ask."""
    return RankBets(n)


def _parts(size: int, decay: float) -> tuple[float, ...]:
    """Return parts of 1, each so much of the one before it."""
    weights = [decay**k for k in range(size)]
    return tuple(weight / sum(weights) for weight in weights)
