"""One pass over the ids of a genome: how often each token occurs, and each pair of neighbours.

There are V^2 possible pairs, too many for a table (V = 65,536 for 8-mers), and some million that occur. So
the pairs of a few million tokens at a time are sorted as numbers (left id, right id) and counted as runs, and
the sorted lists are merged two and two while the earlier one is not twice as long: every pair takes part in a
number of merges that grows with the logarithm of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genotok.study.genomes import Genome
    from genotok.study.subjects import Subject

__all__ = ["SEED", "NeighbourCounts", "TokenCounts", "count_tokens", "encoded"]

PIECE = 1 << 22
"""Tokens that are counted at once, and bases of a batch of windows."""

SEED = 0
"""Of the shuffled control."""

Counts = NDArray[np.int64]
Ids = NDArray[np.uint16] | NDArray[np.uint32]
Keys = NDArray[np.uint32] | NDArray[np.uint64]


class NeighbourCounts:
    """How often each pair of neighbouring ids occurs; add pieces, then ask."""

    def __init__(self, vocab_size: int) -> None:
        self._small = vocab_size <= 1 << 16
        self._lists: list[tuple[Keys, Counts]] = []

    def add(self, left: Ids, right: Ids) -> None:
        """Count the pairs (left[i], right[i])."""
        if not len(left):
            return
        if self._small:
            keys: Keys = (left.astype(np.uint32) << np.uint32(16)) | right
        else:
            keys = (left.astype(np.uint64) << np.uint64(32)) | right
        keys.sort()
        self._lists.append(_runs(keys, np.ones(len(keys), dtype=np.int64)))
        while len(self._lists) > 1 and len(self._lists[-2][0]) < 2 * len(self._lists[-1][0]):
            self._merge_last()

    def _merge_last(self) -> None:
        """The last two lists in one."""
        (first, first_counts), (second, second_counts) = self._lists[-2:]
        keys = np.concatenate([first, second])
        order = np.argsort(keys, kind="stable")
        counts = np.concatenate([first_counts, second_counts])
        self._lists[-2:] = [_runs(keys[order], counts[order])]

    def result(self) -> tuple[Counts, Counts, Counts]:
        """The left ids, the right ids, and how often the pair occurs; each pair once, in order."""
        while len(self._lists) > 1:
            self._merge_last()
        if not self._lists:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, nothing, nothing
        keys, counts = self._lists[0]
        bits = 16 if self._small else 32
        wide = keys.astype(np.uint64)
        left, right = wide >> np.uint64(bits), wide & np.uint64((1 << bits) - 1)
        return left.astype(np.int64), right.astype(np.int64), counts

    def counts(self, vocab_size: int) -> tuple[Counts, Counts, Counts]:
        """How often each id stands on the left, on the right, and each pair occurs."""
        left, right, counts = self.result()
        sides = [
            np.bincount(ids, weights=counts, minlength=vocab_size).astype(np.int64) for ids in (left, right)
        ]
        return sides[0], sides[1], counts


def _runs(keys: Keys, counts: Counts) -> tuple[Keys, Counts]:
    """Sorted keys without repeats, with the sums of their counts."""
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(counts, starts)


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What one pass over a genome counted.

    Attributes:
        tokens: How often each id occurs, by id, also tokens that stand for no bases.
        pairs: Pairs of neighbouring tokens of bases.
        shuffled: The same after the tokens of each piece were shuffled.
    """

    tokens: Counts
    pairs: NeighbourCounts
    shuffled: NeighbourCounts


def encoded(
    subject: Subject,
    genome: Genome,
    *,
    window: int | None = None,
    uppercase: bool = True,
    threads: int | None = None,
) -> Iterator[tuple[Ids, Counts]]:
    """The ids of a genome and the bounds of its rows (records or windows), batch by batch.

    A tokenizer without an unknown token leaves other symbols out, which cuts rows there.
    """
    reader = subject.tokenizer.encode_files(
        list(genome.files),
        window=window,
        unknown="split" if subject.unknown is None else "token",
        uppercase=uppercase,
        threads=threads,
        batch_bases=PIECE,
        allow_unknown=1.0,  # the genome was judged when it was read
    )
    with reader:
        for batch in reader:
            yield batch.input_ids.values, batch.input_ids.offsets


def count_tokens(
    subject: Subject, genome: Genome, *, uppercase: bool = True, threads: int | None = None, seed: int = SEED
) -> TokenCounts:
    """Count the tokens of a genome and their neighbours; one pass over whole records."""
    vocab_size = len(subject.lengths)
    found = TokenCounts(
        np.zeros(vocab_size, dtype=np.int64), NeighbourCounts(vocab_size), NeighbourCounts(vocab_size)
    )
    chance = np.random.default_rng(seed)
    for ids, bounds in encoded(subject, genome, uppercase=uppercase, threads=threads):
        firsts = bounds[1:-1]
        for start in range(0, len(ids), PIECE):
            piece = ids[start : start + PIECE + 1]  # one more: the pair across the cut
            body = piece[:PIECE]
            found.tokens[:] += np.bincount(body, minlength=vocab_size)
            real = subject.lengths[piece] > 0
            both = real[:-1] & real[1:]
            cuts = firsts[(firsts > start) & (firsts < start + len(piece))] - start
            both[cuts - 1] = False
            found.pairs.add(piece[:-1][both], piece[1:][both])
            shuffled = chance.permutation(body[real[: len(body)]])
            found.shuffled.add(shuffled[:-1], shuffled[1:])
    return found
