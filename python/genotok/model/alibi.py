"""The ALiBi bias: each head subtracts its slope times the distance of two tokens.

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

Two forms. The published one is *symmetric*: the bias depends on |i - j|, so that a layer without other
positions cannot tell left from right. In the *directional* form each head has its slope on one side only: the
first half of the heads attends to the token itself and to its left, the second half to the token itself and
to its right, and the bias of the other side is -inf. Each half has the slopes of the rule for n/2 heads. A
side without a slope could also have a bias of 0, but then most of a head's weight would lie on the distant
tokens of that side, all alike; and no fused kernel computes such a bias, while all of them compute -inf.
"""

# Dimensions: H heads, L keys (the tokens of one sequence), Q queries.

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["bias", "slopes", "toeplitz"]


def slopes(num_heads: int, directional: bool = False) -> Tensor:
    """The slopes of `num_heads` heads, (H,) float32, on the CPU; of an even number if directional."""
    if directional:
        return slopes(num_heads // 2).repeat(2)
    below = 1 << (num_heads.bit_length() - 1)
    rest = _powers(2 * below)[::2][: num_heads - below]
    return torch.tensor(_powers(below) + rest, dtype=torch.float32)


def _powers(num_heads: int) -> list[float]:
    """2^(-8k/n) for k = 1 ... n."""
    return [2.0 ** (-8.0 * k / num_heads) for k in range(1, num_heads + 1)]


def bias(
    slopes_h: Tensor, of_queries: Tensor, of_keys: Tensor, dtype: torch.dtype, directional: bool = False
) -> Tensor:
    """The bias of scores, (H, Q, L) in memory, from the positions of queries (Q,) and of keys (L,)."""
    return _bias(slopes_h, of_keys[None, :] - of_queries[:, None], directional).to(dtype)


def toeplitz(slopes_h: Tensor, length: int, dtype: torch.dtype, directional: bool = False) -> Tensor:
    """The bias of a sequence for reversed queries, (1, H, L, L): a view of H x (2L - 1) numbers."""
    offset = torch.arange(2 * length - 1, device=slopes_h.device) - (length - 1)
    row = _bias(slopes_h, offset, directional).to(dtype)
    return row.as_strided((1, len(slopes_h), length, length), (0, 2 * length - 1, 1, 1))


def _bias(slopes_h: Tensor, offset: Tensor, directional: bool) -> Tensor:
    """The bias (H, ...) of offsets (...), which are the position of a key minus that of its query."""
    each = (-1, *[1] * offset.dim())
    found = -slopes_h.view(each) * offset.abs()
    if directional:
        half = len(slopes_h) // 2
        found[:half].masked_fill_(offset > 0, -torch.inf)
        found[half:].masked_fill_(offset < 0, -torch.inf)
    return found
