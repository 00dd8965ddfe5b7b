"""What a classifier predicts for token ids: the mean over both strands where both are read."""

# Dimensions: N rows, C classes.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from genotok.embedding.embedder import batches
from genotok.errors import ArgumentError
from genotok.finetune.data import TokenizedRows, collate

if TYPE_CHECKING:
    from genotok.evaluation.problem import Problem
    from genotok.tokenizer.special_ids import Ids

__all__ = ["Outputs", "outputs_of"]

Outputs = NDArray[np.float64]


def outputs_of(
    model: Any, problem: Problem, rows: TokenizedRows, padding: int, max_tokens: int, device: torch.device
) -> Outputs:
    """Predictions (N, C), from `Problem.probabilities`; a row's prediction does not depend on the other rows.

    Rows with both strands have the mean of two predictions, so that a row and its reverse complement have the
    same; it costs twice the time. Rows are computed in batches of similar length, of at most `max_tokens`
    tokens unless of one row.

    Raises:
        ArgumentError: There are no rows.
    """
    if not len(rows):
        raise ArgumentError("sequences: none; at least one is expected")
    was_training = model.training
    model.eval()
    found = [_of_strand(model, problem, ids, padding, max_tokens, device) for ids in rows.strands]
    model.train(was_training)
    return found[0] if len(found) == 1 else (found[0] + found[1]) / 2


@torch.inference_mode()
def _of_strand(
    model: Any, problem: Problem, ids: list[Ids], padding: int, max_tokens: int, device: torch.device
) -> Outputs:
    """Predictions (N, C) of one strand of each row."""
    out: Outputs = np.empty((len(ids), problem.num_outputs))
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    for numbers in batches(lengths, max_tokens):
        some = collate([(ids[number], 0) for number in numbers.tolist()], padding)
        inputs = {name: some[name].to(device) for name in ("input_ids", "attention_mask")}
        out[numbers] = problem.probabilities(model(**inputs).logits)
    return out
