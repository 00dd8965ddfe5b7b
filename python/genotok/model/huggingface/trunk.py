"""The encoder as a `transformers` model, and the base class of all its models."""

# Dimensions: B sequences, S padded length, T tokens in the packed row, D hidden, V vocabulary, C classes.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling

from genotok.model.attention.eager import padded_weights
from genotok.model.embeddings import Embeddings
from genotok.model.encoder import Layers, Pooler, States
from genotok.model.huggingface.config import DnaBert2Config
from genotok.model.packing import SequencePacking, pack, unpad
from genotok.model.spelling import resized

__all__ = ["DnaBert2Model", "DnaBert2PreTrainedModel", "PackedStates", "as_dict"]


class DnaBert2PreTrainedModel(PreTrainedModel):
    """The base class of the models."""

    config_class = DnaBert2Config
    base_model_prefix = "bert"
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["Layer"]
    # transformers would select one of its attention functions; ours are selected by `config.attention`.
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding | nn.LayerNorm):
            super()._init_weights(module)
        elif isinstance(module, nn.Conv1d):
            init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                init.zeros_(module.bias)

    def resize_token_embeddings(self, *arguments: Any, **settings: Any) -> nn.Embedding:
        """As in transformers; the bases of new tokens are not known."""
        found: nn.Embedding = super().resize_token_embeddings(*arguments, **settings)
        self.config.spelling = resized(self.config.spelling, self.config.vocab_size)
        model: Any = self.base_model
        bases = model.embeddings.bases
        if bases is not None:
            bases.spelling = self.config.spelling
        return found


@dataclass(frozen=True, slots=True)
class PackedStates:
    """The output of the encoder for a padded batch, still packed."""

    states: States
    packing: SequencePacking


class DnaBert2Model(DnaBert2PreTrainedModel):
    """The encoder, with a pooler unless `add_pooling_layer` is false."""

    def __init__(self, config: DnaBert2Config, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        sizes = config.encoder_config()
        self.embeddings = Embeddings(sizes)
        self.encoder = Layers(sizes)
        self.pooler = Pooler(sizes) if add_pooling_layer else None
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Initialise weights; a new pooler is the identity before its tanh, or the mean of what it takes.

        Checkpoints of masked language models have no pooler, and neither have adapters on them: a
        deterministic pooler is the one that the adapter was trained with.
        """
        super()._init_weights(module)
        if self.pooler is not None and module is self.pooler.dense:
            parts = self.pooler.parts
            one = torch.eye(self.config.hidden_size) / parts
            init.copy_(self.pooler.dense.weight, one.repeat(1, parts))

    def get_input_embeddings(self) -> nn.Embedding:
        """The word embeddings."""
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        """Replace the word embeddings."""
        self.embeddings.word_embeddings = value

    def encode(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        token_type_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        output_hidden_states: bool | None,
        output_attentions: bool | None,
    ) -> PackedStates:
        """Drop the padding and encode.

        Raises:
            ValueError: There is no input, or its shape does not fit the mask.
        """
        given = inputs_embeds if input_ids is None else input_ids
        if given is None:
            raise ValueError("input_ids or inputs_embeds: one of them is expected")
        packing = _packing(given, attention_mask)
        take = packing.take
        x = self.embeddings(
            None if input_ids is None else take(input_ids),
            None if token_type_ids is None else take(token_type_ids.expand(given.shape[:2])),
            None if inputs_embeds is None else take(inputs_embeds),
            packing,
        )
        with_states = _or_default(output_hidden_states, self.config.output_hidden_states)
        with_attentions = _or_default(output_attentions, self.config.output_attentions)
        states = self.encoder(x, packing, output_hidden_states=with_states, output_attentions=with_attentions)
        return PackedStates(states, packing)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> BaseModelOutputWithPooling | tuple[Any, ...]:
        """Encode a padded batch.

        Args:
            input_ids: (B, S) token ids.
            attention_mask: (B, S), nonzero where there is a token; everywhere by default.
            token_type_ids: (B, S) segments; 0 by default.
            inputs_embeds: (B, S, D) instead of the word embeddings of `input_ids`.
            output_hidden_states: Return the embeddings and the output of each layer, (B, S, D) each.
            output_attentions: Return the weights of each layer, (B, H, S, S): quadratic memory.
            return_dict: Whether to return an object; a tuple if false.
        """
        encoded = self.encode(
            input_ids, attention_mask, token_type_ids, inputs_embeds, output_hidden_states, output_attentions
        )
        last, packing = encoded.states.last, encoded.packing
        output = BaseModelOutputWithPooling(
            last_hidden_state=packing.pad(last),
            pooler_output=None if self.pooler is None else self.pooler(encoded.states, packing),
            **self.padded(encoded),
        )
        return output if as_dict(return_dict, self.config) else output.to_tuple()

    def padded(self, encoded: PackedStates) -> dict[str, tuple[Tensor, ...] | None]:
        """`hidden_states` and `attentions` as padded batches; None if they were not requested."""
        states, packing = encoded.states, encoded.packing
        heads = self.config.num_attention_heads
        return {
            "hidden_states": tuple(packing.pad(state) for state in states.hidden_states) or None,
            "attentions": tuple(padded_weights(found, packing, heads) for found in states.attentions) or None,
        }


def _packing(given: Tensor, mask: Tensor | None) -> SequencePacking:
    """The packing of a batch of ids (B, S) or vectors (B, S, D)."""
    if given.dim() < 2:
        raise ValueError(f"an input of shape {tuple(given.shape)}: (sequences, length) is expected")
    if mask is None:
        return pack([given.shape[1]] * given.shape[0], given.device)
    if mask.shape != given.shape[:2]:
        expected = tuple(given.shape[:2])
        raise ValueError(f"attention_mask of shape {tuple(mask.shape)}: {expected} is expected")
    return unpad(mask)


def _or_default(asked: bool | None, default: bool | None) -> bool:
    return bool(default if asked is None else asked)


def as_dict(asked: bool | None, config: PreTrainedConfig) -> bool:
    """Whether to return an object and not a tuple."""
    return bool(config.return_dict if asked is None else asked)
