"""Sequences to train on: the rows of token files, cut into pieces of nearly equal length.

A row of n tokens (a chromosome, a window) makes ⌈n / room⌉ pieces, where `room` is what `max_tokens` leaves
beside `[CLS]` and `[SEP]`; piece j is tokens ⌊j n / p⌋ to ⌊(j + 1) n / p⌋. So no token is left out, no piece
reaches across a record, and hardly any place of a batch is padding. Rows stay where they are, mapped from
their files; what is held is 16 bytes for each row.

Held out for evaluation are all pieces of the records named, or, if none is, the last pieces of the corpus: a
stretch of their own, so that no neighbour of a training piece is among them but one.
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
    from genotok.tokenizer.special_ids import Ids
    from genotok.training.batches import Masking

__all__ = ["Corpus", "OnlyBases", "Pieces", "TrainingRun", "unigram_costs"]


class Pieces:
    """Some rows of a token data set as sequences of bounded length, by number.

    Args:
        tokens: The rows.
        rows: Which of them, (R,).
        lengths: Their tokens, (R,).
        special: What is put around a piece.
        max_tokens: Tokens of a sequence at most, special ones included.
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
        room = max_tokens - len(special.before) - len(special.behind)
        self._ends = np.cumsum(-(-lengths // room))
        self._range = (0, int(self._ends[-1]) if len(rows) else 0)

    def __len__(self) -> int:
        return self._range[1] - self._range[0]

    def slice(self, first: int, end: int) -> Pieces:
        """Some of the pieces, by number."""
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
class Corpus:
    """Pieces to train on and to evaluate.

    Attributes:
        train: To train on.
        held_out: To evaluate.
        tokens: In all rows that are taken.
        records_held_out: How many rows are held out whole.
    """

    train: Pieces
    held_out: Pieces
    tokens: int
    records_held_out: int

    @classmethod
    def of(
        cls,
        tokens: TokenDataset,
        special: SpecialIds,
        max_tokens: int,
        held_out: float,
        records: Sequence[str],
        only: OnlyBases | None = None,
    ) -> Corpus:
        """Cut a token data set.

        Args:
            tokens: It.
            special: What is put around a piece.
            max_tokens: Tokens of a sequence at most.
            held_out: Share of pieces to hold out if no records are named.
            records: Names of records to hold out.
            only: Which rows are taken at all; None for all.

        Raises:
            ArgumentError: A named record is not there, or nothing is left to train on.
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
        return cls(train, evaluated, int(lengths[filled].sum()), int((out & filled).sum()))


@dataclass(frozen=True, slots=True, eq=False)
class OnlyBases:
    """Takes rows that are a number of bases and nothing else, whatever the tokenizer makes of other letters.

    Attributes:
        length: The bases.
        added: What each token adds to a sequence, by id (V,).
        overlap: Bases that neighbouring tokens share.
    """

    length: int
    added: NDArray[np.int64]
    overlap: int

    def of(self, batch: Any) -> NDArray[np.bool_]:
        """Which rows of a record batch are taken, (R,)."""
        sums = np.concatenate([[0], np.cumsum(self.added[ids_of(batch)])])
        there = np.diff(sums[offsets_of(batch)]) + self.overlap
        taken: NDArray[np.bool_] = (bases_of(batch) == self.length) & (there == self.length)
        return taken


class TrainingRun:
    """All sequences of a run in the order in which they are trained on, masked; what torch calls a data set.

    Args:
        pieces: The sequences.
        masking: How tokens are hidden.
        count: Sequences of the run: steps times batch.
        seed: Decides order and masks.
    """

    def __init__(self, pieces: Pieces, masking: Masking, count: int, seed: int) -> None:
        self.pieces, self.masking, self.count, self.seed = pieces, masking, count, seed
        self._order = Order(len(pieces), seed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> tuple[Ids, Ids]:
        """Inputs and labels of the sequence at a place."""
        if not 0 <= place < self.count:
            raise IndexError(place)
        epoch, number = self._order.at(place)
        return self.masking.apply(self.pieces[number], self.seed, epoch, number)


def unigram_costs(pieces: Pieces, vocab_size: int, most: int = 20_000) -> NDArray[np.float64]:
    """What each token costs a model that knows only how frequent it is: -ln p, by id, (V,), in nats.

    Counted on up to `most` pieces, spread evenly; each token of the vocabulary counts once more, so that none
    is impossible.
    """
    counts = np.ones(vocab_size, np.int64)
    for number in np.linspace(0, len(pieces) - 1, min(most, len(pieces))).astype(np.int64):
        counts += np.bincount(pieces.without_special(int(number)), minlength=vocab_size)
    costs: NDArray[np.float64] = -np.log(counts / counts.sum())
    return costs


def _rows(
    tokens: TokenDataset, with_names: bool, only: OnlyBases | None
) -> tuple[NDArray[np.int64], list[str], NDArray[np.bool_]]:
    """Tokens of each row, the records' names if they are asked for, and which rows are taken."""
    lengths, names, taken = [np.empty(0, np.int64)], [], [np.empty(0, bool)]
    for batch in tokens.batches():
        if batch.num_columns == 1 and (with_names or only):
            setting = "row_bases" if only else "hold_out"
            raise ArgumentError(f"{tokens.path}: knows no records; {setting} needs an Arrow or Parquet file")
        lengths.append(np.diff(offsets_of(batch)))
        taken.append(lengths[-1] > 0 if only is None else only.of(batch))
        if with_names:
            names += batch.column("record").to_pylist()
    return np.concatenate(lengths), names, np.concatenate(taken)
