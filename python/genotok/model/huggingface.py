"""The encoder as a `transformers` model: `AutoModel` and its kin, `Trainer`, `peft`.

Importing this module registers the classes. A published `config.json` builds them, published weights load under
their own names, `save_pretrained` writes safetensors, and what was saved loads with
`AutoModel.from_pretrained(folder)`.

Batches are padded here (B, S) and nowhere below: results have zeros at masked places. What differs from the
published code is listed in the documentation, "What differs".
"""

# Shape letters: B sequences, S padded length, T tokens in the packed row, D hidden, H heads, V vocabulary, C classes.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import (
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

from genotok.model.attention import Backend
from genotok.model.attention.eager import padded_weights
from genotok.model.config import EncoderConfig
from genotok.model.encoder import Embeddings, Layers, Pooler, States
from genotok.model.heads import PredictionHead, classification_loss, masked_loss
from genotok.model.packing import Packing, pack, unpad

__all__ = [
    "DnaBert2Config",
    "DnaBert2ForMaskedLM",
    "DnaBert2ForSequenceClassification",
    "DnaBert2ForTokenClassification",
    "DnaBert2Model",
]

PAD = 3
"""The id of `[PAD]` in the published vocabulary, whose configuration says 0 or nothing."""

NOT_OURS = ("model_type", "auto_map", "architectures", "torch_dtype", "transformers_version", "_name_or_path")
"""Keys of a published `config.json` that speak of the published code."""

LORA_TARGETS = ["Wqkv"]
"""Where `peft` puts LoRA if it is not told: the matrix of queries, keys and values, as for BERT."""


class DnaBert2Config(PreTrainedConfig):  # type: ignore[misc] # transformers' dataclass transform is untyped
    """The configuration, under the names of the published `config.json`; `attention` chooses the backend."""

    model_type: ClassVar[str] = "genotok-dnabert2"

    vocab_size: int = 4096
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float | int = 0.1
    attention_probs_dropout_prob: float | int = 0.0
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    classifier_dropout: float | int | None = None
    pad_token_id: int | None = PAD
    unk_token_id: int | None = 0
    cls_token_id: int | None = 1
    sep_token_id: int | None = 2
    mask_token_id: int | None = 4
    tie_word_embeddings: bool = True
    attention: str = "auto"

    def __post_init__(self, **others: Any) -> None:
        """Check everything, and mend what a published file says of the published code."""
        if self.pad_token_id == self.unk_token_id:
            self.pad_token_id = PAD  # [UNK] cannot be padding: the 0 of a published file stands for nothing
        for name in NOT_OURS:
            others.pop(name, None)
        super().__post_init__(**others)
        self.encoder_config()

    def encoder_config(self) -> EncoderConfig:
        """The same as the encoder takes it; a wrong value is a ValueError."""
        backend: Any = self.attention
        settings = {name: value for name, value in vars(self).items() if value is not None}
        return EncoderConfig.from_published(settings, attention=backend)


class DnaBert2PreTrainedModel(PreTrainedModel):  # type: ignore[misc] # likewise
    """What the models below share."""

    config_class = DnaBert2Config
    base_model_prefix = "bert"
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["Layer"]
    # transformers would choose among its own attention functions; ours are chosen by `config.attention`.
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding | nn.LayerNorm):
            super()._init_weights(module)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder gave for a padded batch, still packed."""

    states: States
    packing: Packing


class DnaBert2Model(DnaBert2PreTrainedModel):
    """The encoder, with a pooler unless `add_pooling_layer` is false."""

    def __init__(self, config: DnaBert2Config, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        sizes = config.encoder_config()
        self.embeddings = Embeddings(sizes)
        self.encoder = Layers(sizes)
        self.pooler = Pooler(sizes) if add_pooling_layer else None
        self.post_init()

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
    ) -> Encoded:
        """Drop the padding and encode."""
        given = inputs_embeds if input_ids is None else input_ids
        if given is None:
            raise ValueError("input_ids or inputs_embeds: one of them is expected")
        packing = _packing(given, attention_mask)
        take = packing.take
        x = self.embeddings(
            None if input_ids is None else take(input_ids),
            None if token_type_ids is None else take(token_type_ids.expand(given.shape[:2])),
            None if inputs_embeds is None else take(inputs_embeds),
        )
        want_states = _wanted(output_hidden_states, self.config.output_hidden_states)
        want_weights = _wanted(output_attentions, self.config.output_attentions)
        return Encoded(self.encoder(x, packing, want_states=want_states, want_weights=want_weights), packing)

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
            attention_mask: (B, S), nonzero where there is a token; all of them if left out.
            token_type_ids: (B, S) segments, 0 if left out.
            inputs_embeds: (B, S, D) in place of the word embeddings of `input_ids`.
            output_hidden_states: Give the embeddings and the output of each layer, (B, S, D) each.
            output_attentions: Give the weights of each layer, (B, H, S, S): quadratic in memory.
            return_dict: A tuple if false.
        """
        encoded = self.encode(
            input_ids, attention_mask, token_type_ids, inputs_embeds, output_hidden_states, output_attentions
        )
        last, packing = encoded.states.last, encoded.packing
        output = BaseModelOutputWithPooling(
            last_hidden_state=packing.pad(last),
            pooler_output=None if self.pooler is None else self.pooler(last, packing),
            **self.padded(encoded),
        )
        return output if _as_dict(return_dict, self.config) else output.to_tuple()

    def padded(self, encoded: Encoded) -> dict[str, tuple[Tensor, ...] | None]:
        """`hidden_states` and `attentions` as padded batches, None where they were not asked for."""
        states, packing = encoded.states, encoded.packing
        heads = self.config.num_attention_heads
        return {
            "hidden_states": tuple(packing.pad(state) for state in states.all) or None,
            "attentions": tuple(padded_weights(found, packing, heads) for found in states.weights) or None,
        }


