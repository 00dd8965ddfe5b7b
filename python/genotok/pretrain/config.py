"""The settings of a pre-training run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genotok.errors import ArgumentError
from genotok.model import PRESETS
from genotok.training.settings import at_least, share

__all__ = ["Precision", "PretrainConfig"]

Precision = Literal["float32", "bf16", "fp16"]


@dataclass(frozen=True, slots=True)
class PretrainConfig:
    """The settings of a pre-training run; presets are in `presets/`.

    Attributes:
        encoder: Its sizes, by name (`genotok.model.PRESETS`).
        max_tokens: Tokens of a sequence, `[CLS]` and `[SEP]` included.
        batch: Sequences of a step, over all processes.
        micro_batch: Sequences that one process computes at once; gradients are added up to `batch`.
        steps: Updates of the weights.
        warmup: Steps of rising learning rate; it then falls to 0, linearly.
        learning_rate: The highest.
        weight_decay: AdamW's, on matrices.
        beta1: AdamW's.
        beta2: AdamW's.
        epsilon: AdamW's.
        clip: Gradients are scaled down to this norm.
        mask_share: Share of tokens to guess.
        mask_span: Neighbouring tokens that are hidden together, such as k for k-mers that overlap.
        dropout: In the encoder; of attention weights there is none.
        precision: What products are computed in; weights are float32.
        row_bases: Leave out rows that are not this many bases and nothing else; None for all rows.
        held_out: Share of sequences kept for evaluation, if no records are named.
        evaluate_sequences: Held-out sequences that are evaluated, at most.
        evaluate_every: Steps.
        save_every: Steps between checkpoints.
        keep: Checkpoints to keep.
        log_every: Steps.
        seed: Decides weights, order, masks and dropout.
        workers: Processes that prepare batches; 0 for none.
        gradient_checkpointing: Less memory for more time.
    """

    encoder: str
    steps: int
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
        """Batches of `micro_batch` that one process adds up for a step.

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
