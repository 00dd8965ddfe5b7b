"""Labelled sequences as a model reads them: tokens, how long they are, and what had to be cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from genotok.errors import ArgumentError, SequenceFileError
from genotok.rows import Tokens
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training.batches import Order, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genotok.evaluation.metrics import Metric
    from genotok.finetune.problem import Problem
    from genotok.gue import LabelledSplit, Labels
    from genotok.tokenizer import Tokenizer
    from genotok.tokenizer.special_ids import Ids

__all__ = ["Rows", "TaskData", "TrainingRows", "assemble", "collate", "described", "encode", "with_train"]

Label = Any
"""A class number, a number, or (C,) 1 where a label holds."""

DEV_SHARE = 0.15
"""Of a dev split that has to serve as train, what stays dev."""

REDUCED = "train is not at hand: trained on 85 % of dev, the rest of it is dev"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Sequences as token ids.

    Attributes:
        ids: The ids of each, special tokens included, N arrays.
        labels: As `Labels.values` gives them; empty if there are none.
        cut: How many were longer and have been cut.
        unknown: Letters that are outside the vocabulary.
    """

    ids: list[Ids]
    labels: NDArray[Any]
    cut: int
    unknown: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each, (N,)."""
        return np.fromiter(map(len, self.ids), np.int64, len(self.ids))


@dataclass(frozen=True, slots=True, eq=False)
class TaskData:
    """All splits of a set as token ids.

    Attributes:
        train: To train on.
        dev: To choose by.
        test: To report on.
        problem: What is to be predicted.
        metric: What it is judged by.
        max_tokens: Tokens of the longest sequence, or the limit.
    """

    train: Rows
    dev: Rows
    test: Rows
    problem: Problem
    metric: Metric
    max_tokens: int


class TrainingRows:
    """The sequences of a run, in the order in which they are trained on; what torch calls a data set."""

    def __init__(self, rows: Rows, count: int, seed: int) -> None:
        self.rows, self.count = rows, count
        self._order = Order(len(rows), seed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> tuple[Ids, Label]:
        """Ids and label of the sequence at a place."""
        if not 0 <= place < self.count:
            raise IndexError(place)
        _, row = self._order.at(place)
        return self.rows.ids[row], self.rows.labels[row]


def with_train(splits: dict[str, LabelledSplit], seed: int = 0) -> tuple[dict[str, LabelledSplit], str]:
    """Splits with a train among them, of dev where there is none; and what to say of that, "" if nothing."""
    if "train" in splits and "dev" in splits:
        return splits, ""
    whole = splits.get("dev", splits.get("train"))
    if whole is None or len(whole) < 4:
        raise ArgumentError(
            "train: no rows; train.csv and dev.csv, or one of them, are expected beside test.csv"
        )
    order = np.random.default_rng(seed).permutation(len(whole))
    kept = max(int(len(whole) * DEV_SHARE), 1)
    parts = {"train": whole.taken(np.sort(order[kept:])), "dev": whole.taken(np.sort(order[:kept]))}
    note = REDUCED if "dev" in splits else "there is no dev: 15 % of train are dev"
    return {**splits, **parts}, note


def described(name: str, splits: dict[str, LabelledSplit], labels: Labels) -> list[str]:
    """What the labels of a set are, and how they are distributed: a line, and one for each split.

    Raises:
        SequenceFileError: All rows of train have the same label.
    """
    train = splits["train"]
    if labels.is_constant(train.labels):
        raise SequenceFileError(
            f"{train.path}: all rows have one label, {train.texts[0]!r}; there is nothing to tell apart"
        )
    lines = (
        f"{name}: {part}, {len(split):,} rows: {labels.describe(split.labels)}"
        for part, split in splits.items()
    )
    return [f"{name}: {labels.headline}", *lines]


def encode(tokenizer: Tokenizer, split: LabelledSplit, max_tokens: int | None = None) -> Rows:
    """The ids of a split: `[CLS]` sequence `[SEP]`, or `[CLS]` one `[SEP]` other `[SEP]`.

    A row that is longer than `max_tokens` loses the end of its sequence, of a pair that of both.
    """
    sides = [side for side in (split.sequences, split.partners) if side]
    found = [tokenizer.encode_batch(side, uppercase=True) for side in sides]
    tokens = [Tokens(array.values, array.offsets) for array in found]
    ids, cut = assemble(SpecialIds.of(tokenizer), tokens, max_tokens)
    return Rows(ids, split.labels, cut, sum(array.unknown for array in found))


def assemble(special: SpecialIds, sides: Sequence[Tokens], max_tokens: int | None) -> tuple[list[Ids], int]:
    """The ids of each row with special tokens around, and how many rows were cut to `max_tokens`."""
    added = len(special.before) + len(special.behind) * len(sides)
    room = None if max_tokens is None else (max_tokens - added) // len(sides)
    cut, ids = 0, []
    for row in range(len(sides[0])):
        parts = [side[row] for side in sides]
        if room is not None and sum(map(len, parts)) > room * len(sides):
            parts, cut = [part[:room] for part in parts], cut + 1
        ids.append(special.around(*parts))
    return ids, cut


def task_data(
    tokenizer: Tokenizer,
    splits: dict[str, LabelledSplit],
    problem: Problem,
    metric: Metric,
    max_tokens: int | None,
) -> TaskData:
    """All splits encoded."""
    rows = {name: encode(tokenizer, splits[name], max_tokens) for name in ("train", "dev", "test")}
    longest = max(int(part.lengths.max()) for part in rows.values())
    return TaskData(**rows, problem=problem, metric=metric, max_tokens=longest)


def collate(rows: Sequence[tuple[Ids, Label]], padding: int) -> dict[str, torch.Tensor]:
    """Sequences and labels as a padded batch: class numbers as int64, all else as float32."""
    ids, labels = [row for row, _ in rows], np.asarray([label for _, label in rows])
    is_class = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer)
    named = {
        "input_ids": pad(ids, padding),
        "attention_mask": pad([np.ones(len(row), np.int64) for row in ids], 0),
        "labels": labels.astype(np.int64 if is_class else np.float32),
    }
    return {name: torch.from_numpy(array) for name, array in named.items()}
