"""Labelled sequences as token ids, with their lengths and the number of sequences that were cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from genotok.rows import Tokens
from genotok.rows.strands import OtherStrand
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training.batches import Order, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genotok.evaluation.metrics import Metric
    from genotok.evaluation.problem import Problem
    from genotok.gue import CleanRows, LabelledSplit
    from genotok.tokenizer import Tokenizer
    from genotok.tokenizer.special_ids import Ids

__all__ = [
    "TaskData",
    "TokenizedRows",
    "TrainingRows",
    "assemble",
    "collate",
    "collate_by_length",
    "encode",
]

STRANDS = 1
"""The key of the draw of strands, besides seed and epoch; that of the order has none."""

Label = Any
"""A class number, a number, or (C,) 1 where a label holds; (C,) shares where a teacher is mixed in."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedRows:
    """Sequences as token ids.

    Attributes:
        ids: The ids of each, special tokens included, N arrays.
        labels: As `Labels.values` gives them, or `Teacher.mixed`; empty if there are none.
        cut: Number of sequences that were cut.
        unknown: Number of symbols outside the vocabulary.
        reverse: The ids of their reverse complements; empty if only one strand is read.
    """

    ids: list[Ids]
    labels: NDArray[Any]
    cut: int
    unknown: int
    reverse: list[Ids] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def strands(self) -> tuple[list[Ids], ...]:
        """The ids of each strand that is read."""
        return (self.ids, self.reverse) if self.reverse else (self.ids,)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each, (N,)."""
        return np.fromiter(map(len, self.ids), np.int64, len(self.ids))


@dataclass(frozen=True, slots=True, eq=False)
class TaskData:
    """All splits of a set as token ids.

    Attributes:
        train: The training split.
        dev: The split that selects the weights.
        test: The split that is reported.
        problem: What is predicted.
        metric: The main metric.
        max_tokens: Tokens of the longest sequence after cutting.
        clean: The clean rows of test; None to score all rows only.
    """

    train: TokenizedRows
    dev: TokenizedRows
    test: TokenizedRows
    problem: Problem
    metric: Metric
    max_tokens: int
    clean: CleanRows | None = None


class TrainingRows:
    """The sequences of a run in training order, as a torch data set.

    Where both strands are read, each row is shown on one of them in each epoch: strands are a function of
    seed, epoch and row.
    """

    def __init__(self, rows: TokenizedRows, count: int, seed: int) -> None:
        self.rows, self.count, self.seed = rows, count, seed
        self._order = Order(len(rows), seed)
        self._epoch, self._flips = -1, np.empty(0, np.bool_)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> tuple[Ids, Label]:
        """Ids and label of the k-th sequence to train on."""
        if not 0 <= place < self.count:
            raise IndexError(place)
        epoch, row = self._order.at(place)
        strand = self.rows.reverse if self.rows.reverse and self._is_flipped(epoch, row) else self.rows.ids
        return strand[row], self.rows.labels[row]

    def _is_flipped(self, epoch: int, row: int) -> bool:
        """Whether a row is shown on its other strand in an epoch."""
        if epoch != self._epoch:
            draw = np.random.default_rng([self.seed, epoch, STRANDS])
            self._flips, self._epoch = draw.random(len(self.rows)) < 0.5, epoch
        return bool(self._flips[row])


def encode(
    tokenizer: Tokenizer, split: LabelledSplit, max_tokens: int | None = None, *, both_strands: bool = False
) -> TokenizedRows:
    """The ids of a split: `[CLS]` sequence `[SEP]`, or `[CLS]` one `[SEP]` other `[SEP]`.

    A row of more than `max_tokens` tokens loses the end of its sequence; a pair loses that of both. The
    reverse complement of a row, of a pair those of both sequences in their order, is cut likewise.
    """
    sides = [side for side in (split.sequences, split.partners) if side]
    special = SpecialIds.of(tokenizer)
    found = [tokenizer.encode_batch(side, uppercase=True) for side in sides]
    ids, cut = assemble(special, [Tokens(array.values, array.offsets) for array in found], max_tokens)
    reverse: list[Ids] = []
    if both_strands:
        other = OtherStrand(tokenizer, uppercase=True)
        turned = [tokenizer.encode_batch(other.of(side), uppercase=True) for side in sides]
        tokens = [Tokens(array.values, array.offsets) for array in turned]
        reverse, _ = assemble(special, tokens, max_tokens)
    return TokenizedRows(ids, split.labels, cut, sum(array.unknown for array in found), reverse)


def assemble(special: SpecialIds, sides: Sequence[Tokens], max_tokens: int | None) -> tuple[list[Ids], int]:
    """The ids of each row with special tokens added, and how many rows were cut to `max_tokens`."""
    added = len(special.before) + len(special.behind) * len(sides)
    budget = None if max_tokens is None else (max_tokens - added) // len(sides)
    cut, ids = 0, []
    for row in range(len(sides[0])):
        parts = [side[row] for side in sides]
        if budget is not None and sum(map(len, parts)) > budget * len(sides):
            parts, cut = [part[:budget] for part in parts], cut + 1
        ids.append(special.around(*parts))
    return ids, cut


def task_data(
    tokenizer: Tokenizer,
    splits: dict[str, LabelledSplit],
    problem: Problem,
    metric: Metric,
    max_tokens: int | None,
    *,
    both_strands: bool = False,
) -> TaskData:
    """All splits as token ids."""
    rows = {
        name: encode(tokenizer, splits[name], max_tokens, both_strands=both_strands)
        for name in ("train", "dev", "test")
    }
    longest = max(int(part.lengths.max()) for part in rows.values())
    return TaskData(rows["train"], rows["dev"], rows["test"], problem, metric, longest)


def collate(rows: Sequence[tuple[Ids, Label]], padding: int) -> dict[str, torch.Tensor]:
    """Sequences and labels as a padded batch: class numbers as int64, other labels as float32."""
    ids, labels = [row for row, _ in rows], np.asarray([label for _, label in rows])
    is_class = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer)
    named = {
        "input_ids": pad(ids, padding),
        "attention_mask": pad([np.ones(len(row), np.int64) for row in ids], 0),
        "labels": labels.astype(np.int64 if is_class else np.float32),
    }
    return {name: torch.from_numpy(array) for name, array in named.items()}


def collate_by_length(rows: Sequence[tuple[Ids, Label]], padding: int) -> dict[str, torch.Tensor]:
    """`collate` for training, where the order in a batch means nothing: by length.

    Sequences of equal length that follow each other are one call of attention (`genotok.model.packing`).
    """
    return collate(sorted(rows, key=lambda row: len(row[0])), padding)
