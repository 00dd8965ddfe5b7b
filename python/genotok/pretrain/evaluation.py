"""How well a model predicts masked tokens of held-out sequences.

The masks of held-out sequences never change, so that figures can be compared over a run and between runs.
With longer tokens each prediction is harder and each sequence shorter; what can be compared between
vocabularies is *bits per base*: the cost of the masked tokens in bits, over the bases that they stand for. A
uniform distribution over the bases costs 2 bits per base.
"""

# Dimensions: B sequences, S padded length, V vocabulary.

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from genotok.training.masked_batches import collate
from genotok.training.trainer import OrderedTrainer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genotok.pretrain.data import TokenSequences
    from genotok.training.batches import Masking

__all__ = ["HeldOut", "MaskedTrainer"]

FIXED = 0x6E6F7469
"""A key of the masks for evaluation, apart from the seeds of training."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The held-out sequences, and the costs of their tokens.

    Attributes:
        pieces: The sequences.
        masking: How tokens are masked.
        bases: Bases of each token, by id, (V,).
        unigram: Cost of each token under the unigram baseline, in nats, (V,).
        max_sequences: Maximum number of sequences to evaluate, evenly spaced.
        batch: Sequences per forward pass.
    """

    pieces: TokenSequences
    masking: Masking
    bases: NDArray[np.int64]
    unigram: NDArray[np.float64]
    max_sequences: int
    batch: int

    def batches(self, rank: int, processes: int) -> Iterator[dict[str, torch.Tensor]]:
        """The batches of one process."""
        count = min(self.max_sequences, len(self.pieces))
        numbers = np.linspace(0, len(self.pieces) - 1, count).astype(np.int64)[rank::processes]
        for first in range(0, len(numbers), self.batch):
            some = numbers[first : first + self.batch].tolist()
            rows = [self.masking.apply(self.pieces[number], FIXED, number) for number in some]
            yield collate(rows, self.masking.special.padding)


class MaskedTrainer(OrderedTrainer):
    """The trainer of masked language models, evaluated as above.

    Args:
        held_out: What to evaluate.
        **settings: As for `OrderedTrainer`.
    """

    def __init__(self, *, held_out: HeldOut, **settings: Any) -> None:
        super().__init__(eval_dataset=held_out.pieces, **settings)
        self.held_out = held_out

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Evaluate on the held-out sequences and log the figures; {} if there are none."""
        if not len(self.held_out.pieces):
            return {}
        sums = torch.zeros(5, dtype=torch.float64)
        model: Any = self.model
        model.eval()
        batches = self.held_out.batches(self.args.process_index, self.args.world_size)
        with torch.inference_mode(), self.compute_loss_context_manager():
            for batch in batches:
                sums += self._sums(model, self._prepare_inputs(batch))
        sums = self.accelerator.reduce(sums.to(self.args.device), "sum").cpu()
        metrics = summary(sums.tolist())
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _sums(self, model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Masked tokens: number, cost, correct predictions, bases, and cost under the unigram baseline."""
        labels = batch["labels"]
        places = labels > 0
        logits = model(**batch).logits[places].float()
        true = labels[places]
        cost = functional.cross_entropy(logits, true, reduction="sum")
        ids = true.cpu().numpy()
        return torch.tensor(
            [
                len(ids),
                float(cost),
                int((logits.argmax(-1) == true).sum()),
                int(self.held_out.bases[ids].sum()),
                float(self.held_out.unigram[ids].sum()),
            ],
            dtype=torch.float64,
        )


def summary(sums: list[float]) -> dict[str, float]:
    """The figures from the sums of `MaskedTrainer._sums`."""
    tokens, cost, correct, bases, unigram = sums
    return {
        "eval_loss": cost / tokens,
        "eval_bits_per_base": cost / math.log(2) / max(bases, 1),
        "eval_accuracy": correct / tokens,
        "eval_unigram_loss": unigram / tokens,
        "eval_unigram_bits_per_base": unigram / math.log(2) / max(bases, 1),
        "eval_masked_tokens": tokens,
    }
