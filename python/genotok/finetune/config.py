"""The settings of fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genotok.errors import ArgumentError
from genotok.model import PRESETS
from genotok.model.backends import Alibi, SequencePooling
from genotok.study.subjects import is_kmer_name, named_kmers
from genotok.training.new_encoder import EARLIER as ENCODER_EARLIER
from genotok.training.new_encoder import BaseFeatures
from genotok.training.settings import at_least, share

__all__ = ["BPE", "EARLIER", "ChooseBy", "FinetuneConfig", "Schedule", "Strands"]

ChooseBy = Literal["metric", "loss"]
Schedule = Literal["linear", "one-cycle"]
Strands = Literal["one", "both"]

EARLIER = ENCODER_EARLIER | {
    "strands": "one",
    "dropout": None,
    "label_smoothing": 0.0,
    "schedule": "linear",
    "patience": None,
    "base_position": None,
    "pooling": None,
    "tokenizer": "bpe",
    "pretrain_steps": 0,
    "token_identities": True,
}
"""Settings that runs of earlier versions do not have, with what those runs did."""

BPE = "bpe"
MIN_VOCAB = 16


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """The settings of fine-tuning; presets are in `presets/`.

    Attributes:
        learning_rate: The peak.
        schedule: "linear": `warmup` steps of rise, then to 0; "one-cycle": rise over three tenths of the
            steps, then as a cosine to 0, with the momentum in the other direction.
        weight_decay: Of AdamW, on matrices.
        batch: Sequences per step.
        micro_batch: Sequences per forward pass.
        epochs: Passes over train; None for the set's published number, or 3.
        max_steps: Limit on the steps; None for the set's published limit, if there is one.
        warmup: Steps of rising learning rate, at most a tenth of all; not for "one-cycle".
        strands: "both": each row is shown on a random strand in each epoch, and predictions are the mean over
            both, unless the sequences of a set are of one strand; "one": as they are given.
        dropout: In the encoder and before the classifier; None for what the model's configuration says.
        label_smoothing: Share of a label that is spread over all classes; nothing for numbers.
        evaluations: Evaluations on dev, evenly spaced over the run.
        choose_by: What selects the kept weights on dev: the set's metric, or the loss.
        patience: Stop after this many evaluations in a row without a better one; None for never.
        base_position: Whether features of bases know the place of each base; None for yes if a place means
            the same in all sequences of a set, or if the model already knows them.
        pooling: What the classifier reads (`genotok.model.EncoderConfig`); None for what the model has.
        encoder: Without a model, the architecture of the new one, by name (`genotok.model.PRESETS`).
        tokenizer: Without a model, "bpe", trained on the train split; or k-mers by name
            (`genotok.study.named_kmers`): "kmer:5:no-overlap" are fixed patches of five bases.
        vocab: Tokens of the vocabulary of "bpe"; smaller vocabularies are truncations of larger ones, since
            merges come in order of rank.
        layers: Without a model, the number of layers; None for that of `encoder`. With 0 a classifier reads a
            bag of token vectors.
        base_features: Without a model, what the bases of a token add to its embedding; "preset" for what
            `encoder` says.
        alibi: Without a model, the form of the ALiBi bias; None for that of `encoder`.
        token_identities: Without a model, whether tokens have embeddings of their own. Otherwise these are 0
            and are not trained, so that only the bases of a token are known.
        pretrain_steps: Steps of predicting masked tokens of the train split with new weights, before labels
            are read; 0 for none.
        mask_share: Share of the tokens that are predicted in these steps.
        teacher_weight: Share of the predictions of a teacher in what is learned, if there is a teacher; the
            rest is that of the labels.
        max_tokens: Longer sequences are cut and counted; None cuts none.
        clip: Maximum norm of the gradients.
        precision: Number format of matrix products.
        lora: Train low-rank matrices beside those of attention, and the classifier, instead of all weights.
        lora_rank: Rank of these matrices.
        lora_alpha: Their scale, times the rank.
        lora_dropout: Dropout of their input.
        eval_tokens: Tokens per evaluation batch.
    """

    learning_rate: float = 3e-5
    weight_decay: float = 0.01
    batch: int = 32
    micro_batch: int = 64
    epochs: int | None = None
    max_steps: int | None = None
    warmup: int = 50
    schedule: Schedule = "linear"
    strands: Strands = "one"
    dropout: float | None = 0.1
    label_smoothing: float = 0.0
    evaluations: int = 6
    choose_by: ChooseBy = "metric"
    patience: int | None = None
    base_position: bool | None = None
    pooling: SequencePooling | None = None
    encoder: str = "tiny-1m-bases"
    tokenizer: str = "bpe"
    vocab: int = 512
    pretrain_steps: int = 0
    mask_share: float = 0.3
    teacher_weight: float = 0.5
    layers: int | None = None
    base_features: BaseFeatures = "preset"
    alibi: Alibi | None = None
    token_identities: bool = True
    max_tokens: int | None = None
    clip: float = 1.0
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    lora: bool = False
    lora_rank: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    eval_tokens: int = 16_384

    def __post_init__(self) -> None:
        for name in ("batch", "micro_batch", "evaluations", "lora_rank", "lora_alpha", "eval_tokens"):
            at_least(name, getattr(self, name), 1)
        for name in ("weight_decay", "warmup", "clip", "pretrain_steps"):
            at_least(name, getattr(self, name), 0)
        for name in ("epochs", "max_steps", "patience"):
            if getattr(self, name) is not None:
                at_least(name, getattr(self, name), 1)
        if self.max_tokens is not None:
            at_least("max_tokens", self.max_tokens, 4)
        at_least("vocab", self.vocab, MIN_VOCAB)
        if self.layers is not None:
            at_least("layers", self.layers, 0)
        for name in ("lora_dropout", "label_smoothing", "dropout"):
            value = getattr(self, name)
            if value is not None:
                share(name, value)
        for name in ("mask_share", "teacher_weight"):
            share(name, getattr(self, name), open_end=False)
        self._check_choices()

    def _check_choices(self) -> None:
        """Raise an error if a name is unknown, or a number does not go with another."""
        if self.encoder not in PRESETS:
            raise ArgumentError(f"encoder={self.encoder}: one of {', '.join(PRESETS)} is expected")
        if self.tokenizer != BPE:
            if not is_kmer_name(self.tokenizer):
                raise ArgumentError(
                    f"tokenizer={self.tokenizer}: bpe, bases or kmer:K:no-overlap is expected"
                )
            named_kmers(self.tokenizer)
        if not 0 < self.learning_rate < 1:
            raise ArgumentError(f"learning_rate={self.learning_rate}: a number between 0 and 1 is expected")
        if self.batch > self.micro_batch and self.batch % self.micro_batch:
            raise ArgumentError(
                f"batch={self.batch}: a multiple of micro_batch={self.micro_batch} is expected"
            )
