"""Sequences to train on: the rows of token files, cut into pieces of nearly equal length.

A row of n tokens (a chromosome, a window) is cut into p = ⌈n / c⌉ pieces; the capacity c is `max_tokens`
without `[CLS]` and `[SEP]`; piece j is tokens ⌊j n / p⌋ to ⌊(j + 1) n / p⌋. So every token is used, no piece
spans two records, and batches have hardly any padding. Rows stay in their files, memory-mapped; memory is 16
bytes per row.

All pieces of the named records are held out for evaluation; if none is named, the last pieces of the corpus,
contiguous, so that only one of them is next to a training piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.dataset.columns import bases_of, ids_of, offsets_of
from genotok.errors import ArgumentError
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training.batches import Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genotok.dataset import TokenDataset
    from genotok.pretrain.data import TokenSequences
    from genotok.tokenizer.special_ids import Ids
    from genotok.training.batches import Masking

__all__ = ["BaseFilter", "Pieces", "PretrainingCorpus", "TrainingRun", "unigram_costs"]


class Pieces:
    """Rows of a token data set as sequences of bounded length, by number.

    Args:
        tokens: The rows.
        rows: Which of them, (R,).
        lengths: Their tokens, (R,).
        special: The special tokens around a piece.
        max_tokens: Maximum tokens of a sequence, special tokens included.
    """

    def __init__(
        self,
        tokens: TokenDataset,
        rows: NDArray[np.int64],
        lengths: NDArray[np.int64],
        special: SpecialIds,
        max_tokens: int,
    ) -> None:
        self._tokens, self._rows, self._lengths, self._special = tokens, rows, lengths, special
        capacity = max_tokens - len(special.before) - len(special.behind)
        self._ends = np.cumsum(-(-lengths // capacity))
        self._range = (0, int(self._ends[-1]) if len(rows) else 0)

    def __len__(self) -> int:
        return self._range[1] - self._range[0]

    def slice(self, first: int, end: int) -> Pieces:
        """A range of the pieces."""
        part = object.__new__(Pieces)
        vars(part).update(vars(self), _range=(self._range[0] + first, self._range[0] + end))
        return part

    def without_special(self, number: int) -> Ids:
        """The ids of a piece without special tokens around."""
        return self._special.within(self[number])

    def __getitem__(self, number: int) -> Ids:
        """The ids of a piece with special tokens around, (L,)."""
        if not 0 <= number < len(self):
            raise IndexError(f"piece {number:,} of {len(self):,}")
        number += self._range[0]
        at = int(np.searchsorted(self._ends, number, side="right"))
        first = int(self._ends[at - 1]) if at else 0
        count, length, piece = int(self._ends[at]) - first, int(self._lengths[at]), number - first
        ids = self._tokens[int(self._rows[at])]
        return self._special.around(ids[piece * length // count : (piece + 1) * length // count])


@dataclass(frozen=True, slots=True, eq=False)
class PretrainingCorpus:
    """Pieces to train on and to evaluate.

    Attributes:
        train: Pieces to train on.
        held_out: Pieces to evaluate.
        tokens: Tokens of all selected rows.
    """

    train: Pieces
    held_out: Pieces
    tokens: int

    @classmethod
    def of(
        cls,
        tokens: TokenDataset,
        special: SpecialIds,
        max_tokens: int,
        held_out: float,
        records: Sequence[str],
        only: BaseFilter | None = None,
    ) -> PretrainingCorpus:
        """Cut a token data set.

        Args:
            tokens: The data set.
            special: The special tokens around a piece.
            max_tokens: Maximum tokens of a sequence.
            held_out: Share of pieces to hold out if no records are named.
            records: Names of records to hold out.
            only: Which rows are selected; None for all.

        Raises:
            ArgumentError: A named record does not exist, or no sequence is left to train on.
        """
        lengths, names, filled = _rows(tokens, bool(records), only)
        unknown = sorted(set(records) - set(names))
        if unknown:
            some = ", ".join(sorted(set(names))[:6])
            raise ArgumentError(f"hold_out={unknown[0]}: no such record; there are {some}, ...")
        out = np.isin(np.asarray(names), records) if records else np.zeros(len(lengths), bool)

        def pieces(which: NDArray[np.bool_]) -> Pieces:
            rows = np.flatnonzero(which & filled)
            return Pieces(tokens, rows, lengths[rows], special, max_tokens)

        train = pieces(~out)
        if records:
            evaluated = pieces(out)
        else:
            cut = len(train) - int(np.ceil(len(train) * held_out))
            train, evaluated = train.slice(0, cut), train.slice(cut, len(train))
        if not len(train):
            raise ArgumentError(f"{tokens.path}: no sequences are left to train on")
        return cls(train, evaluated, int(lengths[filled].sum()))


@dataclass(frozen=True, slots=True, eq=False)
class BaseFilter:
    """Selects rows that consist of a given number of bases and no other symbol, under any tokenizer.

    Attributes:
        length: The number of bases.
        added: Bases that each token adds to a sequence, by id, (V,).
        overlap: Bases that neighbouring tokens share.
    """

    length: int
    added: NDArray[np.int64]
    overlap: int

    def of(self, batch: Any) -> NDArray[np.bool_]:
        """Which rows of a record batch are selected, (R,)."""
        sums = np.concatenate([[0], np.cumsum(self.added[ids_of(batch)])])
        there = np.diff(sums[offsets_of(batch)]) + self.overlap
        selected: NDArray[np.bool_] = (bases_of(batch) == self.length) & (there == self.length)
        return selected


class TrainingRun:
    """All masked sequences of a run in training order, as a torch data set.

    Args:
        pieces: The sequences.
        masking: How tokens are masked.
        count: Sequences of the run: steps times batch.
        seed: Seed of order and masks.
    """

    def __init__(self, pieces: Pieces, masking: Masking, count: int, seed: int) -> None:
        self.pieces, self.masking, self.count, self.seed = pieces, masking, count, seed
        self._order = Order(len(pieces), seed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> tuple[Ids, Ids]:
        """Inputs and labels (L,) of the k-th sequence to train on."""
        if not 0 <= place < self.count:
            raise IndexError(place)
        epoch, number = self._order.at(place)
        return self.masking.apply(self.pieces[number], self.seed, epoch, number)


def unigram_costs(pieces: TokenSequences, vocab_size: int, max_pieces: int = 20_000) -> NDArray[np.float64]:
    """The cost of each token under the unigram baseline, -ln p in nats, by id, (V,).

    Counted on up to `max_pieces` pieces, evenly spaced; each token of the vocabulary counts once more, so
    that none has probability 0.
    """
    counts = np.ones(vocab_size, np.int64)
    for number in np.linspace(0, len(pieces) - 1, min(max_pieces, len(pieces))).astype(np.int64):
        counts += np.bincount(pieces.without_special(int(number)), minlength=vocab_size)
    costs: NDArray[np.float64] = -np.log(counts / counts.sum())
    return costs


def _rows(
    tokens: TokenDataset, with_names: bool, only: BaseFilter | None
) -> tuple[NDArray[np.int64], list[str], NDArray[np.bool_]]:
    """Tokens of each row, names of its records if needed, and which rows are selected."""
    lengths, names, selected = [np.empty(0, np.int64)], [], [np.empty(0, bool)]
    for batch in tokens.batches():
        if batch.num_columns == 1 and (with_names or only):
            setting = "row_bases" if only else "hold_out"
            raise ArgumentError(f"{tokens.path}: has no records; {setting} needs an Arrow or Parquet file")
        lengths.append(np.diff(offsets_of(batch)))
        selected.append(lengths[-1] > 0 if only is None else only.of(batch))
        if with_names:
            names += batch.column("record").to_pylist()
    return np.concatenate(lengths), names, np.concatenate(selected)
