"""The encoder: embeddings, then layers of attention and a gated feed-forward block, each post-normalised.

        ids (T,)
          │  word + segment embedding (+ features of bases, see `bases`), LayerNorm, dropout
        x (T, D)
          │  ┌─────────────────────────────── one layer ───────────────────────────────┐
          ├──┤ Wqkv: (T, D) -> (T, 3, H, d)                                            │
          │  │ attention within each sequence, with ALiBi bias: context (T, D)         │
          │  │ dense: (T, D), dropout;  x = LayerNorm(x + ·)                           │
          │  │ gated_layers: (T, D) -> (T, 2I) = a, b;  gelu(a) · b, dropout           │
          │  │ wo: (T, I) -> (T, D);  x = LayerNorm(x + ·)                             │
          │  └─────────────────────────────────────────────────────────────────────────┘
        x (T, D)

Modules are nested and named as in the published checkpoint, so that its weights load without renaming.
"""

# Dimensions: B sequences, T tokens in the packed row, D hidden, H heads, d width of one, I intermediate.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from genotok.model import attention
from genotok.model.attention import AttentionPlan, eager
from genotok.model.config import POOLED_PARTS, EncoderConfig
from genotok.model.embeddings import Embeddings
from genotok.model.packing import SequencePacking

__all__ = ["Encoder", "Layer", "Layers", "Pooler", "States", "initialize"]


_WithAttentions = tuple[Tensor, list[Tensor] | None]
"""Vectors (T, D), and the attention weights of each sequence if requested."""


@dataclass(frozen=True, slots=True)
class States:
    """The output of the layers.

    Attributes:
        last: (T, D), the output of the last layer.
        embedded: (T, D), the input of the first layer.
        hidden_states: (T, D) each, the embeddings and the output of each layer; empty unless requested.
        attentions: Attention weights per layer, (H, L, L) for each sequence that is not empty; empty unless
            requested.
    """

    last: Tensor
    embedded: Tensor
    hidden_states: tuple[Tensor, ...] = ()
    attentions: tuple[list[Tensor], ...] = ()


class SelfAttention(nn.Module):
    """Queries, keys and values by one matrix product, then attention by the chosen backend."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.shape = (3, config.num_heads, config.head_size)
        self.dropout = config.attention_dropout
        self.Wqkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)

    def forward(self, x: Tensor, plan: AttentionPlan, output_attentions: bool) -> _WithAttentions:
        """(T, D) to (T, D), and the attention weights if requested."""
        qkv = self.Wqkv(x).unflatten(-1, self.shape)
        dropout = self.dropout if self.training else 0.0
        if output_attentions:
            context, weights = eager.attend(qkv, plan, dropout)
            return context.flatten(1), weights
        return attention.attend(qkv, plan, dropout).flatten(1), None


class AttentionOutput(nn.Module):
    """The projection of context vectors, added to the input."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, context: Tensor, x: Tensor) -> Tensor:
        """(T, D) and (T, D) to (T, D)."""
        added: Tensor = self.LayerNorm(self.dropout(self.dense(context)) + x)
        return added


class AttentionBlock(nn.Module):
    """Attention and its output projection, under the names of the checkpoint."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = AttentionOutput(config)

    def forward(self, x: Tensor, plan: AttentionPlan, output_attentions: bool) -> _WithAttentions:
        """(T, D) to (T, D), and the attention weights if requested."""
        context, weights = self.self(x, plan, output_attentions)
        return self.output(context, x), weights


class GatedBlock(nn.Module):
    """The feed-forward block: GELU of one half of a wide product gates the other half."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.gated_layers = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.wo = nn.Linear(config.intermediate_size, config.hidden_size)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(T, D) to (T, D), with dropout before `wo` and none after it, as published."""
        gate, value = self.gated_layers(x).chunk(2, -1)
        added: Tensor = self.layernorm(self.wo(self.dropout(functional.gelu(gate) * value)) + x)
        return added


