"""Packed sequences: a batch as one row of tokens without padding, and conversion from and to padded batches.

Inside the model a batch is one row of T tokens, sequence after sequence, so that no product is spent on
padding. Padded batches (B, S) with a mask exist at the interfaces only: `unpad` drops masked places, and
`SequencePacking.pad` puts results back and fills the gaps.

A mask may have any form. A masked token is never attended to; but the distance of two tokens is that of their
places in the padded row, as in the published model. For padding at either end it equals the distance in the
packed row. Only a mask with *holes*, masked places between real ones, makes a difference; then `positions`
holds the place of each token in its padded row.
"""

# Dimensions: B sequences, S padded length, T tokens in the packed row.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["SequencePacking", "SequenceRun", "pack", "unpad"]


@dataclass(frozen=True, slots=True)
class SequenceRun:
    """Consecutive sequences of equal length: tokens `start` to `start + count * length` of the row."""

    start: int
    count: int
    length: int


@dataclass(frozen=True, eq=False)
class SequencePacking:
    """The boundaries of the sequences in a packed row; computed once per batch, used by every layer.

    Attributes:
        starts: (B + 1,) int32 on the CPU: the start of each sequence, and T.
        cu_seqlens: The same on the device of the tokens.
        max_length: Tokens of the longest sequence.
        positions: (T,) int64, the place of each token in its padded row; None unless the mask has holes.
        indices: (T,) int64, the place of each token in the flattened padded batch; None without padding.
        shape: (B, S) of the padded batch.
        leads: (B,) bool, whether the sequence has a token at position 0, which a classifier reads.
    """

    starts: Tensor
    cu_seqlens: Tensor
    max_length: int
    positions: Tensor | None
    indices: Tensor | None
    shape: tuple[int, int]
    leads: Tensor

    @property
    def num_sequences(self) -> int:
        """B, with empty sequences."""
        return len(self.starts) - 1

    @cached_property
    def runs(self) -> tuple[SequenceRun, ...]:
        """The sequences in order, without empty ones; consecutive ones of equal length form a run."""
        return tuple(runs(self.starts))

    @cached_property
    def sequence_of_token(self) -> Tensor:
        """(T,) int64: the number of each token's sequence."""
        lengths = self.cu_seqlens.diff().long()
        numbers = torch.arange(self.num_sequences, device=lengths.device)
        return numbers.repeat_interleave(lengths, output_size=int(self.starts[-1]))

    @cached_property
    def position_of_token(self) -> Tensor:
        """(T,) int64: `positions`, or places in the packed row; only differences within a sequence count."""
        if self.positions is not None:
            return self.positions
        return torch.arange(int(self.starts[-1]), device=self.cu_seqlens.device)

    def pad(self, rows: Tensor, fill: Tensor | None = None) -> Tensor:
        """Per-token results (T, ...) as a padded batch (B, S, ...); masked places hold zeros, or `fill`."""
        batch, length = self.shape
        if self.indices is None and fill is None and batch * length == len(rows):
            return rows.view(batch, length, *rows.shape[1:])
        indices = self.places
        padded = rows.new_zeros(batch * length, *rows.shape[1:])
        if fill is not None:
            padded = padded + fill.to(rows.dtype)
        return padded.index_copy(0, indices, rows).view(batch, length, *rows.shape[1:])

    def take(self, padded: Tensor) -> Tensor:
        """The real tokens (T, ...) of a padded batch (B, S, ...)."""
        flat = padded.reshape(-1, *padded.shape[2:])
        return flat if self.indices is None and len(flat) == len(self) else flat[self.places]

    def first(self, rows: Tensor) -> Tensor:
        """The rows (B, ...) of tokens at position 0, from (T, ...); zeros for sequences without one."""
        absent = torch.full_like(self.cu_seqlens[:-1], len(rows))
        index = torch.where(self.leads, self.cu_seqlens[:-1], absent)
        return torch.cat([rows, rows.new_zeros(1, *rows.shape[1:])])[index.long()]

    def mean(self, rows: Tensor) -> Tensor:
        """The mean (B, D) over the tokens of each sequence, from (T, D); zeros for empty ones."""
        total = rows.new_zeros(
            self.num_sequences, rows.shape[1], dtype=torch.promote_types(rows.dtype, torch.float32)
        )
        total = total.index_add(0, self.sequence_of_token, rows.to(total.dtype))
        return (total / self.cu_seqlens.diff().clamp(min=1)[:, None]).to(rows.dtype)

    def max(self, rows: Tensor) -> Tensor:
        """The maximum (B, D) over the tokens of each sequence, from (T, D); zeros for empty ones."""
        least = rows.new_zeros(self.num_sequences, rows.shape[1])
        owner = self.sequence_of_token[:, None].expand_as(rows)
        return least.scatter_reduce(0, owner, rows, "amax", include_self=False)

    def __len__(self) -> int:
        return int(self.starts[-1])

    @cached_property
    def places(self) -> Tensor:
        """(T,) int64: `indices`; for a batch that was never padded, as if it were padded on the right."""
        if self.indices is not None:
            return self.indices
        starts = self.cu_seqlens[:-1].long()[self.sequence_of_token]
        within = torch.arange(len(self), device=starts.device) - starts
        return self.sequence_of_token * self.shape[1] + within


