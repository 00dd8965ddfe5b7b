"""What the DNABERT-2 encoder has to compute for a base, counted from its published sizes.

The product of an (m, k) and a (k, n) matrix takes 2 m k n floating-point operations; all else is neglected.
A layer of width D with a gated feed-forward block of two halves of width I, on a sequence of T tokens:

    queries, keys, values, output    2 T 4 D^2
    scores and their use             4 T^2 D
    feed-forward (two in, one out)   2 T 3 D I

With n layers that is n T (8 D^2 + 6 D I + 4 T D) for a sequence. The sizes are those of `config.json` of the
published model (zhihan1996/DNABERT-2-117M): n = 12, D = 768, I = 3072. The convention of counting is that of
Kaplan et al. (2020), "Scaling Laws for Neural Language Models", table 1, with attention written out.
Embeddings are looked up, and the head depends on the task: neither is counted.
"""

from __future__ import annotations

__all__ = ["HIDDEN", "INTERMEDIATE", "LAYERS", "flops", "flops_per_base"]

LAYERS, HIDDEN, INTERMEDIATE = 12, 768, 3072


def flops(num_tokens: float) -> float:
    """Floating-point operations of the encoder, forward, for one sequence of so many tokens."""
    each = 8 * HIDDEN**2 + 6 * HIDDEN * INTERMEDIATE + 4 * num_tokens * HIDDEN
    return LAYERS * num_tokens * each


def flops_per_base(tokens: float, num_bases: int, special_tokens: int = 2) -> float:
    """Operations for each base of a sequence of `num_bases` that becomes `tokens` tokens and special ones."""
    return flops(tokens + special_tokens) / num_bases
