"""The other strand of sequences in memory, by the rules of `encode_files(reverse_complement=True)`.

A pairs with T, C with G, and the ambiguity codes as IUPAC pairs them; S, W, N and all that is no nucleotide
stay. Uracil pairs with A only if the vocabulary has U: where it has not, U stays unknown. A becomes U if the
vocabulary has U and not T. Case is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.corpus.verdict import known_symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.tokenizer import Tokenizer

__all__ = ["OtherStrand"]

PAIRS = {"A": "T", "T": "A", "C": "G", "G": "C"} | {"R": "Y", "Y": "R", "K": "M", "M": "K"}
PAIRS |= {"B": "V", "V": "B", "D": "H", "H": "D"}


class OtherStrand:
    """The reverse complements of sequences, for a vocabulary.

    Args:
        tokenizer: It has the vocabulary.
        uppercase: Whether it reads lower case as upper case.
    """

    def __init__(self, tokenizer: Tokenizer, *, uppercase: bool) -> None:
        known = known_symbols(tokenizer, uppercase=uppercase)
        pairs = dict(PAIRS)
        if b"U" in known:
            pairs["U"] = "A"
            if b"T" not in known:
                pairs["A"] = "U"
        pairs |= {one.lower(): other.lower() for one, other in pairs.items()}
        self._table = str.maketrans(pairs)

    def of(self, sequences: Sequence[str]) -> list[str]:
        """The reverse complement of each sequence."""
        return [sequence.translate(self._table)[::-1] for sequence in sequences]
