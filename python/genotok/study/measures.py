"""All figures of one tokenizer on one genome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.study.compute import flops_per_base
from genotok.study.counting import TokenCounts, count_tokens
from genotok.study.formulas import entropy, information, quantiles, share, uniform_bits, zipf
from genotok.study.genomes import SAMPLE_BASES, Genome
from genotok.study.robustness import reverse_complement_consistency, shift, substitution
from genotok.study.windows import WIDTHS, fitting, tokens_per_window

if TYPE_CHECKING:
    from genotok.study.subjects import Subject

__all__ = ["PERCENT", "composition", "measure", "neighbours"]

PERCENT = list(range(0, 101, 5))
"""Of the distribution of tokens per window these percentages are kept."""

Measures = dict[str, Any]
Curve = dict[str, Any]


def composition(subject: Subject, genome: Genome, tokens: np.ndarray[Any, np.dtype[np.int64]]) -> Measures:
    """What follows from how often each token occurs.

    - `tokens`: those that stand for bases; `tokens_per_kb`: of them for 1,000 bases; `bases_per_token`.
    - `bits_per_token`: their unigram entropy; `bits_per_base`: that, times tokens, through bases. A uniform
      random sequence has 2 whatever the tokens are, if they do not overlap.
    - `bits_per_base_fixed_length`: the same with a fixed-length code, log2 of the number of tokens.
    - `vocab_used`: different tokens that occur; `vocab_used_share`: of those that stand for bases.
    - `unknown_share`: the share of the unknown token among all tokens.
    """
    of_bases = np.where(subject.lengths > 0, tokens, 0)
    total, bits = int(of_bases.sum()), entropy(of_bases)
    used = int(np.count_nonzero(of_bases))
    unknown = 0 if subject.unknown is None else int(tokens[subject.unknown])
    per_base = total / genome.bases
    return {
        "tokens": total,
        "tokens_per_kb": 1000 * per_base,
        "bases_per_token": share(genome.bases, total),
        "bits_per_token": bits,
        "bits_per_base": bits * per_base,
        "bits_per_base_fixed_length": uniform_bits(subject.num_base_tokens) * per_base,
        "vocab_used": used,
        "vocab_used_share": share(used, subject.num_base_tokens),
        "unknown_share": share(unknown, int(tokens.sum())),
    }


def neighbours(subject: Subject, counts: TokenCounts) -> Measures:
    """The mutual information of a token with the next one, in bits, and of shuffled tokens as a control.

    The true value of the control is 0. `mutual_information_share` is the first as a share of the next token's
    entropy. `pairs` and `different_pairs` are what it is estimated from: with few of the first for each of
    the second the figure is too large, by about the control.
    """
    sides = counts.pairs.counts(len(subject.lengths))
    bits = information(*sides)
    return {
        "mutual_information": bits,
        "mutual_information_shuffled": information(*counts.shuffled.counts(len(subject.lengths))),
        "mutual_information_share": share(bits, entropy(sides[1])),
        "pairs": int(sides[2].sum()),
        "different_pairs": len(sides[2]),
    }


def measure(
    subject: Subject, genome: Genome, *, uppercase: bool = True, threads: int | None = None
) -> tuple[Measures, list[Curve]]:
    """Measure one tokenizer on one genome: numbers, and curves to plot; five passes over the genome."""
    counts = count_tokens(subject, genome, uppercase=uppercase, threads=threads)
    found: Measures = {"tokenizer": subject.name, "genome": genome.name}
    found |= composition(subject, genome, counts.tokens)
    found |= neighbours(subject, counts)
    found["shift_tokens"], found["shift_share"] = shift(subject, genome.sample)
    found["substitution_tokens"], found["substitution_share"] = substitution(subject, genome.sample)
    found["reverse_complement_consistency"] = reverse_complement_consistency(subject, genome.sample)
    per_sample = found["tokens_per_kb"] * SAMPLE_BASES / 1000
    found["flops_per_base"] = flops_per_base(per_sample, SAMPLE_BASES)
    curves = _token_curves(subject, counts)
    for width in WIDTHS:
        tokens = tokens_per_window(subject, genome, width, uppercase=uppercase, threads=threads)
        found[f"windows_{width}"] = len(tokens)
        found[f"fit_{width}"] = fitting(tokens)
        curves.append(
            {"kind": "tokens per window", "window": width, "x": PERCENT, "y": quantiles(tokens, PERCENT)}
        )
    place = {"tokenizer": subject.name, "genome": genome.name}
    found = {key: _rounded(value, 8) if isinstance(value, float) else value for key, value in found.items()}
    return found, [{**place, **curve} for curve in curves if curve["y"]]


def _token_curves(subject: Subject, counts: TokenCounts) -> list[Curve]:
    """Frequency against rank, and the share of the tokens that have each length."""
    of_bases = np.where(subject.lengths > 0, counts.tokens, 0)
    ranks, frequencies = zipf(of_bases)
    by_length = np.bincount(subject.lengths, weights=of_bases)
    lengths = np.flatnonzero(by_length)
    shares = by_length[lengths] / max(by_length.sum(), 1)
    return [
        {"kind": "zipf", "x": ranks, "y": [_rounded(each, 4) for each in frequencies]},
        {"kind": "token length", "x": lengths.tolist(), "y": [_rounded(each, 4) for each in shares.tolist()]},
    ]


def _rounded(number: float, digits: int) -> float:
    """The number to so many digits: eight are more than a measure has, four are finer than a pen."""
    return float(f"{number:.{digits}g}")
