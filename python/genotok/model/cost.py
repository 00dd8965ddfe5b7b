"""The cost of DNABERT-2 and other encoders, computed from their sizes: parameters, operations, memory.

Operations are counted in the usual way: a product of matrices (m, k) and (k, n) takes 2·m·k·n, everything
else nothing. A layer that multiplies each of T tokens by matrices with P entries and attends among T tokens
of width D takes 2·T·P + 4·T²·D. Heads are not counted, as embedding and classification need next to none.

The sizes of other models are those that their authors published: DNABERT (Ji et al., 2021; BERT-base over
overlapping k-mers, 4^k + 5 tokens), Nucleotide Transformer 500M and 2500M (Dalla-Torre et al., 2025;
non-overlapping 6-mers, 4,105 tokens, 1,002 positions). Tokens per base follow from each model's tokenizer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from genotok.model.base_sizes import CHANNELS, base_shapes, operations_per_token
from genotok.model.config import EncoderConfig

__all__ = ["DNABERT2_BASES_PER_TOKEN", "RIVALS", "ModelSizes", "sizes_of", "training_bytes", "weight_bytes"]

DNABERT2_BASES_PER_TOKEN = 5.0
"""The paper's round figure for its tokenizer; a vocabulary trained on other data may differ."""


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """The sizes of an encoder with a head for masked tokens, of any architecture.

    Attributes:
        name: Its common name.
        layers: Number of layers.
        hidden: Width D of a token's vector.
        intermediate: Width I of the feed-forward block, of one half where it is gated.
        vocab: Tokens in the vocabulary.
        positions: Rows of a table of positions.
        types: Rows of a table of segments.
        gated: Whether the feed-forward block is gated.
        tokens: Number of bases to number of tokens, with special tokens.
        base_parameters: Parameters of the features of bases.
        base_operations: Operations of these features per token.
    """

    name: str
    layers: int
    hidden: int
    intermediate: int
    vocab: int
    positions: int
    types: int
    gated: bool
    tokens: Callable[[int], float]
    base_parameters: int = 0
    base_operations: float = 0.0

    def parts(self) -> dict[str, int]:
        """Parameters by part; the output embeddings, tied to the word embeddings, are counted once."""
        width, inner = self.hidden, self.intermediate
        feed = 3 * width * inner + width if self.gated else 2 * width * inner + inner + width
        features = {"features of bases": self.base_parameters} if self.base_parameters else {}
        return {
            "word embeddings": self.vocab * width,
            **features,
            "positions and segments": (self.positions + self.types) * width + 2 * width,
            "attention": self.layers * 4 * (width * width + width),
            "feed-forward": self.layers * feed,
            "norms": self.layers * 4 * width,
            "head for masked tokens": width * width + 3 * width + self.vocab,
        }

    def parameters(self) -> int:
        """All parameters."""
        return sum(self.parts().values())

    def operations(self, num_tokens: float) -> float:
        """Floating-point operations to encode one sequence of `num_tokens` tokens."""
        entries = 4 * self.hidden**2 + (3 if self.gated else 2) * self.hidden * self.intermediate
        layers = self.layers * (2 * num_tokens * entries + 4 * num_tokens**2 * self.hidden)
        return layers + num_tokens * self.base_operations


def sizes_of(
    config: EncoderConfig, name: str, bases_per_token: float = DNABERT2_BASES_PER_TOKEN
) -> ModelSizes:
    """The sizes of one of our encoders."""
    return ModelSizes(
        name=name,
        layers=config.num_layers,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        vocab=config.vocab_size,
        positions=0,
        types=config.type_vocab_size,
        gated=True,
        tokens=lambda bases: bases / bases_per_token + 2,
        base_parameters=sum(math.prod(shape) for shape in base_shapes(config).values()),
        base_operations=operations_per_token(config, bases_per_token),
    )


def _dnabert(k: int) -> ModelSizes:
    """DNABERT over overlapping k-mers: a token per base except the last k - 1, and two special tokens."""
    return ModelSizes(f"DNABERT {k}-mer", 12, 768, 3072, 4**k + 5, 512, 2, False, lambda bases: bases - k + 3)


def _nucleotide_transformer(name: str, layers: int, hidden: int) -> ModelSizes:
    """Nucleotide Transformer: a token per 6 bases, one per remaining base, and one special token."""
    return ModelSizes(
        name, layers, hidden, 4 * hidden, 4105, 1002, 0, False, lambda bases: bases // 6 + bases % 6 + 1
    )


RIVALS = (
    _dnabert(3),
    _dnabert(6),
    _nucleotide_transformer("NT 500M", 24, 1280),
    _nucleotide_transformer("NT 2500M", 32, 2560),
)


def weight_bytes(config: EncoderConfig, bytes_each: int = 4) -> int:
    """Bytes of the weights."""
    return sizes_of(config, "").parameters() * bytes_each


def training_bytes(config: EncoderConfig, num_tokens: int, bytes_each: int = 4) -> int:
    """Bytes of activations kept for the backward pass of a sequence, without gradient checkpointing.

    Per token and layer: the input, queries, keys and values, context vectors and the two sums before
    normalisation (7 D); both halves of the gated product, GELU's result, the product before and after dropout
    (5 I); a byte per element of a dropout mask (D + I). An estimate: torch may keep a little more or less.
    Convolutions over bases keep, per base, the input, and per channel of each of them its output, the two of
    normalisation and GELU, and the masked one.
    """
    width, inner = config.hidden_size, config.intermediate_size
    each = (7 * width + 5 * inner + config.num_heads) * bytes_each + width + inner
    bases = DNABERT2_BASES_PER_TOKEN * (4 + 4 * sum(CHANNELS)) * bytes_each
    features = round(bases) if "conv" in config.base_features else 0
    return num_tokens * (config.num_layers * each + features)
