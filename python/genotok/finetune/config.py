"""The settings of fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genotok.errors import ArgumentError
from genotok.training.settings import at_least, share

__all__ = ["ChooseBy", "FinetuneConfig"]

ChooseBy = Literal["metric", "loss"]


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """The settings of fine-tuning; presets are in `presets/`.

    Attributes:
        learning_rate: The peak; it decays linearly to 0.
        weight_decay: Of AdamW, on matrices.
        batch: Sequences per step.
        micro_batch: Sequences per forward pass.
        epochs: Passes over train; None for the set's published number, or 3.
        max_steps: Limit on the steps; None for the set's published limit, if there is one.
        warmup: Steps of rising learning rate, at most a tenth of all.
        evaluations: Evaluations on dev, evenly spaced over the run.
        choose_by: What selects the kept weights on dev: the set's metric, or the loss.
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
    evaluations: int = 6
    choose_by: ChooseBy = "metric"
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
        for name in ("weight_decay", "warmup", "clip"):
            at_least(name, getattr(self, name), 0)
        for name in ("epochs", "max_steps"):
            if getattr(self, name) is not None:
                at_least(name, getattr(self, name), 1)
        if self.max_tokens is not None:
            at_least("max_tokens", self.max_tokens, 4)
        share("lora_dropout", self.lora_dropout)
        if not 0 < self.learning_rate < 1:
            raise ArgumentError(f"learning_rate={self.learning_rate}: a number between 0 and 1 is expected")
        if self.batch > self.micro_batch and self.batch % self.micro_batch:
            raise ArgumentError(
                f"batch={self.batch}: a multiple of micro_batch={self.micro_batch} is expected"
            )
