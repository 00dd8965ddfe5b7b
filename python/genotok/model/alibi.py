"""ALiBi, in its symmetric form: each head subtracts a slope times the distance of two tokens.

A token at position i looks at one at position j with the score q·k/√d - m·|i - j|, with a slope m > 0 for
each head. Nothing else in the model knows of positions, so any length can be computed, and only differences
of positions count.

Slopes (Press et al., 2022, the paper's rule): for n heads, n a power of two, m_k = 2^(-8k/n), k = 1 ... n.
Other numbers of heads take those of the power of two below, then every other one of the power of two above.
The published model computes slopes and penalties in 32-bit floating point whatever its weights are; so do we,
and convert the result.

A penalty that takes no room. For a sequence of L tokens the penalties of one head form an L x L matrix, but
it has only 2L - 1 different entries: entry (i, j) depends on j - i alone. Read the queries backwards, i' =
L-1-i, and it depends on i' + j alone. The vector v with v[t] = -m·|t - (L-1)| then holds the matrix as a view
with strides (1, 1): row i' is v[i' : i'+L]. No stride is negative, so torch can express it, and torch's fused
attention for processors reads a mask through its strides. So the mask of a sequence of 25,000 tokens takes
0.2 MB a head in place of 2.5 GB, for the price of reversing queries and outputs. `toeplitz` builds it.
"""

# Shape letters: H heads, L tokens of one sequence, Q of them asked about.

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["penalty", "slopes", "toeplitz"]


def slopes(num_heads: int) -> Tensor:
    """The slopes of `num_heads` heads, (H,) float32, on the processor."""
    below = 1 << (num_heads.bit_length() - 1)
    rest = _powers(2 * below)[::2][: num_heads - below]
    return torch.tensor(_powers(below) + rest, dtype=torch.float32)


def _powers(num_heads: int) -> list[float]:
    """2^(-8k/n) for k = 1 ... n."""
    return [2.0 ** (-8.0 * k / num_heads) for k in range(1, num_heads + 1)]


def penalty(slopes_h: Tensor, of_queries: Tensor, of_keys: Tensor, dtype: torch.dtype) -> Tensor:
    """What is added to scores, (H, Q, L), from positions (Q,) and (L,); held in full."""
    distance = (of_queries[:, None] - of_keys[None, :]).abs()
    return (-slopes_h[:, None, None] * distance).to(dtype)


def toeplitz(slopes_h: Tensor, length: int, dtype: torch.dtype) -> Tensor:
    """The penalties of a sequence for reversed queries, (1, H, L, L): a view of H x (2L - 1) numbers."""
    distance = (torch.arange(2 * length - 1, device=slopes_h.device) - (length - 1)).abs()
    row = (-slopes_h[:, None] * distance).to(dtype)
    return row.as_strided((1, len(slopes_h), length, length), (0, 2 * length - 1, 1, 1))
