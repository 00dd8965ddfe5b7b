"""The settings of a pre-training run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genotok.errors import ArgumentError
from genotok.model import PRESETS
from genotok.model.backends import Alibi
from genotok.training.new_encoder import BaseFeatures
from genotok.training.settings import at_least, share

__all__ = ["Precision", "PretrainConfig"]

Precision = Literal["float32", "bf16", "fp16"]


@dataclass(frozen=True, slots=True)
class PretrainConfig:
    """The settings of a pre-training run; presets are in `presets/`.

    Attributes:
        encoder: The architecture, by name (`genotok.model.PRESETS`).
        layers: The number of layers; None for that of `encoder`.
        base_features: What the bases of a token add to its embedding; "preset" for what `encoder` says.
        alibi: The form of the ALiBi bias; None for that of `encoder`.
        max_tokens: Tokens per sequence, `[CLS]` and `[SEP]` included.
        batch: Sequences per step, over all processes.
        micro_batch: Sequences per forward pass of a process; gradients accumulate up to `batch`.
        steps: Updates of the weights.
        warmup: Steps of rising learning rate; then it decays linearly to 0.
        learning_rate: The peak.
        weight_decay: Of AdamW, on matrices.
        beta1: Of AdamW.
        beta2: Of AdamW.
        epsilon: Of AdamW.
        clip: Maximum norm of the gradients.
        mask_share: Share of tokens to predict.
        mask_span: Neighbouring tokens that are masked together, such as k for overlapping k-mers.
        dropout: In the encoder; there is none on attention weights.
        precision: Number format of matrix products; weights are float32.
        row_bases: Keep only rows of exactly this many bases and no other symbol; None for all rows.
        held_out: Share of sequences held out for evaluation, if no records are named.
        evaluate_sequences: Maximum number of held-out sequences that are evaluated.
        evaluate_every: Steps between evaluations.
        save_every: Steps between checkpoints.
        keep: Checkpoints to keep.
        log_every: Steps between lines of the log.
        seed: Seed of weights, order, masks and dropout.
        workers: Processes that prepare batches; 0 for none.
        gradient_checkpointing: Less memory, more time.
    """

    encoder: str
    steps: int
    layers: int | None = None
    base_features: BaseFeatures = "preset"
    alibi: Alibi | None = None
    max_tokens: int = 128
    batch: int = 64
    micro_batch: int = 64
    warmup: int = 0
    learning_rate: float = 5e-4
    weight_decay: float = 1e-5
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-6
    clip: float = 1.0
    mask_share: float = 0.15
    mask_span: int = 1
    dropout: float = 0.1
    precision: Precision = "float32"
    row_bases: int | None = None
    held_out: float = 0.01
    evaluate_sequences: int = 1024
    evaluate_every: int = 250
    save_every: int = 250
    keep: int = 2
    log_every: int = 25
    seed: int = 42
    workers: int = 0
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        if self.encoder not in PRESETS:
            raise ArgumentError(f"encoder={self.encoder}: one of {', '.join(PRESETS)} is expected")
        at_least("max_tokens", self.max_tokens, 4)
        if self.layers is not None:
            at_least("layers", self.layers, 0)
        counts = (
            "batch",
            "micro_batch",
            "steps",
            "evaluate_sequences",
            "evaluate_every",
            "save_every",
            "keep",
            "mask_span",
        )
        for name in (*counts, "log_every"):
            at_least(name, getattr(self, name), 1)
        for name in ("warmup", "weight_decay", "clip", "workers", "seed"):
            at_least(name, getattr(self, name), 0)
        for name in ("beta1", "beta2", "dropout", "held_out"):
            share(name, getattr(self, name))
        share("mask_share", self.mask_share, open_end=False)
        if self.row_bases is not None:
            at_least("row_bases", self.row_bases, 1)
        if self.warmup > self.steps:
            raise ArgumentError(f"warmup={self.warmup}: at most steps={self.steps} is expected")
        if not 0 < self.learning_rate < 1:
            raise ArgumentError(f"learning_rate={self.learning_rate}: a number between 0 and 1 is expected")

    def accumulation(self, processes: int) -> int:
        """Batches of `micro_batch` that each process accumulates per step.

        Raises:
            ArgumentError: They do not make up `batch`.
        """
        at_once = min(self.micro_batch, max(self.batch // processes, 1)) * processes
        if self.batch % at_once:
            raise ArgumentError(
                f"batch={self.batch}: a multiple of {at_once}, micro_batch times {processes} processes, is "
                "expected"
            )
        return self.batch // at_once
