"""Tokens as parts of a sequence: places, what an edit changes, and what may stand in their place.

A row of tokens is the encoding of its string if and only if each two that are adjacent encode to themselves
together. So an edit changes tokens near it and no others, and the native module finds them without encoding
the rest. `reference_parts` is the specification in plain Python.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from genotok.errors import ArgumentError
from genotok.tokenizer.encoder import SequenceEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EditTuple", "Reencoding", "Strand", "TokenParts"]

Strand = Literal["+", "-"]
"""Which strand tokens are read from."""

EditTuple = tuple[int, int, str | bytes]
"""Bases `start` to `end` (excluded) of a sequence, and what takes their place."""


@dataclass(frozen=True, slots=True, eq=False)
class Reencoding:
    """What an edit changes in the tokens of a sequence.

    Outside of `start` to `end` both sequences have the same tokens, behind it shifted by as many bases as the
    edit adds.

    Attributes:
        start: The last boundary that both encodings have at or before the edit, in bases of the sequence as
            it was.
        end: The first that both have at or behind it.
        before: The ids of the tokens from `start` to `end`: int32.
        after: The ids of the tokens there in the changed sequence. Equal to `before` where nothing changes.
    """

    start: int
    end: int
    before: "NDArray[np.int32]"
    after: "NDArray[np.int32]"


class TokenParts(SequenceEncoder):
    """What a tokenizer knows of its tokens as parts of a sequence; `Tokenizer` is one.

    This is for tokens that lie one behind the other: of byte-pair encoding, and k-mers that do not overlap.
    Special tokens around a sequence and templates have no part in it: a sequence is what `encode` takes.
    Positions are characters, as those of `spans`; of sequences, bases.
    """

    __slots__ = ()

    def reencode(self, sequence: str | bytes, start: int, end: int, replacement: str | bytes) -> Reencoding:
        """What putting `replacement` in place of the bases `start` to `end` of `sequence` changes.

        Exact for every vocabulary. With an automaton, of a long sequence only some thousand bases around the
        edit are encoded. For many edits of one sequence use `reencode_many`.

        Args:
            sequence: Text, or bytes in UTF-8.
            start: The first base that is replaced.
            end: The end of those that are replaced; `start` to insert before that base.
            replacement: What takes their place; empty to delete.

        Raises:
            ArgumentError: The edit is not within the sequence.
            SymbolError: A symbol is outside the vocabulary, and there is no unknown token.
            VocabularyError: Tokens are no parts of a sequence: k-mers overlap, or words are looked up whole.
        """
        return self.reencode_many(sequence, [(start, end, replacement)])[0]

    def reencode_many(
        self, sequence: str | bytes, edits: Iterable[EditTuple], strand: Strand = "+"
    ) -> list[Reencoding]:
        """What each of many edits, made alone, changes in `sequence`; on all cores, without the GIL.

        The sequence is encoded once, from the first edit to the last; an edit then costs some microseconds.
        It costs more where it changes more: in a run of one base, or between k-mers, tokens may change up to
        the end of the run. Memory is 40 bytes for each token of the sequence.

        Args:
            sequence: Text, or bytes in UTF-8.
            edits: `(start, end, replacement)` of each, as in `reencode`.
            strand: `"-"` reads the sequence and each edit from the other strand. Edits are given as on `"+"`,
                replacements too; the results are in bases of the reverse complement, counted from its start.

        Raises:
            ArgumentError: An edit is not within the sequence; says which.
            SymbolError, VocabularyError: As in `reencode`.
            TypeError: An edit is no such tuple.
            KeyboardInterrupt: Ctrl-C, within a second.
        """
        if strand not in {"+", "-"}:
            raise ArgumentError(f'strand={strand!r}: "+" or "-" is expected')
        found = self._native.reencode(sequence, edits, reverse=strand == "-")
        starts, ends, before, before_offsets, after, after_offsets = found
        old, new = pairwise(before_offsets.tolist()), pairwise(after_offsets.tolist())
        return [
            Reencoding(start, end, before[slice(*one)], after[slice(*other)])
            for start, end, one, other in zip(starts.tolist(), ends.tolist(), old, new, strict=True)
        ]

    def substitutions(self, left: int | None, token: int, right: int | None) -> "NDArray[np.int32]":
        """The ids that may stand in place of `token` between `left` and `right`, without moving a boundary.

        These are the tokens of as many bases with which the string of all three encodes to just these three,
        in ascending order; `token` is among them if it does. Where such a row stands in a longer encoding,
        the whole is the encoding of its string again. Of k-mers it tells as much as three tokens can: three
        single bases may be part of a longer run of them, which is then a k-mer.

        Args:
            left: The id before; None for the start of the sequence. A token that is not of bases, such as the
                unknown one, ends words like it.
            token: The id to replace.
            right: The id behind; None for the end of the sequence.

        Raises:
            ArgumentError: An id is not in the vocabulary, or `token` stands for no bases.
            VocabularyError: Tokens are no parts of a sequence.
        """
        return self._native.substitutions(left, token, right)

    def boundaries(self, ids: Iterable[int]) -> "NDArray[np.int64]":
        """Where the tokens of `ids` begin in their sequence, and where the last one ends.

        There is one number more than ids. An unknown token is one base, and special tokens are none.
        What `encode` leaves out, as white space in some files, is not counted.

        Raises:
            ArgumentError: An id is not in the vocabulary; or it is an unknown token that the tokenizer's file
                makes of several symbols.
            VocabularyError: Tokens are no parts of a sequence.
            TypeError: An id is no integer.
        """
        return self._native.boundaries(ids)

    def token_at(self, ids: Iterable[int], positions: "ArrayLike") -> "NDArray[np.int64]":
        """Which of `ids`, counted from 0, holds the base at each of `positions`; of the same shape.

        Raises:
            IndexError: A position is not in the sequence of the ids.
            ArgumentError, VocabularyError, TypeError: As in `boundaries`.
        """
        numpy: Any = import_module("numpy")
        ends = self.boundaries(ids)[1:]
        wanted = numpy.asarray(positions)
        if wanted.size == 0:
            wanted = wanted.astype(numpy.int64)
        if wanted.dtype.kind not in "iu":
            raise TypeError(f"positions: integers are expected, not {wanted.dtype}")
        length = int(ends[-1]) if len(ends) else 0
        outside = (wanted < 0) | (wanted >= length)
        if outside.any():
            raise IndexError(f"position {wanted[outside][0]}: the tokens have {length:,} bases")
        found: NDArray[np.int64] = numpy.searchsorted(ends, wanted, side="right")
        return found
