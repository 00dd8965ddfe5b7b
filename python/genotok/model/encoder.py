"""The encoder: embeddings, then layers of attention and a gated feed-forward block, each normalised after it.

        ids (T,)
          │  word + segment embedding, LayerNorm, dropout
        x (T, D)
          │  ┌─────────────────────────────── one layer ───────────────────────────────┐
          ├──┤ Wqkv: (T, D) -> (T, 3, H, d)                                            │
          │  │ attention among the tokens of one sequence, penalty by distance (ALiBi) │
          │  │ dense: (T, D), dropout;  x = LayerNorm(x + ·)                           │
          │  │ gated_layers: (T, D) -> (T, 2I) = a, b;  gelu(a) · b, dropout           │
          │  │ wo: (T, I) -> (T, D);  x = LayerNorm(x + ·)                             │
          │  └─────────────────────────────────────────────────────────────────────────┘
        x (T, D)

Modules are nested and named as in the published checkpoint, so that its weights need no translation.
"""

# Shape letters: B sequences, T tokens in the packed row, D hidden, H heads, d width of one, I intermediate.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from genotok.model import attention
from genotok.model.attention import Plan, eager
from genotok.model.config import EncoderConfig
from genotok.model.packing import Packing

__all__ = ["Embeddings", "Encoder", "Layer", "Layers", "Pooler", "States", "initialize"]


@dataclass(frozen=True, slots=True)
class States:
    """What the layers give.

    Attributes:
        last: (T, D), the output of the last layer.
        all: (T, D) each: the embeddings and the output of each layer; empty unless asked for.
        weights: For each layer, (H, L, L) for each sequence that is not empty; empty unless asked for.
    """

    last: Tensor
    all: tuple[Tensor, ...] = ()
    weights: tuple[list[Tensor], ...] = ()


class Embeddings(nn.Module):
    """Token ids to vectors: word and segment embedding, normalised. No row is special, `[PAD]` neither."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(
        self, ids: Tensor | None = None, types: Tensor | None = None, vectors: Tensor | None = None
    ) -> Tensor:
        """Vectors (T, D) of tokens.

        Args:
            ids: (T,) token ids.
            types: (T,) segments, 0 if left out.
            vectors: (T, D) in place of word embeddings, if `ids` is None.

        Raises:
            ValueError: Neither or both of `ids` and `vectors` are given.
        """
        if (ids is None) == (vectors is None):
            raise ValueError("either token ids or vectors in place of their embeddings are expected")
        words = self.word_embeddings(ids) if vectors is None else vectors
        segments = (
            self.token_type_embeddings.weight[0] if types is None else self.token_type_embeddings(types)
        )
        embedded: Tensor = self.dropout(self.LayerNorm(words + segments))
        return embedded


class SelfAttention(nn.Module):
    """Queries, keys and values by one matrix, then attention by the planned backend."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.shape = (3, config.num_heads, config.head_size)
        self.dropout = config.attention_dropout
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)

    def forward(self, x: Tensor, plan: Plan, want_weights: bool) -> tuple[Tensor, list[Tensor] | None]:
        """(T, D) to (T, D), and the weights if wanted."""
        qkv = self.Wqkv(x).unflatten(-1, self.shape)
        dropout = self.dropout if self.training else 0.0
        if want_weights:
            gathered, weights = eager.attend(qkv, plan, dropout)
            return gathered.flatten(1), weights
        return attention.attend(qkv, plan, dropout).flatten(1), None


class AttentionOutput(nn.Module):
    """What attention gathered, projected and added."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, gathered: Tensor, x: Tensor) -> Tensor:
        """(T, D) and (T, D) to (T, D)."""
        added: Tensor = self.LayerNorm(self.dropout(self.dense(gathered)) + x)
        return added


class AttentionBlock(nn.Module):
    """Attention and its output, under the names of the checkpoint."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = AttentionOutput(config)

    def forward(self, x: Tensor, plan: Plan, want_weights: bool) -> tuple[Tensor, list[Tensor] | None]:
        """(T, D) to (T, D), and the weights if wanted."""
        gathered, weights = self.self(x, plan, want_weights)
        return self.output(gathered, x), weights


class GatedBlock(nn.Module):
    """The feed-forward block: one half of a wide product, through GELU, gates the other."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.gated_layers = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.wo = nn.Linear(config.intermediate_size, config.hidden_size)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(T, D) to (T, D). Dropout stands before `wo`, and there is none after it, as published."""
        gate, value = self.gated_layers(x).chunk(2, -1)
        added: Tensor = self.layernorm(self.wo(self.dropout(functional.gelu(gate) * value)) + x)
        return added


