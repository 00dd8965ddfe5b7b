"""Features of the bases under the tokens, from token ids alone: what a BPE vocabulary hides from a model.

A motif lies across token borders, and where they are depends on what is around it, so the same six bases
appear as many different rows of tokens. Here the encoder sees the bases themselves. The vector of a token,
before the layers, is

    LayerNorm(word + segment + g),   g = features of the bases of the token

and attention stays among tokens. g needs no other input: the spelling of the vocabulary
(`genotok.model.spelling`) turns ids into bases.

    ids (T,)              [CLS]     ACGTA    CCA    [MASK]   G    [SEP]
       |  spelling
    codes (P,)              N     A C G T A  C C A  N N N N  G      N
       |
       |-- kmer   number (P,) of the 6-mer that starts at each base; 4,096 if it is not known
       |          mean over the bases of a token of its embedding            (4097, D)
       |
       `-- conv   one-hot (P, 4), 15 wide to 128 channels, 5 wide to 64, each with LayerNorm and GELU
                  maximum and mean over the bases of a token (T, 128), Linear  (D, 128)
    g (T, D): the sum of both

Windows. A 6-mer and a convolution reach across the borders of tokens, never across those of sequences, nor
across a hole in the attention mask. A 6-mer that reaches past the end, or that touches a base that is not
known, is the one unknown 6-mer; for a convolution unknown bases and what is outside are zeros. So the
features of a sequence do not depend on the other sequences of its batch, nor on padding.

What is hidden. A masked token is `[MASK]` in the ids, and g is a function of the ids, so that it cannot hold
anything about the masked bases that the ids do not. `[MASK]` stands for the same number of unknown bases
whatever it hides, since the number would tell much about the token. A randomly replaced token shows the bases
of the replacement. What the ids do tell is the same as for a model without features: under BPE, that two
neighbours were not merged.

`base_position`. An embedding of the place of a base in its sequence, 0 to 1,022 from the first token on, all
later places being one, is added before the bases of a token are pooled: to the channels of the convolution,
or else to the 6-mers. For sequences that are aligned, such as promoters and splice sites. `[CLS]` has place
0, so the first base has place 1. Behind a masked token places are estimates, as its length is not known.

Shapes and cost. The convolutions are computed once on a row of all bases of the batch, with gaps of zeros of
their reach between sequences: P is about 5 T for BPE, and no padding is computed. Per base 2 (4 * 15 * 128 +
128 * 5 * 64) = 97,280 operations; 6-mers are a lookup. Memory for the backward pass is linear in P.

Layer normalisation takes the place of the batch norm of the small network in `genotok.baseline`, whose first
two convolutions these are: a statistic of the batch would make the results of a sequence depend on others.
"""

# Dimensions: T tokens in the packed row, P bases, S stretches of bases, C channels, D hidden, V vocabulary.

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from genotok.model.base_sizes import CHANNELS, GAP, KMERS, PLACES, WIDTHS, K
from genotok.model.config import EncoderConfig
from genotok.model.packing import SequencePacking

__all__ = ["BaseFeatures", "BaseRow", "base_row"]

CODES = {"A": 0, "C": 1, "G": 2, "T": 3, "N": 4}
UNKNOWN = 4
EPSILON = 1e-5


@dataclass(frozen=True, eq=False)
class BaseRow:
    """The bases of a packed row of tokens.

    Attributes:
        codes: (P,) int64, 0 to 3 for A, C, G, T; 4 if not known.
        token: (P,) int64, the token of each base.
        first: (T,) int64, the first base of each token.
        counts: (T,) int64, the bases of each token, at least 1.
        stretch: (P,) int64, the number of the unbroken stretch of tokens: a sequence, without holes.
        place: (P,) int64, the place of each base in its sequence.
    """

    codes: Tensor
    token: Tensor
    first: Tensor
    counts: Tensor
    stretch: Tensor
    place: Tensor

    @cached_property
    def kmers(self) -> Tensor:
        """(P,) int64: the number of the 6-mer that starts at each base, the first base counting most."""
        ends = (0, K - 1)
        windows = functional.pad(self.codes, ends, value=UNKNOWN).unfold(0, K, 1)
        last = functional.pad(self.stretch, ends, value=-1)[K - 1 :]
        powers = 4 ** torch.arange(K - 1, -1, -1, device=windows.device)
        is_known = (windows < UNKNOWN).all(1) & (last == self.stretch)
        return torch.where(is_known, (windows * powers).sum(1), KMERS)


