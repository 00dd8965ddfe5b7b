"""Models with a head on the encoder: for masked tokens, classes of sequences and classes of tokens; pooling.

All take packed sequences; padded batches enter through `genotok.model.huggingface` or `unpad`.
"""

# Dimensions: B sequences, T tokens in the packed row, M masked tokens, D hidden, V vocabulary, C classes.

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from genotok.model.config import EncoderConfig
from genotok.model.encoder import Encoder, Pooler, initialize
from genotok.model.packing import SequencePacking

__all__ = [
    "MaskedLanguageModel",
    "Pooling",
    "PredictionHead",
    "SequenceClassifier",
    "TokenClassifier",
    "classification_loss",
    "masked_loss",
    "pool",
]

Pooling = Literal["mean", "cls"]
HEAD_EPS = 1e-12
"""The epsilon of the published head, which does not follow the configuration."""


def pool(rows: Tensor, packing: SequencePacking, pooling: Pooling = "mean") -> Tensor:
    """One vector per sequence, (B, D), from those of its tokens, (T, D).

    "mean" averages over all tokens of a sequence, including `[CLS]` and `[SEP]`; "cls" takes the first.
    """
    return packing.mean(rows) if pooling == "mean" else packing.first(rows)


class Transform(nn.Module):
    """The first half of the head for masked tokens."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=HEAD_EPS)

    def forward(self, rows: Tensor) -> Tensor:
        """(…, D) to (…, D)."""
        transformed: Tensor = self.LayerNorm(functional.gelu(self.dense(rows)))
        return transformed


class Predictions(nn.Module):
    """Scores of all tokens of the vocabulary, from vectors."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.transform = Transform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(self, rows: Tensor) -> Tensor:
        """(…, D) to (…, V)."""
        scores: Tensor = self.decoder(self.transform(rows))
        return scores


class PredictionHead(nn.Module):
    """`Predictions` under the name it has in the checkpoint."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.predictions = Predictions(config)

    def forward(self, rows: Tensor) -> Tensor:
        """(…, D) to (…, V)."""
        scores: Tensor = self.predictions(rows)
        return scores


class MaskedLanguageModel(nn.Module):
    """Predicts masked tokens; the output embeddings are tied to the word embeddings."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = Encoder(config)
        self.cls = PredictionHead(config)
        initialize(self.cls, config.initializer_range)
        self.cls.predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight

    def forward(
        self, ids: Tensor, packing: SequencePacking, types: Tensor | None = None, labels: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor]:
        """Scores of all tokens; with labels, the loss and the scores of the labelled tokens.

        Args:
            ids: (T,) token ids.
            packing: The boundaries of the sequences.
            types: (T,) segments; 0 by default.
            labels: (T,) the ids to predict; tokens whose label is not above 0 are ignored.

        Returns:
            None and (T, V), or the loss and (M, V), in the order of the labelled tokens.
        """
        rows = self.bert(ids, packing, types).last
        if labels is None:
            return None, self.cls(rows)
        return masked_loss(self.cls, rows, labels)[:2]


def masked_loss(head: nn.Module, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The mean cross entropy of the labelled tokens, their scores (M, V), and their places (M,) in the row.

    A token is labelled if its label is above 0: neither -100 nor 0, `[UNK]`, counts, as published. Scores are
    computed for labelled tokens only. Without labelled tokens the loss is 0, and training continues.
    """
    places = (labels > 0).nonzero().flatten()
    scores = head(rows[places])
    summed = functional.cross_entropy(_wide(scores), labels[places], reduction="sum")
    return summed / max(len(places), 1), scores, places


class SequenceClassifier(nn.Module):
    """Classifies sequences, or pairs in one sequence with segments 0 and 1; with one class, a regression.

    Args:
        config: Sizes and settings of the encoder.
        num_labels: Classes C; 1 for regression.
    """

    def __init__(self, config: EncoderConfig, num_labels: int) -> None:
        super().__init__()
        self.config = config
        self.num_labels = _checked(num_labels)
        self.bert = Encoder(config, pooler=True)
        self.dropout = nn.Dropout(_dropout(config))
        self.classifier = nn.Linear(config.hidden_size, num_labels)
        initialize(self.classifier, config.initializer_range)

    def forward(
        self, ids: Tensor, packing: SequencePacking, types: Tensor | None = None, labels: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor]:
        """The loss, with labels (B,) or (B, C), and scores (B, C)."""
        states = self.bert(ids, packing, types)
        pooler = cast("Pooler", self.bert.pooler)
        scores = self.classifier(self.dropout(pooler(states, packing)))
        return (None if labels is None else classification_loss(scores, labels)), scores


class TokenClassifier(nn.Module):
    """Classifies tokens.

    Args:
        config: Sizes and settings of the encoder.
        num_labels: Classes C.
    """

    def __init__(self, config: EncoderConfig, num_labels: int) -> None:
        super().__init__()
        self.config = config
        self.num_labels = _checked(num_labels)
        self.bert = Encoder(config)
        self.dropout = nn.Dropout(_dropout(config))
        self.classifier = nn.Linear(config.hidden_size, num_labels)
        initialize(self.classifier, config.initializer_range)

    def forward(
        self, ids: Tensor, packing: SequencePacking, types: Tensor | None = None, labels: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor]:
        """The loss, with labels (T,) of which -100 is ignored, and scores (T, C)."""
        scores = self.classifier(self.dropout(self.bert(ids, packing, types).last))
        return (None if labels is None else functional.cross_entropy(_wide(scores), labels)), scores


def classification_loss(scores: Tensor, labels: Tensor, problem: str | None = None) -> Tensor:
    """The loss of scores (B, C).

    Mean squared error for one class or for `problem` "regression". For several classes, cross entropy with
    integer labels (B,), or binary cross entropy with floating-point labels (B, C) in multi-label problems.
    """
    scores = _wide(scores)
    if problem == "regression" or (problem is None and scores.shape[-1] == 1):
        return functional.mse_loss(scores.flatten(), labels.flatten().to(scores.dtype))
    if problem == "multi_label_classification" or (problem is None and labels.is_floating_point()):
        return functional.binary_cross_entropy_with_logits(scores, labels.to(scores.dtype))
    return functional.cross_entropy(scores, labels.flatten())


def _wide(scores: Tensor) -> Tensor:
    """Scores in at least 32 bits: a loss in 16 bits is too coarse to follow."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))


def _dropout(config: EncoderConfig) -> float:
    """The dropout before a classifier."""
    return config.hidden_dropout if config.classifier_dropout is None else config.classifier_dropout


def _checked(num_labels: int) -> int:
    if num_labels < 1:
        raise ValueError(f"num_labels={num_labels}: a number of at least 1 is expected")
    return num_labels