class Layer(nn.Module):
    """One layer."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.attention = AttentionBlock(config)
        self.mlp = GatedBlock(config)

    def forward(
        self, x: Tensor, plan: Plan, want_weights: bool = False
    ) -> tuple[Tensor, list[Tensor] | None]:
        """(T, D) to (T, D), and the weights if wanted."""
        x, weights = self.attention(x, plan, want_weights)
        return self.mlp(x), weights


class Layers(nn.Module):
    """All layers, one after the other.

    Attributes:
        gradient_checkpointing: In training, keep only the input of each layer and compute the rest again for
            the
            backward pass: a third more time, and a fraction of the memory.
        backend: The attention backend that the last batch used; "" before the first.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.ModuleList([Layer(config) for _ in range(config.num_layers)])
        self.gradient_checkpointing = False
        self._gradient_checkpointing_func: Callable[..., Any] = _checkpoint
        self.backend = ""

    def forward(
        self, x: Tensor, packing: Packing, *, want_states: bool = False, want_weights: bool = False
    ) -> States:
        """Run the layers on (T, D); weights are computed by `eager`, whatever the backend."""
        plan = self._plan(x, packing, want_weights)
        self.backend = plan.backend
        states, weights = [x], []
        for layer in self.layer:
            if self.gradient_checkpointing and self.training:
                x, found = self._gradient_checkpointing_func(layer.__call__, x, plan, want_weights)
            else:
                x, found = layer(x, plan, want_weights)
            if want_states:
                states.append(x)
            if found is not None:
                weights.append(found)
        return States(x, tuple(states) if want_states else (), tuple(weights))

    def _plan(self, x: Tensor, packing: Packing, want_weights: bool) -> Plan:
        """Choose a backend for the batch, by the type that queries will have."""
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        asked = "eager" if want_weights else self.config.attention
        sample = torch.empty(0, self.config.head_size, dtype=dtype, device=x.device)
        dropout = self.config.attention_dropout if self.training else 0.0
        chosen = attention.choose(asked, sample, packing, dropout)
        plan: Plan = attention.prepare(chosen, self.config.num_heads, packing, dtype)
        return plan


def _checkpoint(function: Callable[..., Any], *arguments: Any) -> Any:
    """Torch's checkpoint, in the form that keeps everything working."""
    return checkpoint(function, *arguments, use_reentrant=False)


class Pooler(nn.Module):
    """The vector of a sequence that its classifier reads: tanh of a product with that of its first token."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, rows: Tensor, packing: Packing) -> Tensor:
        """(T, D) to (B, D). A sequence without a token at position 0 counts as zeros there, as published."""
        pooled: Tensor = torch.tanh(self.dense(packing.first(rows)))
        return pooled


class Encoder(nn.Module):
    """Tokens in a packed row to one vector each.

    Example:
        >>> encoder = Encoder(EncoderConfig.preset("tiny-1m"))
        >>> packing = pack([3, 2])
        >>> encoder(torch.tensor([1, 9, 2, 1, 2]), packing).last.shape
        torch.Size([5, 128])

    Args:
        config: Sizes and settings.
        pooler: Whether there is a pooler; the published checkpoint has none.
    """

    def __init__(self, config: EncoderConfig, *, pooler: bool = False) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Layers(config)
        self.pooler = Pooler(config) if pooler else None
        initialize(self, config.initializer_range)

    def forward(
        self,
        ids: Tensor,
        packing: Packing,
        types: Tensor | None = None,
        *,
        want_states: bool = False,
        want_weights: bool = False,
    ) -> States:
        """Encode a packed row.

        Args:
            ids: (T,) token ids, sequence after sequence.
            packing: Where the sequences lie; from `pack` or `unpad`.
            types: (T,) segments, 0 if left out.
            want_states: Keep the embeddings and the output of each layer.
            want_weights: Keep the weights of attention; memory is then quadratic in the length.
        """
        x = self.embeddings(ids, types)
        states: States = self.encoder(x, packing, want_states=want_states, want_weights=want_weights)
        return states

    def compile_layers(self) -> None:
        """Compile the layers with `torch.compile`, in place: one program, for any lengths."""
        for layer in self.encoder.layer:
            layer.compile(fullgraph=True, dynamic=True)


def initialize(module: nn.Module, deviation: float) -> None:
    """Fresh weights, as published: normal with this standard deviation; biases 0, scales 1."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=deviation)
        elif isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
        if isinstance(part, nn.Linear | nn.LayerNorm) and part.bias is not None:
            nn.init.zeros_(part.bias)
