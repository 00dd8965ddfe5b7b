"""The heads as `transformers` models: masked tokens, classes of sequences, classes of tokens."""

# Dimensions: B sequences, S padded length, T tokens in the packed row, D hidden, V vocabulary, C classes.

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_outputs import MaskedLMOutput, SequenceClassifierOutput, TokenClassifierOutput

from genotok.model.heads import PredictionHead, classification_loss, masked_loss
from genotok.model.huggingface.config import DnaBert2Config
from genotok.model.huggingface.trunk import DnaBert2Model, DnaBert2PreTrainedModel, as_dict

__all__ = ["DnaBert2ForMaskedLM", "DnaBert2ForSequenceClassification", "DnaBert2ForTokenClassification"]


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
        """The output embeddings."""
        return self.cls.predictions.decoder

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Replace the output embeddings."""
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
        num_items_in_batch: Tensor | int | None = None,
        **_: Any,
    ) -> MaskedLMOutput | tuple[Any, ...]:
        """Score all tokens of the vocabulary for each token.

        Without labels, `logits` (B, S, V) at masked places are the head's output for zeros, as published.
        With labels (B, S), only tokens with a label above 0 are scored and count in the loss; other logits
        are zeros. The loss is the mean over them, or their sum divided by `num_items_in_batch`, which
        `Trainer` passes where several batches make one step. Other arguments are as in `DnaBert2Model`.
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
            if num_items_in_batch is not None:
                loss = loss * (len(places) / num_items_in_batch)
            logits = packing.pad(found.new_zeros(len(rows), found.shape[1]).index_copy(0, places, found))
        output = MaskedLMOutput(loss=loss, logits=logits, **self.bert.padded(encoded))
        return output if as_dict(return_dict, self.config) else output.to_tuple()


class _Classifier(DnaBert2PreTrainedModel):
    """The encoder, dropout, and a linear map to the classes."""

    # The loss is a mean over the batch; `Trainer` then divides by the number of batches in a step.
    accepts_loss_kwargs = False

    def __init__(self, config: DnaBert2Config, pooler: bool) -> None:
        super().__init__(config)
        self.num_labels = config.num_labels
        self.bert = DnaBert2Model(config, add_pooling_layer=pooler)
        share = config.classifier_dropout
        self.dropout = nn.Dropout(config.hidden_dropout_prob if share is None else share)
        self.classifier = nn.Linear(config.hidden_size, int(config.num_labels or 0))
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self.classifier:
            # With a fixed seed: an adapter may not hold it (`peft` without a task type).
            weight = torch.empty(module.weight.shape)
            weight.normal_(std=self.config.initializer_range, generator=torch.Generator().manual_seed(0))
            init.copy_(module.weight, weight)


class DnaBert2ForSequenceClassification(_Classifier):
    """Classifies sequences or pairs; with one class, a regression."""

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
        """Scores (B, C), and with labels (B,) or (B, C) the loss; other arguments as in `DnaBert2Model`."""
        encoded = self.bert.encode(
            input_ids, attention_mask, token_type_ids, inputs_embeds, output_hidden_states, output_attentions
        )
        scores = self.classifier(self.dropout(self.bert.pooler(encoded.states, encoded.packing)))
        loss = None if labels is None else classification_loss(scores, labels, self.config.problem_type)
        output = SequenceClassifierOutput(loss=loss, logits=scores, **self.bert.padded(encoded))
        return output if as_dict(return_dict, self.config) else output.to_tuple()


class DnaBert2ForTokenClassification(_Classifier):
    """Classifies tokens."""

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
        """Scores (B, S, C), and with labels (B, S), of which -100 is ignored, the loss; others as above."""
        encoded = self.bert.encode(
            input_ids, attention_mask, token_type_ids, inputs_embeds, output_hidden_states, output_attentions
        )
        scores, packing = self.classifier(self.dropout(encoded.states.last)), encoded.packing
        loss = None if labels is None else classification_loss(scores, packing.take(labels))
        output = TokenClassifierOutput(loss=loss, logits=packing.pad(scores), **self.bert.padded(encoded))
        return output if as_dict(return_dict, self.config) else output.to_tuple()
