"""The ALiBi bias in its symmetric form: each head subtracts its slope times the distance of two tokens.

The score of a query at position i and a key at position j is q·k/√d - m·|i - j|, with a slope m > 0 per head.
No other part of the model depends on positions, so it accepts any length, and only differences of positions
count.

Slopes (Press et al., 2022, the paper's rule): for n heads, n a power of two, m_k = 2^(-8k/n), k = 1 ... n.
Another number of heads takes those of the next lower power of two, then every other one of the next higher.
The published model computes slopes and biases in 32-bit floating point for weights of any type; so does this
one, and converts the result.

A bias in 2L - 1 numbers. For a sequence of L tokens the bias of one head is an L x L matrix with only 2L - 1
different entries: entry (i, j) depends on j - i alone. In reversed order of queries, i' = L-1-i, it depends
on i' + j alone. The vector v with v[t] = -m·|t - (L-1)| then holds the matrix as a view with strides (1, 1):
row i' is v[i' : i'+L]. No stride is negative, so torch can express the view, and torch's fused attention for
CPUs reads a mask through its strides. The mask of a sequence of 25,000 tokens thus takes 0.2 MB per head
instead of 2.5 GB, at the cost of reversing queries and outputs. `toeplitz` builds it.
"""

# Dimensions: H heads, L keys (the tokens of one sequence), Q queries.

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["bias", "slopes", "toeplitz"]


def slopes(num_heads: int) -> Tensor:
    """The slopes of `num_heads` heads, (H,) float32, on the CPU."""
    below = 1 << (num_heads.bit_length() - 1)
    rest = _powers(2 * below)[::2][: num_heads - below]
    return torch.tensor(_powers(below) + rest, dtype=torch.float32)


def _powers(num_heads: int) -> list[float]:
    """2^(-8k/n) for k = 1 ... n."""
    return [2.0 ** (-8.0 * k / num_heads) for k in range(1, num_heads + 1)]


def bias(slopes_h: Tensor, of_queries: Tensor, of_keys: Tensor, dtype: torch.dtype) -> Tensor:
    """The bias of scores, (H, Q, L) in memory, from the positions of queries (Q,) and of keys (L,)."""
    distance = (of_queries[:, None] - of_keys[None, :]).abs()
    return (-slopes_h[:, None, None] * distance).to(dtype)


def toeplitz(slopes_h: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """The bias of a sequence for reversed queries, (1, H, L, L): a view of H x (2L - 1) numbers."""
    distance = (torch.arange(2 * length - 1, device=slopes_h.device) - (length - 1)).abs()
    row = (-slopes_h[:, None] * distance).to(dtype)
    return row.as_strided((1, len(slopes_h), length, length), (0, 2 * length - 1, 1, 1))