class DnaBert2ForMaskedLM(DnaBert2PreTrainedModel):
    """Predicts masked tokens."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight"
    }

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__(config)
        self.bert = DnaBert2Model(config, add_pooling_layer=False)
        self.cls = PredictionHead(config.encoder_config())
        self.post_init()

    def get_output_embeddings(self) -> nn.Linear:
        """The matrix of scores."""
        return self.cls.predictions.decoder

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Replace the matrix of scores."""
        self.cls.predictions.decoder = new_embeddings

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> MaskedLMOutput | tuple[Any, ...]:
        """Score all tokens of the vocabulary for each token.

        Without labels `logits` (B, S, V) hold at masked places what the head makes of zeros, as published. With
        labels (B, S) only tokens with a label above 0 are scored and count in the loss; others hold zeros.
        The remaining arguments are those of `DnaBert2Model`.
        """
        encoded = self.bert.encode(
            input_ids, attention_mask, token_type_ids, inputs_embeds, output_hidden_states, output_attentions
        )
        rows, packing = encoded.states.last, encoded.packing
        loss = None
        if labels is None:
            outside = None if packing.indices is None else self.cls(rows.new_zeros(1, rows.shape[1]))[0]
            scores = self.cls(rows)
            logits = packing.pad(scores, outside)
        else:
            loss, found, places = masked_loss(self.cls, rows, packing.take(labels))
            logits = packing.pad(found.new_zeros(len(rows), found.shape[1]).index_copy(0, places, found))
        output = MaskedLMOutput(loss=loss, logits=logits, **self.bert.padded(encoded))
        return output if _as_dict(return_dict, self.config) else output.to_tuple()


class _Classifier(DnaBert2PreTrainedModel):
    """The encoder, dropout, and a matrix to the classes."""

    def __init__(self, config: DnaBert2Config, pooler: bool) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.bert = DnaBert2Model(config, add_pooling_layer=pooler)
        share = config.classifier_dropout
        self.dropout = nn.Dropout(config.hidden_dropout_prob if share is None else share)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()


class DnaBert2ForSequenceClassification(_Classifier):
    """Classes of sequences or of pairs; a number, with one class."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__(config, pooler=True)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput | tuple[Any, ...]:
        """Score classes, (B, C), and with labels (B,) or (B, C) the loss; other arguments as `DnaBert2Model`."""
        encoded = self.bert.encode(
            input_ids, attention_mask, token_type_ids, inputs_embeds, output_hidden_states, output_attentions
        )
        scores = self.classifier(self.dropout(self.bert.pooler(encoded.states.last, encoded.packing)))
        loss = None if labels is None else classification_loss(scores, labels, self.config.problem_type)
        output = SequenceClassifierOutput(loss=loss, logits=scores, **self.bert.padded(encoded))
        return output if _as_dict(return_dict, self.config) else output.to_tuple()


class DnaBert2ForTokenClassification(_Classifier):
    """Classes of tokens."""

    def __init__(self, config: DnaBert2Config) -> None:
        super().__init__(config, pooler=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> TokenClassifierOutput | tuple[Any, ...]:
        """Score classes, (B, S, C), and with labels (B, S), -100 left out, the loss; others as `DnaBert2Model`."""
        encoded = self.bert.encode(
            input_ids, attention_mask, token_type_ids, inputs_embeds, output_hidden_states, output_attentions
        )
        scores, packing = self.classifier(self.dropout(encoded.states.last)), encoded.packing
        loss = None if labels is None else classification_loss(scores, packing.take(labels))
        output = TokenClassifierOutput(loss=loss, logits=packing.pad(scores), **self.bert.padded(encoded))
        return output if _as_dict(return_dict, self.config) else output.to_tuple()


def _packing(given: Tensor, mask: Tensor | None) -> Packing:
    """The packing of a batch of ids (B, S) or vectors (B, S, D)."""
    if given.dim() < 2:
        raise ValueError(f"an input of shape {tuple(given.shape)}: (sequences, length) is expected")
    if mask is None:
        return pack([given.shape[1]] * given.shape[0], given.device)
    if mask.shape != given.shape[:2]:
        expected = tuple(given.shape[:2])
        raise ValueError(f"attention_mask of shape {tuple(mask.shape)}: {expected} is expected")
    return unpad(mask)


def _wanted(asked: bool | None, default: bool | None) -> bool:
    return bool(default if asked is None else asked)


def _as_dict(asked: bool | None, config: DnaBert2Config) -> bool:
    return bool(config.return_dict if asked is None else asked)


def _register() -> None:
    """Make the classes known to transformers' Auto classes, and the LoRA targets to peft where it is."""
    AutoConfig.register(DnaBert2Config.model_type, DnaBert2Config, exist_ok=True)
    AutoModel.register(DnaBert2Config, DnaBert2Model, exist_ok=True)
    AutoModelForMaskedLM.register(DnaBert2Config, DnaBert2ForMaskedLM, exist_ok=True)
    AutoModelForSequenceClassification.register(
        DnaBert2Config, DnaBert2ForSequenceClassification, exist_ok=True
    )
    AutoModelForTokenClassification.register(DnaBert2Config, DnaBert2ForTokenClassification, exist_ok=True)
    try:
        from peft.utils import constants  # noqa: PLC0415 - peft is no requirement
    except ImportError:
        return
    constants.TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING[DnaBert2Config.model_type] = LORA_TARGETS


_register()