def runs(starts: Tensor) -> Iterator[SequenceRun]:
    """The runs of equal length in `starts`, (B + 1,) on the CPU."""
    edges: list[int] = starts.tolist()
    first, length = 0, 0
    for start, end in pairwise(edges):
        if end - start != length:
            if length:
                yield SequenceRun(first, (start - first) // length, length)
            first, length = start, end - start
    if length:
        yield SequenceRun(first, (edges[-1] - first) // length, length)


def pack(lengths: Sequence[int] | Tensor, device: torch.device | str = "cpu") -> SequencePacking:
    """The packing of a row that was never padded, from the lengths of its sequences in tokens."""
    counts = torch.as_tensor(lengths, dtype=torch.int32, device="cpu")
    starts = functional.pad(counts.cumsum(0, dtype=torch.int32), (1, 0))
    longest = int(counts.max()) if len(counts) else 0
    return SequencePacking(
        starts=starts,
        cu_seqlens=starts.to(device),
        max_length=longest,
        positions=None,
        indices=None,
        shape=(len(counts), longest),
        leads=(counts > 0).to(device),
    )


def unpad(mask: Tensor) -> SequencePacking:
    """The packing of a padded batch, from its mask (B, S): true or nonzero where there is a token.

    Synchronises with the device, as the number of tokens decides the shapes of the results.

    Raises:
        ValueError: The mask does not have two dimensions.
    """
    if mask.dim() != 2:
        raise ValueError(f"attention_mask of shape {tuple(mask.shape)}: (sequences, length) is expected")
    real = mask != 0
    lengths = real.sum(1)
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(real, positions, -1).amax(1) if mask.shape[1] else lengths - 1
    first = torch.where(real, positions, mask.shape[1]).amin(1) if mask.shape[1] else lengths
    holes = ((last - first + 1 != lengths) & (lengths > 0)).any()
    counts = torch.cat([lengths, holes[None].long()]).cpu()
    indices = real.flatten().nonzero().flatten()
    starts = functional.pad(counts[:-1].cumsum(0, dtype=torch.int32), (1, 0))
    return SequencePacking(
        starts=starts,
        cu_seqlens=starts.to(mask.device),
        max_length=int(counts[:-1].max()) if len(lengths) else 0,
        positions=indices % mask.shape[1] if bool(counts[-1]) else None,
        indices=None if len(indices) == mask.numel() else indices,
        shape=(mask.shape[0], mask.shape[1]),
        leads=real[:, 0] if mask.shape[1] else real.any(1),
    )