def base_row(ids: Tensor, packing: SequencePacking, spelling: str) -> BaseRow:
    """The bases of token ids (T,), T of at least 1; synchronises with the device, as P is a shape."""
    codes, starts = _table(spelling, ids.device)
    origin = starts[ids]
    counts = starts[ids + 1] - origin
    ends = counts.cumsum(0)
    first = ends - counts
    number = int(ends[-1])
    token = torch.arange(len(ids), device=ids.device).repeat_interleave(counts, output_size=number)
    base = torch.arange(number, device=ids.device)
    owner = packing.sequence_of_token
    breaks = owner.diff() != 0
    if packing.positions is not None:
        breaks = breaks | (packing.positions.diff() != 1)
    stretch = functional.pad(breaks.long().cumsum(0), (1, 0))
    start = first[packing.cu_seqlens.long()[owner]]
    return BaseRow(
        codes=codes[origin[token] + base - first[token]],
        token=token,
        first=first,
        counts=counts,
        stretch=stretch[token],
        place=base - start[token],
    )


@functools.lru_cache(maxsize=16)
def _table(spelling: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """The codes of all tokens, one after the other, and the start of each (V + 1,).

    Not a buffer of the model: it is a constant of the configuration, and has no type that could change.
    """
    words = spelling.split(" ")
    with torch.inference_mode(False):
        codes = torch.tensor([CODES[base] for word in words for base in word])
        starts = torch.tensor([0, *map(len, words)]).cumsum(0)
        return codes.to(device), starts.to(device)


class BaseConvolution(nn.Module):
    """The first two convolutions of a small network over bases, and the projection of what tokens pool."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        pairs = zip((4, *CHANNELS[:-1]), CHANNELS, WIDTHS, strict=True)
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(before, behind, width, padding="same") for before, behind, width in pairs]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(number, eps=EPSILON) for number in CHANNELS])
        self.projection = nn.Linear(2 * CHANNELS[-1], config.hidden_size)

    def forward(self, row: BaseRow, places: Tensor | None) -> Tensor:
        """(T, D); `places`, (P, C), are added to the channels."""
        x = self._channels(row)
        if places is not None:
            x = x + places
        found: Tensor = self.projection(_pooled(x, row))
        return found

    def _channels(self, row: BaseRow) -> Tensor:
        """The channels of each base, (P, C)."""
        index = torch.arange(len(row.codes), device=row.codes.device) + GAP * row.stretch
        dtype = self.projection.weight.dtype
        one_hot = functional.one_hot(row.codes, UNKNOWN + 1)[:, :UNKNOWN].to(dtype)
        width = int(index[-1]) + 1
        x = one_hot.new_zeros(width, UNKNOWN).index_copy(0, index, one_hot)
        real = one_hot.new_zeros(width, 1).index_fill(0, index, 1.0)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = convolution(x.t()[None])[0].t()
            x = functional.gelu(norm(x)) * real
        return x[index]


class BaseFeatures(nn.Module):
    """The features of the bases of tokens, for the configuration's `base_features` and `base_position`.

    Attributes:
        spelling: The bases of each token (`genotok.model.spelling`); "" until they are known.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        kinds = config.base_features.split("+")
        self.spelling = config.spelling
        self.width = config.hidden_size
        self.kmers = nn.Embedding(KMERS + 1, config.hidden_size) if "kmer" in kinds else None
        self.convolution = BaseConvolution(config) if "conv" in kinds else None
        width = CHANNELS[-1] if "conv" in kinds else config.hidden_size
        self.places = nn.Embedding(PLACES, width) if config.base_position else None

    def forward(self, ids: Tensor, packing: SequencePacking) -> Tensor:
        """(T, D) of token ids (T,).

        Raises:
            ValueError: The configuration has no spelling.
        """
        if not self.spelling:
            raise ValueError("spelling: missing; base_features need the bases of each token")
        if not len(ids):
            return self._zeros(ids)
        row = base_row(ids, packing, self.spelling)
        place = row.place.clamp(max=PLACES - 1)
        found = []
        if self.kmers is not None:
            found.append(_mean_embedding(self.kmers, row.kmers, row))
        if self.convolution is not None:
            found.append(self.convolution(row, None if self.places is None else self.places(place)))
        elif self.places is not None:
            found.append(_mean_embedding(self.places, place, row))
        return torch.stack(found).sum(0) if len(found) > 1 else found[0]

    def _zeros(self, ids: Tensor) -> Tensor:
        return next(self.parameters()).new_zeros(len(ids), self.width)


def _mean_embedding(table: nn.Embedding, index: Tensor, row: BaseRow) -> Tensor:
    """The mean over the bases of each token of rows (P,) of a table, (T, D), without P rows in memory."""
    return functional.embedding_bag(index, table.weight, row.first, mode="mean")


def _pooled(x: Tensor, row: BaseRow) -> Tensor:
    """The maximum and the mean over the bases of each token, (T, 2C), from (P, C)."""
    empty = x.new_zeros(len(row.first), x.shape[1])
    owner = row.token[:, None].expand_as(x)
    peak = empty.scatter_reduce(0, owner, x, "amax", include_self=False)
    # Not the "mean" of scatter_reduce, which has no deterministic kernel on CUDA.
    mean = empty.index_add(0, row.token, x) / row.counts[:, None]
    return torch.cat([peak, mean.to(x.dtype)], 1)
