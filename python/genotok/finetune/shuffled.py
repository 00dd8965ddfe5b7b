"""How much of what a classifier says depends on the order of tokens.

A model that reads a bag of tokens predicts the same when the tokens of a row are shuffled. With base
features, shuffling also changes which bases lie next to each other across token borders.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from genotok.evaluation.problem import Problem
from genotok.finetune.data import TokenizedRows, encode
from genotok.finetune.outputs import outputs_of
from genotok.model.huggingface import DnaBert2ForSequenceClassification
from genotok.model_folder.pretrained import load_pretrained
from genotok.model_folder.read import read_folder
from genotok.tokenizer.special_ids import Ids, SpecialIds
from genotok.training.log import quietly

if TYPE_CHECKING:
    import os

    from genotok.gue import Task

__all__ = ["changed_by_shuffling", "shuffled"]

BATCH_TOKENS = 16_384


@quietly()
def changed_by_shuffling(
    model: str | os.PathLike[str], task: Task, *, device: str = "auto", seed: int = 0
) -> float | None:
    """The share of dev rows whose predicted class changes when the tokens of each row are shuffled.

    Args:
        model: The folder of a classifier.
        task: The set that it was trained on; only dev is used.
        device: "auto", or "cpu".
        seed: Of the shuffled order.

    Returns:
        The share; None if the model does not predict classes.

    Raises:
        ArgumentError: The folder has no such model.
        OSError: A file cannot be read.
    """
    folder = read_folder(model)
    found = load_pretrained(DnaBert2ForSequenceClassification, folder)
    problem = Problem.of_config(found.config)
    if problem.type != "classification":
        return None
    place = torch.device("cpu" if device == "cpu" or not torch.cuda.is_available() else "cuda")
    tokenizer, both = folder.tokenizer(), bool(folder.settings.both_strands)
    special = SpecialIds.of(tokenizer)
    rows = encode(tokenizer, task.read(allow_unknown=1.0)[0]["dev"], both_strands=both)
    classes = [
        outputs_of(found.to(place), problem, one, special.padding, BATCH_TOKENS, place).argmax(1)
        for one in (rows, shuffled(rows, special, seed))
    ]
    return float(np.mean(classes[0] != classes[1]))


def shuffled(rows: TokenizedRows, special: SpecialIds, seed: int) -> TokenizedRows:
    """Rows with the tokens of each in random order; special tokens keep their places."""
    draw = np.random.default_rng(seed)

    def in_random_order(ids: Ids) -> Ids:
        places = np.flatnonzero(~np.isin(ids, special.all))
        found = ids.copy()
        found[places] = ids[draw.permutation(places)]
        return found

    return replace(rows, ids=[*map(in_random_order, rows.ids)], reverse=[*map(in_random_order, rows.reverse)])
