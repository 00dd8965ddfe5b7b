"""From counts to figures: entropies, information, curves. Bits throughout, numpy only.

Write n_t for how often token t occurs, N for their sum and p_t = n_t / N.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "entropy",
    "information",
    "miller_madow",
    "quantiles",
    "share",
    "uniform_bits",
    "zipf",
]

Counts = NDArray[np.int64]

ZIPF_POINTS = 80
"""A curve of ranks has this many points at most."""


def share(part: float, whole: float) -> float | None:
    """`part` of `whole` as a number from 0 to 1; None of nothing."""
    return part / whole if whole else None


def entropy(counts: Counts) -> float:
    """The unigram entropy H = - sum over t of p_t log2 p_t, in bits per token; 0 of no tokens.

    It is the mean length of the ids under the best code that knows nothing but how frequent each token is
    in this very text.
    """
    present = counts[counts > 0].astype(np.float64)
    if not len(present):
        return 0.0
    total = present.sum()
    return float(max(math.log2(total) - (present * np.log2(present)).sum() / total, 0.0))


def miller_madow(counts: Counts) -> float:
    """The entropy with the correction of Miller (1955) and Madow for small samples, in bits.

    H + (m - 1) / (2 N ln 2), where m is the number of different tokens that occur. The plain estimate is
    too small by that much in the mean, to first order in 1 / N; where N is not much larger than m, higher
    orders count and this is still too small.
    """
    different = int(np.count_nonzero(counts))
    total = int(counts.sum())
    return entropy(counts) + (different - 1) / (2 * total * math.log(2)) if total else 0.0


def information(left: Counts, right: Counts, pairs: Counts) -> float:
    """The bits that a token tells of the next one: I = H(left) + H(right) - H(pairs), each as Miller-Madow.

    `left` and `right` count the first and second tokens of the neighbouring pairs, `pairs` the pairs
    themselves. For overlapping k-mers the next token repeats k - 1 of k bases, so that I comes near to
    2 (k - 1) bits: a masked token is given away by its neighbours, which is the case that DNABERT-2's
    authors made against them. The correction leaves a bias where most pairs are seen once or never; compare
    with the same figure of permuted tokens, where the truth is 0.
    """
    return miller_madow(left) + miller_madow(right) - miller_madow(pairs)


def uniform_bits(num_tokens: int) -> float:
    """Bits per token of a code that gives `num_tokens` tokens equal lengths: log2 of their number."""
    return math.log2(num_tokens) if num_tokens else 0.0


def zipf(counts: Counts) -> tuple[list[int], list[float]]:
    """Ranks and frequencies p of the tokens that occur, most frequent first, at 80 ranks at most.

    All ranks if there are no more than that; else the ranks nearest to a geometric series, with the first
    and the last, as the plot is logarithmic on both axes.
    """
    ordered = np.sort(counts[counts > 0])[::-1]
    different = len(ordered)
    if not different:
        return [], []
    ranks = np.arange(1, different + 1)
    if different > ZIPF_POINTS:
        ranks = np.unique(np.rint(np.geomspace(1, different, ZIPF_POINTS)).astype(np.int64))
    frequencies = ordered[ranks - 1] / ordered.sum()
    return ranks.tolist(), frequencies.tolist()


def quantiles(numbers: Counts, percent: list[int]) -> list[int]:
    """For each percentage the least of `numbers` that so many of them do not exceed; [] of none.

    No interpolation: every value is one that occurs. Of 0 per cent it is the smallest.
    """
    if not len(numbers):
        return []
    ordered = np.sort(numbers)
    places = [max(-(-len(ordered) * each // 100) - 1, 0) for each in percent]
    chosen: list[int] = ordered[places].tolist()
    return chosen