class Layer(nn.Module):
    """One layer: attention, then the feed-forward block."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.attention = AttentionBlock(config)
        self.mlp = GatedBlock(config)

    def forward(self, x: Tensor, plan: AttentionPlan, output_attentions: bool = False) -> _WithAttentions:
        """(T, D) to (T, D), and the attention weights if requested."""
        x, weights = self.attention(x, plan, output_attentions)
        return self.mlp(x), weights


class Layers(nn.Module):
    """The stack of layers.

    Attributes:
        gradient_checkpointing: In training, keep only the input of each layer and recompute the rest in the
            backward pass: a third more time, a fraction of the memory.
        backend: The attention backend of the last batch; "" before the first.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.ModuleList([Layer(config) for _ in range(config.num_layers)])
        self.gradient_checkpointing = False
        self._gradient_checkpointing_func: Callable[..., Any] = _checkpoint
        self.backend = ""

    def forward(
        self,
        x: Tensor,
        packing: SequencePacking,
        *,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> States:
        """Apply the layers to (T, D); requested attention weights are always computed by `eager`."""
        plan = self._plan(x, packing, output_attentions)
        self.backend = plan.backend
        states, weights = [x], []
        for layer in self.layer:
            if self.gradient_checkpointing and self.training:
                x, found = self._gradient_checkpointing_func(layer.__call__, x, plan, output_attentions)
            else:
                x, found = layer(x, plan, output_attentions)
            if output_hidden_states:
                states.append(x)
            if found is not None:
                weights.append(found)
        return States(x, states[0], tuple(states) if output_hidden_states else (), tuple(weights))

    def _plan(self, x: Tensor, packing: SequencePacking, output_attentions: bool) -> AttentionPlan:
        """Choose a backend for the batch and the type that its queries will have."""
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        asked = "eager" if output_attentions else self.config.attention
        sample = torch.empty(0, self.config.head_size, dtype=dtype, device=x.device)
        dropout = self.config.attention_dropout if self.training else 0.0
        chosen = attention.choose(asked, sample, packing, dropout)
        plan: AttentionPlan = attention.prepare(
            chosen, self.config.num_heads, packing, dtype, self.config.alibi == "directional"
        )
        return plan


def _checkpoint(function: Callable[..., Any], *arguments: Any) -> Any:
    """Torch's gradient checkpointing in its non-reentrant form, which works with autocast and hooks."""
    return checkpoint(function, *arguments, use_reentrant=False)


class Pooler(nn.Module):
    """The vector of a sequence for a classifier: tanh of a linear map of what `pooling` names.

    | pooling | what the map takes | shape |
    |---|---|---|
    | cls | the vector of the first token, as published | (B, D) |
    | mean | the mean over tokens | (B, D) |
    | mean+max | the mean and the maximum of each dimension | (B, 2D) |
    | skip | both of the embeddings, and both of the last layer | (B, 4D) |

    Attributes:
        parts: Vectors of width D that the map takes: 1, 2 or 4.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.pooling = config.pooling
        self.parts = POOLED_PARTS[config.pooling]
        self.dense = nn.Linear(self.parts * config.hidden_size, config.hidden_size)

    def forward(self, states: States, packing: SequencePacking) -> Tensor:
        """(T, D) to (B, D). A sequence without a token (for cls, at position 0) has zeros, as published."""
        pooled: Tensor = torch.tanh(self.dense(self._taken(states, packing)))
        return pooled

    def _taken(self, states: States, packing: SequencePacking) -> Tensor:
        if self.pooling == "cls":
            return packing.first(states.last)
        if self.pooling == "mean":
            return packing.mean(states.last)
        layers = (states.embedded, states.last) if self.pooling == "skip" else (states.last,)
        return torch.cat([part for rows in layers for part in (packing.mean(rows), packing.max(rows))], 1)


class Encoder(nn.Module):
    """The encoder: tokens of packed sequences to one vector per token.

    Example:
        >>> encoder = Encoder(EncoderConfig.preset("tiny-1m"))
        >>> packing = pack([3, 2])
        >>> encoder(torch.tensor([1, 9, 2, 1, 2]), packing).last.shape
        torch.Size([5, 128])

    Args:
        config: Sizes and settings.
        pooler: Whether to add a pooler; the published checkpoint has none.
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
        packing: SequencePacking,
        types: Tensor | None = None,
        *,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> States:
        """Encode a packed row.

        Args:
            ids: (T,) token ids, sequence after sequence.
            packing: The boundaries of the sequences; from `pack` or `unpad`.
            types: (T,) segments; 0 by default.
            output_hidden_states: Return the embeddings and the output of each layer.
            output_attentions: Return attention weights; memory is then quadratic in the length.
        """
        x = self.embeddings(ids, types, packing=packing)
        outputs = {"output_hidden_states": output_hidden_states, "output_attentions": output_attentions}
        states: States = self.encoder(x, packing, **outputs)
        return states

    def compile_layers(self) -> None:
        """Compile the layers in place with `torch.compile`: one program for all lengths."""
        for layer in self.encoder.layer:
            layer.compile(fullgraph=True, dynamic=True)


def initialize(module: nn.Module, deviation: float) -> None:
    """Initialise weights as published: normal with this standard deviation, biases 0, scales 1.

    Convolutions have a standard deviation of one over the root of the inputs of an output.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=deviation)
        elif isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
        elif isinstance(part, nn.Conv1d):
            nn.init.normal_(part.weight, std=part.weight[0].numel() ** -0.5)
        if isinstance(part, nn.Linear | nn.LayerNorm | nn.Conv1d) and part.bias is not None:
            nn.init.zeros_(part.bias)
