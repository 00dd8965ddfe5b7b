"""How alike two byte-pair vocabularies are, at the size of the smaller one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from genotok.study.subjects import Subject

__all__ = ["agreement", "jaccard", "rank_correlation"]


def jaccard(left: set[str], right: set[str]) -> float | None:
    """What two sets share of what they have together, |A and B| / |A or B|; None of two empty ones."""
    together = left | right
    return len(left & right) / len(together) if together else None


def rank_correlation(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> float | None:
    """Spearman's rho of the ranks of the merges that both have: 1 - 6 sum d^2 / (n (n^2 - 1)).

    A merge is its pair of strings. Its rank is its place among the n shared ones, and d the difference of
    its two ranks; there are no ties. None for fewer than two.
    """
    place = {merge: index for index, merge in enumerate(right)}
    shared = np.array([place[merge] for merge in left if merge in place], dtype=np.int64)
    number = len(shared)
    if number < 2:
        return None
    ranks = np.argsort(np.argsort(shared))
    distance = (ranks - np.arange(number)).astype(np.float64)
    return float(1 - 6 * (distance**2).sum() / (number * (number**2 - 1)))


def agreement(left: Subject, right: Subject) -> dict[str, object]:
    """Compare two byte-pair tokenizers, the larger one truncated to the size of the smaller one.

    That is what training at the smaller size would have given. Tokens are those that stand for bases: the
    four bases are among them, so that unrelated vocabularies do not quite reach 0.
    """
    size = min(left.tokenizer.vocab_size, right.tokenizer.vocab_size)
    cut = [
        subject.tokenizer if subject.tokenizer.vocab_size == size else subject.tokenizer.truncate(size)
        for subject in (left, right)
    ]
    tokens = [{token for token in each.vocab if token and not token.strip("ACGT")} for each in cut]
    return {
        "left": left.name,
        "right": right.name,
        "vocab_size": size,
        "shared_tokens": len(tokens[0] & tokens[1]),
        "jaccard": jaccard(*tokens),
        "rank_correlation": rank_correlation(cut[0].merges, cut[1].merges),
    }
